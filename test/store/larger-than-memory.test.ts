/**
 * Features and gradients that do not fit in memory: a child process that may have 128 MiB of memory computes on files
 * of 1 GiB, and gets the bits of arrays. The limit is RLIMIT_DATA of Linux: heap, stacks and private mappings count,
 * mapped files do not. So the test shows that no memory is taken for features. The test says nothing about the speed
 * where the cache of the system is too small for the files.
 */
import { execFile, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from '@swc/core';

const root = join(__dirname, '..', '..');
const mebibyte = 2 ** 20;
const limit = 128 * mebibyte;
/** Key features and key gradients together: eight times the limit. */
const order = { keys: 262_144, queries: 64, dim: 512 };

const hasPrlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
if (!hasPrlimit) console.warn('no prlimit (util-linux, Linux): features larger than memory SKIPPED');

/** The library as JavaScript, beside the addon: the compiler must not run under the limit. */
function compileLibrary(folder: string): string {
  const options = {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  } as const;
  const names = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((file) => file.endsWith('.ts'))) {
    const to = join(folder, 'lib', name.replace(/\.ts$/, '.js'));
    mkdirSync(join(to, '..'), { recursive: true });
    writeFileSync(to, transformSync(readFileSync(join(root, 'lib', name), 'utf8'), options).code);
  }
  for (const name of ['build', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(folder, name));
  return join(folder, 'lib', 'index.js');
}

(hasPrlimit ? describe : describe.skip)('under a limit of 128 MiB', () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-large-'));
    library = compileLibrary(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // biome-ignore lint/suspicious/noExplicitAny: what the child printed
  async function run(how: string, bytes?: number): Promise<any> {
    const child = [join(__dirname, 'children', 'larger-than-memory.cjs'), library];
    // each thread of Node has a stack of 8 MiB: few threads leave more of the limit for the call
    const args = [process.execPath, '--v8-pool-size=1', ...child, JSON.stringify({ how, folder, ...order })];
    if (bytes !== undefined) args.unshift('prlimit', `--data=${bytes}`);
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    const { stdout } = await promisify(execFile)(args[0]!, args.slice(1), { env });
    return JSON.parse(stdout);
  }

  it('losses and gradients have the bits of arrays', async () => {
    expect(2 * order.keys * order.dim * 4).toBe(8 * limit);
    await run('make');
    const { anonymous, bites, ...answer } = await run('store', limit);
    expect(bites).toBe(true);
    expect(anonymous).toBeLessThan(limit);
    expect(answer).toEqual(await run('array'));
  }, 600_000);
});
