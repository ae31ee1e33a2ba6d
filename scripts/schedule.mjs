/**
 * How busy the CPU backend keeps many threads (docs/threads.md). Compiles the core library without CUDA in a build
 * folder of its own, then runs one of two programs:
 *
 *   node scripts/schedule.mjs simulate [features]       the simulator, with costs measured on this machine
 *   node scripts/schedule.mjs prove [threads]...        the real engine with kernels that sleep, against the simulator
 *   node scripts/schedule.mjs build                     compiles both
 */
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = 'build-verify/schedule';
const programs = { simulate: 'schedule', prove: 'schedule_proof' };

/** Ends this process where the program fails, with its exit status. */
function run(program, args, stdio = 'inherit') {
  const { status, error, stdout } = spawnSync(program, args, { cwd: root, stdio, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${stdout ?? ''}schedule: ${program} failed (${error?.message ?? `exit status ${status}`})`);
  process.exit(status ?? 1);
}

function compile(...targets) {
  const quiet = ['ignore', 'pipe', 'inherit'];
  run('cmake', ['-S', '.', '-B', build, '-DINFCL_CUDA=OFF'], quiet);
  run('cmake', ['--build', build, '--parallel', '2', '--target', ...targets], quiet);
}

const [command, ...numbers] = process.argv.slice(2);
const wrong = numbers.find((text) => !/^[1-9]\d{0,4}$/.test(text));
if (wrong !== undefined || !['build', ...Object.keys(programs)].includes(command)) {
  console.error(
    `schedule: expected build, simulate or prove, and then whole numbers, but received ${wrong ?? command ?? 'nothing'}`,
  );
  process.exit(2);
}
if (command === 'build') {
  compile(...Object.values(programs));
} else {
  compile(programs[command]);
  run(join(root, build, programs[command]), numbers);
}
