/**
 * Builds the core library, its native tests and the fuzz target under sanitizers and runs them:
 * `node scripts/sanitize.mjs [address] [thread] [--cases n] [--first seed]`, by default both. Each has a build folder
 * of its own, so that a second run compiles only what has changed. Suppresses nothing: a report is a failure.
 *
 * Not the addon: Node itself is not built with sanitizers, and test/lifecycle runs against it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const sanitizers = {
  // the CUDA backend on the emulator, which runs PTX
  address: {
    flags: 'address,undefined',
    cases: 10_000,
    cmake: ['-DINFCL_CUDA_TARGETS=compute_80;compute_90a'],
  },
  // each memory access costs ten, so fewer cases; and no emulator, whose device is one thread
  thread: { flags: 'thread', cases: 2000, cmake: ['-DINFCL_CUDA=OFF'] },
};

// Undefined behaviour would only be printed; the others end the process by themselves.
const environment = {
  ...process.env,
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};

const emulator = 'test/emulator/libinfcl_cuda_emulator.so';

const jobs = 2;
const running = new Set();

function fail(program, args, how) {
  console.error(`sanitize: ${program} ${args.join(' ')} failed (${how})`);
  for (const child of running) child.kill();
  process.exit(1);
}

const secondsSince = (start) => ((performance.now() - start) / 1e3).toFixed(1);

function run(program, args) {
  const start = performance.now();
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  if (status !== 0) fail(program, args, error?.message ?? signal ?? `exit status ${status}`);
  return secondsSince(start);
}

// Prints what the program has said once it ends, since others run beside it.
async function runQuietly(program, args, env) {
  const start = performance.now();
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(data));
  const [status, signal] = await once(child, 'close');
  running.delete(child);
  process.stdout.write(`sanitize: ${program}\n${Buffer.concat(said)}`);
  if (status !== 0) fail(program, args, signal ?? `exit status ${status}`);
  return secondsSince(start);
}

async function runTests(build, cases, first) {
  const tests = readdirSync(join(root, build)).filter((file) => /_(test|fuzz)$/.test(file));
  if (tests.length === 0) throw new Error(`no tests in ${build}`);
  const library = [join(root, build, emulator)].find(existsSync);
  const env = library ? { ...environment, INFCL_CUDA_LIBRARY: library } : environment;
  const waiting = [...tests];
  const times = {};
  const work = async () => {
    for (let test = waiting.shift(); test; test = waiting.shift()) {
      const args = test.endsWith('_fuzz') ? [String(cases), String(first)] : [];
      times[test] = await runQuietly(join(build, test), args, env);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return tests.map((test) => `${test} ${times[test]} s`).join(', ');
}

async function sanitize(name, cases, first) {
  const build = `build-sanitize-${name}`;
  const { flags, cmake } = sanitizers[name];
  const configured = existsSync(join(root, build, 'CMakeCache.txt'));
  if (!configured) run('cmake', ['-B', build, `-DINFCL_SANITIZE=${flags}`, ...cmake]);
  console.log(`sanitize: compiling with -fsanitize=${flags}`);
  const built = run('cmake', ['--build', build, '--parallel', String(jobs)]);
  console.log(`sanitize: tests with -fsanitize=${flags}`);
  return `${flags}: compiled in ${built} s; ${await runTests(build, cases, first)}`;
}

const { values, positionals } = parseArgs({
  options: { cases: { type: 'string' }, first: { type: 'string', default: '0' } },
  allowPositionals: true,
});
const chosen = positionals.length > 0 ? positionals : Object.keys(sanitizers);
const unknown = chosen.find((name) => !Object.hasOwn(sanitizers, name));
if (unknown) {
  console.error(`sanitize: unknown ${unknown}, expected ${Object.keys(sanitizers).join(' or ')}`);
  process.exit(1);
}
const lines = [];
for (const name of chosen)
  lines.push(await sanitize(name, values.cases ?? sanitizers[name].cases, values.first));
console.log(`\nnothing found\n${lines.join('\n')}`);
