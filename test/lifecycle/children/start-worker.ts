/** Starts compute-worker.ts with the TypeScript hook that this process runs under. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerOrder } from './compute-worker';

const registerTypescript = join(__dirname, '..', '..', 'child', 'register-typescript.cjs');

export function startWorker(order: WorkerOrder): Worker {
  return new Worker(join(__dirname, 'compute-worker.ts'), {
    workerData: order,
    execArgv: ['-r', registerTypescript],
  });
}

export async function solveInWorker(numbers: number[]): Promise<string[]> {
  const worker = startWorker({ kind: 'solve', numbers });
  // the worker may be gone before its message has been read
  const [[digests]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return digests as string[];
}
