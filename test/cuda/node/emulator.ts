/**
 * The path of the emulated driver, and whether the addon can use it. Tests of the CUDA backend run on it in
 * child processes. Where they cannot, their names say so.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendInfo } from '../../../lib';

const root = join(__dirname, '..', '..', '..');
const library = 'libinfcl_cuda_emulator.so';
export const registerTypescript = join(root, 'test', 'child', 'register-typescript.cjs');

function findLibrary(): string | undefined {
  if (process.env.INFCL_CUDA_LIBRARY) return process.env.INFCL_CUDA_LIBRARY;
  try {
    const found = readdirSync(join(root, 'build'), { recursive: true, encoding: 'utf8' });
    const path = found.find((file) => file.endsWith(library));
    return path && join(root, 'build', path);
  } catch {
    return undefined; // no build folder
  }
}

const script = `
  const { backends } = require('./lib');
  console.log(JSON.stringify(backends().find(({ name }) => name === 'cuda')));
`;

function printed(source: string, env: NodeJS.ProcessEnv): string {
  const args = ['-r', registerTypescript, '-e', source];
  return execFileSync(process.execPath, args, { env, cwd: root, encoding: 'utf8' }).trim();
}

/** The answer of backends() for 'cuda' in a process that looks for its driver there. */
export function cudaThrough(env: NodeJS.ProcessEnv): BackendInfo {
  return JSON.parse(printed(script, env));
}

export interface EmulatedDevice {
  name: string;
  env: NodeJS.ProcessEnv;
  /** The value of `stats.isa` on the emulator. */
  isa: RegExp;
}

interface Emulator {
  env: NodeJS.ProcessEnv;
  devices: EmulatedDevice[];
  /** Why Hopper's kernels are not among what is tested. */
  withoutHopper?: string;
}

const oneCall = `
  const features = { data: Float32Array.of(1, 2), shape: [2, 1] };
  const { contrastiveLossSync } = require('./lib');
  try {
    contrastiveLossSync(features, features, { backend: 'cuda' });
  } catch ({ message }) {
    console.log(message);
  }
`;

/** The environments in which backend 'cuda' runs, or why it does not. */
export function findEmulator(): Emulator | { reason: string } {
  const path = findLibrary();
  if (!path) return { reason: `${library} was not built` };
  const env = { ...process.env, INFCL_CUDA_LIBRARY: path, INFCL_EMULATOR_DEVICES: '2' };
  const { available, reason } = cudaThrough(env);
  if (!available) return { reason: reason! };
  const devices = [{ name: 'sm_80', env, isa: /^sm_80 ./ }];
  const hopper = { ...env, INFCL_EMULATOR_SM: '90', INFCL_CUDA_PATH: 'sm90' };
  const withoutHopper = printed(oneCall, hopper);
  if (withoutHopper) return { env, devices, withoutHopper };
  devices.push({ name: 'sm_90a', env: hopper, isa: /^sm_90a ./ });
  return { env, devices };
}
