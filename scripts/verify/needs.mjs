/**
 * What a machine may lack. Each function answers null where the machine has the thing, and else the reason for a skip.
 * A suite or a part lists such functions as `needs`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { emulators, runtimes } from '../binaries/runtimes.mjs';
import { missingPackages } from '../mpi/launchers.mjs';

/** nvcc, at the places where cuda/cuda.cmake looks for the program. */
export function nvcc() {
  if (process.env.INFCL_CUDA === 'OFF') return 'INFCL_CUDA=OFF leaves the CUDA kernels out';
  if (spawnSync('nvcc', ['--version']).status === 0) return null;
  const homes = [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'];
  const found = homes.some((home) => home && existsSync(join(home, 'bin', 'nvcc')));
  return found ? null : 'no nvcc: the CUDA kernels can be neither compiled nor tested';
}

/** The headers of zstd, without which CMake builds no emulator. */
export function zstd() {
  const compiler = process.env.CXX ?? 'c++';
  const { status } = spawnSync(compiler, ['-fsyntax-only', '-x', 'c++', '-'], {
    input: '#include <zstd.h>\n',
  });
  return status === 0
    ? null
    : 'no zstd.h, so there is no emulator to run CUDA kernels (Debian: apt-get install libzstd-dev)';
}

/** Linux with glibc on x64, where binaries for this system can be both built and run. */
export function linuxX64() {
  const { platform, arch } = process;
  const glibc = process.report?.getReport().header.glibcVersionRuntime;
  return platform === 'linux' && arch === 'x64' && glibc
    ? null
    : `this machine is ${platform}-${arch}, and the binary is for Linux on x64 with glibc`;
}

/** Launchers of Open MPI and of MPICH, or the right to install Debian's. */
export function aptOrMpi() {
  const missing = missingPackages();
  if (missing.length === 0) return null;
  const mayInstall = spawnSync('apt-get', ['--version']).status === 0 && process.getuid?.() === 0;
  return mayInstall ? null : `no launcher of MPI, and no apt-get as root (Debian: ${missing.join(', ')})`;
}

/** A registry of npm packages, from which suites install tools. */
export function registry() {
  const args = ['view', 'node-gyp-build@4.8.4', 'version', '--fetch-retries=1', '--fetch-timeout=20000'];
  return spawnSync('npm', args).status === 0 ? null : 'no registry of npm packages can be reached';
}

/** What the build of a binary lacks here (scripts/binaries/targets.mjs). */
export const buildsTarget = (target) => () => {
  const lacking = target.missing();
  return lacking.length === 0 ? null : `this machine lacks ${lacking.join('; ')}`;
};

/** What a run of a target's binary lacks here: an emulator, or a runtime for that system. */
export const runsTarget = (target) => () => runtimes[target.name].missing();

/** What a run of a target's programs lacks here, without Node: an emulator. */
export const runsEmulator = (target) => () => emulators[target].missing();
