/**
 * The environment of a process belongs to its JavaScript, which may change it at any time. What must hold: native code
 * reads no variable while calls run, takes those of the thread that loaded it, and does without Node's `process`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ChurnAnswer } from './children/environment-churn';
import type { ForeignProcessAnswer, ForeignProcessOrder } from './children/foreign-process';
import type { IsaAnswer } from './children/isa-of-thread';
import { answerOf, rounds } from './run-child';

const root = join(__dirname, '..', '..');

// The first makes a list of variables that moved unreadable, the second gives its memory back to the system.
it.each([{ MALLOC_PERTURB_: '90' }, { MALLOC_MMAP_THRESHOLD_: '4096' }])(
  'variables that are added while calls run do not end the process, %j',
  async (env) => {
    const order = { milliseconds: rounds(2500) };
    const answer = await answerOf<ChurnAnswer>('environment-churn.ts', order, { env });
    expect(answer.calls).toBeGreaterThan(100);
    expect(answer.variables).toBeGreaterThan(100);
  },
);

it('native code calls getenv in one place only, which the addon does not need', () => {
  const callers = (name: string) =>
    ['csrc', 'cuda'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((file) => `${folder}/${file}`)
        .filter((file) => statSync(join(root, file)).isFile())
        .filter((file) => readFileSync(join(root, file), 'utf8').includes(`${name}(`))
        .sort(),
    );
  expect(callers('getenv')).toEqual(['csrc/core/settings.cpp']);
  expect(callers('settings_from_environment')).toEqual([
    'csrc/binding/read_settings.cpp', // where there is no process.env, on the environment's own thread
    'csrc/core/settings.cpp',
    'csrc/core/settings.h',
    'cuda/driver/driver.cpp', // for programs without the addon, which names the library before
  ]);
});

it('INFCL_ISA is the value of when the addon was loaded, in each thread its own', async () => {
  const answer = await answerOf<IsaAnswer>('isa-of-thread.ts', null, { env: { INFCL_ISA: 'scalar' } });
  const { fastest } = answer;
  expect(answer).toEqual({ before: 'scalar', after: 'scalar', inWorker: fastest, fastest });
});

describe('a `process` that is not of Node', () => {
  const kinds: ForeignProcessOrder['kind'][] = ['none', 'empty', 'without versions', 'throwing'];

  it.each(kinds)('%s, once the addon is loaded: the call does not need it', async (kind) => {
    const answer = await answerOf<ForeignProcessAnswer>('foreign-process.ts', { kind, loaded: true });
    expect(answer).toEqual({ loss: expect.any(Number) });
  });

  it.each(kinds)('%s, before the addon is loaded: a result, or an error with a code', async (kind) => {
    const answer = await answerOf<ForeignProcessAnswer>('foreign-process.ts', { kind, loaded: false });
    if (answer.loss === undefined) expect(answer.code).toBe('ERR_BACKEND_UNAVAILABLE');
    else expect(answer).toEqual({ loss: expect.any(Number) });
  });
});
