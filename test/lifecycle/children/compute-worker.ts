/**
 * A worker thread that computes numbered problems, by promise and blocking in turn, and posts their digests; or, told
 * to be a victim, keeps a large call running until somebody terminates it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { contrastiveLossAndGrad, contrastiveLossAndGradSync } from '../../../lib';
import { digest, features, problem, solve } from '../problems';

export type WorkerOrder =
  | { kind: 'solve'; numbers: number[] }
  | { kind: 'victim'; rows: number; dim: number; how: 'async' | 'queued' | 'sync' };

async function solveAll(numbers: number[]): Promise<void> {
  const digests: string[] = [];
  for (const number of numbers) {
    if (number % 2 === 0) {
      digests.push(solve(number));
      continue;
    }
    const { queries, keys, options } = problem(number);
    digests.push(digest(await contrastiveLossAndGrad(queries, keys, options)));
  }
  parentPort!.postMessage(digests);
}

async function run(order: WorkerOrder): Promise<void> {
  if (order.kind === 'solve') return solveAll(order.numbers);
  const queries = features(order.rows, order.dim, 1);
  const keys = features(order.rows, order.dim, 2);
  parentPort!.postMessage('running');
  for (;;) {
    if (order.how === 'sync') contrastiveLossAndGradSync(queries, keys);
    else {
      const calls = Array.from({ length: order.how === 'queued' ? 20 : 1 }, () =>
        contrastiveLossAndGrad(queries, keys),
      );
      await Promise.all(calls);
    }
  }
}

void run(workerData as WorkerOrder);
