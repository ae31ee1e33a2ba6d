/**
 * Measures one loss at one batch size, in a process of its own so that the peak of memory is its alone: features are
 * made, memory is noted, the call runs up to three times, the peak is noted. Prints one line of JSON. Started by `loss-cost.ts`.
 */

import { contrastiveLossAndGrad } from 'infcl';
import { Random } from '../random.js';
import { startJax } from '../train/jax-side.js';
import { denseLossAndGrad } from './dense-loss.js';
import type { ChildRequest, ChildResponse } from './loss-cost.js';
import { startPeakMeter } from './peak-memory.js';

const request = JSON.parse(process.argv[2]!) as ChildRequest;
const { kind, batch, dim, threads } = request;
const scale = 20;

const random = new Random(1);
const queries = unitRows();
const keys = unitRows();
if (kind === 'dense') await startJax();

// a small call first: code is loaded and compiled, threads are running
await call(queries.subarray(0, 64 * dim), keys.subarray(0, 64 * dim));
const meter = startPeakMeter();

const milliseconds: number[] = [];
let loss = 0;
const began = performance.now();
do {
  const start = performance.now();
  loss = await call(queries, keys);
  milliseconds.push(performance.now() - start);
} while (milliseconds.length < 3 && performance.now() - began < 1000);

const peakBytes = meter.growthBytes();
milliseconds.sort((a, b) => a - b);
const response: ChildResponse = {
  milliseconds: milliseconds[Math.floor(milliseconds.length / 2)]!,
  peakBytes,
  beforeBytes: meter.beforeBytes,
  loss,
};
process.stdout.write(`${JSON.stringify(response)}\n`);

async function call(q: Float32Array, k: Float32Array): Promise<number> {
  if (kind === 'dense') return (await denseLossAndGrad(q, k, dim, scale)).loss;
  const shape = [q.length / dim, dim] as const;
  const result = await contrastiveLossAndGrad(
    { data: q, shape },
    { data: k, shape },
    { logitScale: scale, threads },
  );
  return result.loss;
}

/**
 * Float32 [batch x dim], rows of length 1. Made in place: garbage resident now and collected during the call would
 * hide the memory that the call takes.
 */
function unitRows(): Float32Array {
  const rows = new Float32Array(batch * dim);
  for (let i = 0; i < rows.length; i++) rows[i] = random.uniform() - 0.5;
  for (let i = 0; i < batch; i++) {
    const row = rows.subarray(i * dim, (i + 1) * dim);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    row.forEach((value, d) => {
      row[d] = value / norm;
    });
  }
  return rows;
}
