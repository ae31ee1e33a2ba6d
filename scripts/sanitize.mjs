/**
 * Builds the core library, its native tests and the fuzz target under sanitizers and runs them: `node
 * scripts/sanitize.mjs [address] [address-cpu] [thread] [options]`, by default address and thread. Each has a build
 * folder of its own, so that a second run compiles only what has changed. Suppresses nothing: a report is a
 * failure.
 *
 *   --only test, --except test    chooses among the tests, by name; may be given more than once
 *   --build                       compiles and runs nothing
 *   --cases n, --first seed       how many cases the fuzz target makes, and from which seed on
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
  // the CPU backend alone: neither the kernels nor the emulator are compiled, and -O1 takes half the time of -O3
  'address-cpu': {
    flags: 'address,undefined',
    cases: 10_000,
    cmake: ['-DINFCL_CUDA=OFF', '-DINFCL_OPTIMIZE=-O1'],
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

const emulator = 'emulator/libinfcl_cuda_emulator.so';

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

// Tests that the build may have: one a source file.
const known = [
  ['test/native', ''],
  ['test/cuda/engine', 'cuda_'],
  ['test/fuzz', ''],
].flatMap(([folder, prefix]) =>
  readdirSync(join(root, folder))
    .filter((file) => /_(test|fuzz)\.cpp$/.test(file))
    .map((file) => prefix + file.replace('.cpp', '')),
);

// Tests that take longer than all others together: their parts run side by side.
const divided = ['engine_test'];

// The runs of a program that make up a test.
function runsOf(build, test, { cases, first }) {
  const program = join(build, test);
  if (test.endsWith('_fuzz')) return [{ name: test, program, args: [String(cases), String(first)] }];
  if (!divided.includes(test)) return [{ name: test, program, args: [] }];
  const { status, stdout } = spawnSync(program, ['--list'], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) fail(program, ['--list'], `exit status ${status}`);
  return stdout
    .trim()
    .split('\n')
    .map((part) => ({ name: `${test} ${part}`, program, args: ['all', part] }));
}

async function runTests(build, tests, options) {
  const library = [join(root, build, emulator)].find(existsSync);
  const env = library ? { ...environment, INFCL_CUDA_LIBRARY: library } : environment;
  const waiting = tests.flatMap((test) => runsOf(build, test, options));
  const times = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      times.push(`${next.name} ${await runQuietly(next.program, next.args, env)} s`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return times.join(', ');
}

async function sanitize(name, options) {
  const { only, except } = options;
  const build = `build-sanitize-${name}`;
  const { flags, cmake, cases } = sanitizers[name];
  const configured = existsSync(join(root, build, 'CMakeCache.txt'));
  if (!configured) run('cmake', ['-B', build, `-DINFCL_SANITIZE=${flags}`, ...cmake]);
  console.log(`sanitize: compiling with -fsanitize=${flags}`);
  const targets = only.length > 0 ? ['--target', ...only] : [];
  const built = run('cmake', ['--build', build, '--parallel', String(jobs), ...targets]);
  if (options.build) return `${flags}: compiled in ${built} s`;
  const chosen = only.length > 0 ? only : known.filter((test) => existsSync(join(root, build, test)));
  const tests = chosen.filter((test) => !except.includes(test));
  if (tests.length === 0) throw new Error(`no tests in ${build}`);
  console.log(`sanitize: tests with -fsanitize=${flags}`);
  const ran = await runTests(build, tests, { cases: options.cases ?? cases, first: options.first });
  return `${flags}: compiled in ${built} s; nothing found by ${ran}`;
}

function refuse(text) {
  console.error(`sanitize: ${text}`);
  process.exit(2);
}

function readCommandLine() {
  const names = { type: 'string', multiple: true, default: [] };
  const number = { type: 'string' };
  const options = { only: names, except: names, build: { type: 'boolean' }, cases: number, first: number };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(`${error.message}; the head of scripts/sanitize.mjs lists the options`);
  }
}

const { values, positionals } = readCommandLine();
const chosen = positionals.length > 0 ? positionals : ['address', 'thread'];
const unknown = chosen.find((name) => !Object.hasOwn(sanitizers, name));
if (unknown) refuse(`unknown ${unknown}, expected ${Object.keys(sanitizers).join(' or ')}`);
const stranger = [...values.only, ...values.except].find((name) => !known.includes(name));
if (stranger) refuse(`unknown test ${stranger}, expected some of: ${known.join(', ')}`);
for (const name of ['cases', 'first']) {
  if (!/^\d+$/.test(values[name] ?? '0'))
    refuse(`--${name} takes a whole number but received ${values[name]}`);
}
const lines = [];
for (const name of chosen) lines.push(await sanitize(name, { first: '0', ...values }));
console.log(`\n${lines.join('\n')}`);
