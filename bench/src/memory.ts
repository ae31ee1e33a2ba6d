/**
 * Peak memory and seconds of one call, in a fresh process each time. The measuring script is the test's
 * own (test/memory/measure-peak.ts, run from source), so that bench and test can never disagree on what
 * is measured.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stats } from 'infcl';
import { projectFolder, Unavailable } from './toolchain.js';

export const mebibyte = 2 ** 20;

export interface PeakRequest {
  rows: number;
  dim: number;
  workspaceBytes?: number;
  threads?: number;
}

export interface PeakAnswer {
  growthBytes: number;
  seconds: number;
  loss: number;
  stats: Stats;
}

export async function measurePeak(request: PeakRequest): Promise<PeakAnswer> {
  if (process.platform !== 'linux')
    throw new Unavailable('peak memory is read from /proc, which only Linux has');
  const test = join(projectFolder, 'test');
  const script = join(test, 'memory', 'measure-peak.ts');
  const args = ['-r', join(test, 'child', 'register-typescript.cjs'), script, JSON.stringify(request)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as PeakAnswer;
}
