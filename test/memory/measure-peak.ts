/**
 * Prints, as one line of JSON, how far one loss-with-gradients call raises the peak resident memory of this process.
 * Run it in a process of its own: node -r test/child/register-typescript.cjs measure-peak.ts '{"rows":...}'. Linux
 * only, because it is the kernel that resets (/proc/self/clear_refs) and keeps (VmHWM) the peak.
 */
import { writeFileSync } from 'node:fs';
import { contrastiveLossAndGradSync, type Stats } from '../../lib';
import { statusBytes } from './status-bytes';

export interface PeakRequest {
  rows: number;
  dim: number;
  workspaceBytes?: number;
  threads?: number;
}

export interface PeakAnswer {
  /** Peak during the call minus resident memory before it; gradients that the call allocates are inside. */
  growthBytes: number;
  seconds: number;
  loss: number;
  stats: Stats;
}

/** Rows of length about one, from a linear congruence: not the subject here, so no more than that. */
function features(rows: number, dim: number, seed: number) {
  const data = new Float32Array(rows * dim);
  const scale = Math.sqrt(3 / dim) / 2 ** 31;
  let state = seed;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[at] = state * scale;
  }
  return { data, shape: [rows, dim] as const };
}

function measure({ rows, dim, workspaceBytes, threads }: PeakRequest): PeakAnswer {
  const small = features(64, dim, 3);
  contrastiveLossAndGradSync(small, small, { threads }); // loads the addon, starts the workers
  const queries = features(rows, dim, 1);
  const keys = features(rows, dim, 2);

  writeFileSync('/proc/self/clear_refs', '5'); // VmHWM = VmRSS from here on
  const before = statusBytes('VmRSS');
  const start = performance.now();
  const { loss, stats } = contrastiveLossAndGradSync(queries, keys, { workspaceBytes, threads });
  const seconds = (performance.now() - start) / 1e3;
  return { growthBytes: statusBytes('VmHWM') - before, seconds, loss, stats };
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2]) as PeakRequest)));
