/**
 * `mpi()` on this machine, whether it has an MPI or not: options that are refused, the environment, and a group of one
 * rank over the stand-ins for MPI libraries that the native build makes (test/native/fake_mpi).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mpi } from '../../lib/distributed/mpi';
import { prepareMpiEnvironment } from '../../lib/distributed/mpi-environment';
import type { InfclError } from '../../lib/errors';
import { loadBinding } from '../../lib/native/load';
import { expectError } from '../lib/fake-binding';

const root = join(__dirname, '..', '..');
const fakes = join(root, 'build', 'fake_mpi');
const open = mpi as (options?: unknown) => Promise<unknown>;

it.each([
  ['options of another type', 5, TypeError, 'ERR_TYPE', 'Expected object for options but received 5'],
  [
    'an unknown name',
    { timeOut: 5 },
    TypeError,
    'ERR_OPTION',
    'Unknown name timeOut in options; did you mean timeout?',
  ],
  ['a timeout of no time', { timeout: 0 }, RangeError, 'ERR_VALUE', 'for options.timeout but received 0'],
  ['an endless timeout', { timeout: Number.POSITIVE_INFINITY }, RangeError, 'ERR_VALUE', 'options.timeout'],
  ['a timeout as text', { timeout: '60' }, TypeError, 'ERR_TYPE', 'options.timeout'],
  ['a library that is no path', { library: 5 }, TypeError, 'ERR_TYPE', 'Expected string for options.library'],
  ['an empty path', { library: '' }, RangeError, 'ERR_VALUE', 'Expected a path for options.library'],
  [
    'a path with a null byte',
    { library: 'a\0b' },
    RangeError,
    'ERR_VALUE',
    'Expected a path for options.library',
  ],
])('%s: refused', async (_, options, type, code, message) => {
  const error = (await open(options).catch((thrown) => thrown)) as InfclError;
  expectError(error, { type, code, message });
});

it('sets variables that the user has not set', () => {
  const env: NodeJS.ProcessEnv = { UCX_MEM_EVENTS: 'y', OTHER: 'x' };
  prepareMpiEnvironment(env);
  expect(env).toEqual({ UCX_MEM_EVENTS: 'y', OTHER: 'x', UCX_ERROR_SIGNALS: '', OMPI_MCA_opal_signal: '' });
});

const doorTable: [string, (binding: ReturnType<typeof loadBinding>) => unknown][] = [
  ['callGroup', (b) => b.callGroup({} as never, {} as never)],
  ['refuseGroupCall', (b) => b.refuseGroupCall({} as never, { message: '', started: false })],
  ['closeGroup', (b) => b.closeGroup(null as never)],
  ['failGroup', (b) => b.failGroup(5 as never, 'x')],
  ['leaveGroup', (b) => b.leaveGroup(undefined as never, 0)],
];
it.each(doorTable)('%s refuses what is no handle', (_, call) => {
  expect(() => call(loadBinding())).toThrow(expect.objectContaining({ code: 'ERR_TYPE' }));
});

/** A program of test/mpi/ranks alone, without a launcher, from dist. */
function runAlone(program: string, env: NodeJS.ProcessEnv) {
  const all = { ...process.env, NODE_OPTIONS: '', OMPI_COMM_WORLD_SIZE: '', PMI_SIZE: '', ...env };
  return new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'test/mpi/ranks', program)],
      { cwd: root, env: all },
      (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : (error.code ?? error.signal), stdout, stderr }),
    );
  });
}
const answerOf = (stdout: string) => JSON.parse(/RANK (.*)/.exec(stdout)![1]!);

(process.platform === 'win32' ? describe.skip : describe)('over a stand-in for a library', () => {
  beforeAll(() => {
    if (!existsSync(fakes)) throw new Error('build/fake_mpi is missing: run npm run build:native');
  });

  it.each(['fake_open_mpi', 'fake_mpich', 'fake_mpi_abi'])(
    '%s: every collective, on one rank',
    async (name) => {
      const { status, stdout, stderr } = await runAlone('collectives.mjs', {
        INFCL_MPI_LIBRARY: join(fakes, `lib${name}.so`),
      });
      expect([status, stderr]).toEqual([0, '']);
      expect(answerOf(stdout)).toMatchObject({
        rank: 0,
        size: 1,
        wrong: [],
        trap: 'RuntimeError',
        closed: { code: 'ERR_DISPOSED' },
        again: {
          code: 'ERR_BACKEND_UNAVAILABLE',
          message: expect.stringContaining('MPI can begin once in a process'),
        },
      });
    },
  );

  it('a process that ends without close() ends MPI', async () => {
    const env = { INFCL_MPI_LIBRARY: join(fakes, 'libfake_mpich.so') };
    const { status, stdout } = await runAlone('open.mjs', env);
    expect([status, answerOf(stdout)]).toEqual([0, { rank: 0, size: 1, sum: 1, error: null }]);
  });

  it.each([
    [
      'unknown layout',
      { INFCL_MPI_LIBRARY: 'libfake_unknown.so' },
      /\(Unknown MPI 1\.0\) has an unknown layout/,
    ],
    [
      'no library',
      { INFCL_MPI_LIBRARY: 'libnowhere.so' },
      /no MPI library was found .*: install Open MPI or MPICH/,
    ],
    [
      'other ranks',
      { INFCL_MPI_LIBRARY: 'libfake_mpich.so', PMI_SIZE: '2' },
      /started 2 ranks, but .* sees 1/,
    ],
  ])('%s: refused', async (_, env, message) => {
    const library = join(fakes, env.INFCL_MPI_LIBRARY);
    const { stdout } = await runAlone('open.mjs', { ...env, INFCL_MPI_LIBRARY: library });
    expect(answerOf(stdout).error).toEqual({
      code: 'ERR_BACKEND_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });
});
