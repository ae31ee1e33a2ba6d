/**
 * What one loss with gradients costs as the batch grows: milliseconds and growth of resident memory, ours beside
 * the dense b x b loss in jax-js, each size in a child process. Stops the dense one before it would take 2 GB, and
 * either before a size would take too long, and says which.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { breathe } from '../breathe.js';

export interface ChildRequest {
  kind: 'ours' | 'dense';
  batch: number;
  dim: number;
  threads?: number;
}

export interface ChildResponse {
  /** Median of up to three calls. */
  milliseconds: number;
  /** Growth of the process's peak resident memory over what it held before the call. */
  peakBytes: number;
  /** Resident memory of the process before the call: code, runtime, inputs. */
  beforeBytes: number;
  loss: number;
}

export interface CostPoint extends ChildResponse {
  kind: ChildRequest['kind'];
  batch: number;
}

export interface LossCost {
  dim: number;
  points: CostPoint[];
  /** Why each series ends where it does. */
  ends: { kind: ChildRequest['kind']; reason: string }[];
}

export interface LossCostOptions {
  dim: number;
  batches: readonly number[];
  /** A size that would take longer, going by the size before, is left out. */
  mostSeconds: number;
  /** Path of the compiled `loss-child.js`. */
  child: string;
  threads?: number;
  signal?: AbortSignal;
}

/** Limit of the whole process. */
const mostDenseBytes = 2e9;

export async function measureLossCost(options: LossCostOptions): Promise<LossCost> {
  const cost: LossCost = { dim: options.dim, points: [], ends: [] };
  for (const kind of ['ours', 'dense'] as const) await measureSeries(kind, options, cost);
  return cost;
}

async function measureSeries(
  kind: ChildRequest['kind'],
  options: LossCostOptions,
  cost: LossCost,
): Promise<void> {
  const { dim, threads, child, signal, mostSeconds, batches } = options;
  let last: CostPoint | undefined;
  for (const batch of batches) {
    const growth = last === undefined ? 0 : (batch / last.batch) ** 2;
    const bytes = growth * (last?.peakBytes ?? 0) + (last?.beforeBytes ?? 0);
    const seconds = (growth * (last?.milliseconds ?? 0)) / 1000;
    if (kind === 'dense' && bytes > mostDenseBytes) {
      const reason = `at ${batch} its process would take about ${(bytes / 1e9).toFixed(2)} GB, more than the 2 GB allowed`;
      cost.ends.push({ kind, reason });
      return;
    }
    if (seconds > mostSeconds) {
      const reason = `at ${batch} it would take about ${seconds.toFixed(0)} s, more than the ${mostSeconds} s allowed`;
      cost.ends.push({ kind, reason });
      return;
    }
    last = { kind, batch, ...(await runChild(child, { kind, batch, dim, threads }, signal)) };
    cost.points.push(last);
  }
  cost.ends.push({ kind, reason: `${batches.at(-1)} is the largest size of this run` });
}

async function runChild(path: string, request: ChildRequest, signal?: AbortSignal): Promise<ChildResponse> {
  const args = [path, JSON.stringify(request)];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
    return JSON.parse(stdout) as ChildResponse;
  } catch (error) {
    // a terminal sends Ctrl-C to both processes, and the end of the child may be heard first
    if ((error as { signal?: unknown }).signal === 'SIGINT') await breathe(signal);
    signal?.throwIfAborted();
    throw error;
  }
}
