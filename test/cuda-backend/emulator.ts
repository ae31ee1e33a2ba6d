/**
 * Where the emulated driver is, and whether the addon can use it: tests of the CUDA backend run on it in child
 * processes, and say so by name where they cannot.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendInfo } from '../../lib';

const root = join(__dirname, '..', '..');
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

/** What backends() says of 'cuda' in a process that looks for its driver there. */
export function cudaThrough(env: NodeJS.ProcessEnv): BackendInfo {
  const args = ['-r', registerTypescript, '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { env, cwd: root, encoding: 'utf8' }));
}

/** The environment in which backend 'cuda' runs, or why it does not. */
export function findEmulator(): { env: NodeJS.ProcessEnv } | { reason: string } {
  const path = findLibrary();
  if (!path) return { reason: `${library} was not built` };
  const env = { ...process.env, INFCL_CUDA_LIBRARY: path, INFCL_EMULATOR_DEVICES: '2' };
  const { available, reason } = cudaThrough(env);
  return available ? { env } : { reason: reason! };
}
