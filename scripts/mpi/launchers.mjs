/** Starts programs as ranks, under the launcher of Open MPI or of MPICH, and reads what the ranks say. */
import { spawn, spawnSync } from 'node:child_process';

/** The watchdog of a job. A rank that hangs is a failure, never a slow test. */
const longestSeconds = 120;

export const launchers = {
  'Open MPI': {
    program: 'mpirun.openmpi',
    package: 'openmpi-bin',
    library: 'libmpi.so.40',
    // more ranks than processors
    args: (ranks) => ['--oversubscribe', '-n', String(ranks)],
    env: { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
  },
  MPICH: {
    program: 'mpiexec.mpich',
    package: 'mpich',
    library: 'libmpich.so.12',
    args: (ranks) => ['-n', String(ranks)],
    env: {},
  },
};

/** Debian's packages that are missing. */
export function missingPackages() {
  return Object.values(launchers)
    .filter(({ program }) => spawnSync(program, ['--version']).error)
    .map((launcher) => launcher.package);
}

/**
 * Runs `command` on `ranks` ranks. Resolves to the lines of the ranks, all output, the exit status, and whether the
 * watchdog had to end the job.
 */
export function runRanks(name, ranks, command, { cwd, env = {}, seconds = longestSeconds }) {
  const launcher = launchers[name];
  return runJob([launcher.program, ...launcher.args(ranks), ...command], {
    cwd,
    env: { ...launcher.env, ...env },
    seconds,
  });
}

/** The same without a launcher. */
export function runJob([program, ...args], { cwd, env = {}, seconds = longestSeconds }) {
  const begin = performance.now();
  // a process group of its own, so that the watchdog reaches all ranks
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  let hung = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes.toString('latin1');
    });
  }
  const watchdog = setTimeout(() => {
    hung = true;
    process.kill(-child.pid, 'SIGKILL');
  }, seconds * 1e3);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    const settle = () => {
      clearTimeout(watchdog);
      const lines = [...output.matchAll(/RANK (\{.*\})/g)].map(([, json]) => JSON.parse(json));
      const { exitCode, signalCode } = child;
      const seconds = (endedAt - begin) / 1e3;
      resolve({ lines, output, status: exitCode ?? signalCode, hung, seconds });
    };
    let endedAt = 0;
    child.on('exit', () => {
      endedAt = performance.now();
      // a daemon of the launcher on a host that is cut off may hold the pipes for ever
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, 2e3).unref();
    });
    child.on('close', settle);
  });
}
