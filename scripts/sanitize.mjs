/**
 * Builds the core library, its native tests and the fuzz target under sanitizers and runs them:
 * `node scripts/sanitize.mjs [address] [thread] [--cases n] [--first seed]`, by default both. Each has a build folder
 * of its own, so that a second run compiles only what has changed. Suppresses nothing: a report is a failure.
 *
 * Not the addon: Node itself is not built with sanitizers, and test/lifecycle runs against it.
 */
import { spawnSync } from 'node:child_process';
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

function run(program, args, library) {
  const start = performance.now();
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    env: library ? { ...environment, INFCL_CUDA_LIBRARY: library } : environment,
    stdio: 'inherit',
  });
  if (status !== 0) {
    const how = error?.message ?? signal ?? `exit status ${status}`;
    console.error(`sanitize: ${program} ${args.join(' ')} failed (${how})`);
    process.exit(1);
  }
  return ((performance.now() - start) / 1e3).toFixed(1);
}

function sanitize(name, cases, first) {
  const build = `build-sanitize-${name}`;
  const { flags, cmake } = sanitizers[name];
  const configured = existsSync(join(root, build, 'CMakeCache.txt'));
  if (!configured) run('cmake', ['-B', build, `-DINFCL_SANITIZE=${flags}`, ...cmake]);
  console.log(`sanitize: compiling with -fsanitize=${flags}`);
  const built = run('cmake', ['--build', build, '--parallel', '2']);
  const tests = readdirSync(join(root, build)).filter((file) => /_(test|fuzz)$/.test(file));
  if (tests.length === 0) throw new Error(`no tests in ${build}`);
  const library = [join(root, build, emulator)].find(existsSync);
  const times = tests.map((test) => {
    console.log(`sanitize: ${test} with -fsanitize=${flags}`);
    const args = test.endsWith('_fuzz') ? [String(cases), String(first)] : [];
    return `${test} ${run(join(build, test), args, library)} s`;
  });
  return `${flags}: compiled in ${built} s; ${times.join(', ')}`;
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
const lines = chosen.map((name) => sanitize(name, values.cases ?? sanitizers[name].cases, values.first));
console.log(`\nnothing found\n${lines.join('\n')}`);
