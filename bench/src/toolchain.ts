/**
 * Compiles the native yardsticks (bench/native) with g++ into build/, once per change of source. Tools
 * missing on this machine are named with the command that installs them; this file installs nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchFolder = join(dirname(fileURLToPath(import.meta.url)), '..');
export const projectFolder = join(benchFolder, '..');

/** Thrown when a yardstick cannot be had here: the case is skipped by this message, not failed. */
export class Unavailable extends Error {}

export interface NativeOptions {
  libraries?: string[];
  /** The packages to install when it does not compile. */
  install?: string;
  /**
   * The project's own code that it measures, relative to csrc, with that code's flags. Always compiled anew.
   */
  core?: string[];
  flags?: string[];
}

export function compileNative(
  name: string,
  { libraries = [], install = 'g++', core = [], flags = [] }: NativeOptions = {},
): string {
  const sources = join(benchFolder, 'native');
  const source = join(sources, `${name}.cpp`);
  const program = join(benchFolder, 'build', name);
  const newest = Math.max(...readdirSync(sources).map((file) => statSync(join(sources, file)).mtimeMs));
  const isFresh = existsSync(program) && statSync(program).mtimeMs > newest;
  if (isFresh && core.length === 0) return program;
  mkdirSync(dirname(program), { recursive: true });
  const csrc = join(projectFolder, 'csrc');
  const args = [
    '-O3',
    '-std=c++17',
    '-pthread',
    ...flags,
    `-I${csrc}`,
    source,
    ...core.map((file) => join(csrc, file)),
    '-o',
    program,
    ...libraries.map((library) => `-l${library}`),
  ];
  const { status, error, stderr } = spawnSync('g++', args, { encoding: 'utf8' });
  if (error) throw new Unavailable(`${name} needs a C++ compiler: sudo apt-get install g++`);
  if (status !== 0) {
    const cause = stderr.split('\n').find((line) => /error|cannot find/.test(line)) ?? stderr;
    throw new Unavailable(`${name} did not compile; sudo apt-get install ${install} (${cause.trim()})`);
  }
  return program;
}

/** The first Python that has PyTorch. */
export function findTorchPython(): string {
  for (const python of ['/usr/bin/python3', 'python3']) {
    if (spawnSync(python, ['-c', 'import torch']).status === 0) return python;
  }
  throw new Unavailable('dense PyTorch is not installed: sudo apt-get install python3-torch');
}

/** ONNX Runtime is looked for from the folder of this file: plain `npm install` leaves the package out for its size. */
export const hostsManifest = join(projectFolder, 'test', 'hosts', 'package.json');

export function findOnnxRuntime(manifest = hostsManifest): void {
  findHost('onnxruntime-node', 'ONNX Runtime', manifest);
}

export function findUsearch(manifest = hostsManifest): void {
  findHost('usearch', 'usearch', manifest);
}

function findHost(name: string, title: string, manifest: string): void {
  try {
    createRequire(manifest).resolve(name);
  } catch {
    throw new Unavailable(`${title} is not installed: npm run hosts`);
  }
}
