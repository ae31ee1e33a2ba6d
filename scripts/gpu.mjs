/**
 * What a machine with a GPU runs: `node scripts/gpu.mjs check|bench [arguments]` builds the native program with CMake in
 * build-gpu, then runs it with the arguments; `bench` adds PyTorch's figures where python3 has it (gpu-bench.mjs).
 * The programs need no Node: docs/gpu.md has the same as cmake commands.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bench } from './gpu-bench.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = join(root, 'build-gpu');

function fail(text) {
  console.error(`gpu: ${text}`);
  process.exit(1);
}

function cmake(...args) {
  const { status, error } = spawnSync('cmake', args, { cwd: root, stdio: 'inherit' });
  if (error) fail(`cmake does not start (${error.message}): install 3.18 or newer`);
  if (status !== 0) fail(`cmake ${args.join(' ')} failed, see above`);
}

/** Path of a program of bench/gpu, built. */
function buildProgram(name) {
  cmake('-S', '.', '-B', build, '-DINFCL_CUDA=ON');
  cmake('--build', build, '--target', name, '--parallel', String(availableParallelism()));
  return join(build, name);
}

const [command, ...args] = process.argv.slice(2);
if (command === 'check') {
  const { status } = spawnSync(buildProgram('gpu-check'), args, { stdio: 'inherit' });
  process.exit(status ?? 1);
} else if (command === 'bench') {
  process.exit(bench(buildProgram('gpu-bench'), args));
} else {
  fail('usage: node scripts/gpu.mjs check|bench [arguments]');
}
