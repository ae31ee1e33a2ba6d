/**
 * Recall@1 against batch size, twice: all batch sizes see equally many pairs, and all train for equally long. The
 * second panel is there because the first alone flatters large batches. Uses the framework-free sides, whose numbers
 * equal the model's. Refuses to tune each size: one rule sets the learning rate of all.
 */

import { evaluateModel } from '../evaluate/model-evaluation.js';
import type { Dataset } from '../features/dataset.js';
import type { SweepLog } from '../saved/sweep-log.js';
import { makeSparseSide } from '../train/sparse-side.js';
import { type TrainingConfig, train } from '../train/training.js';

export interface SweepRun {
  panel: 'pairs' | 'time';
  batch: number;
  seed: number;
  steps: number;
  pairs: number;
  /** Wall time of training alone. */
  seconds: number;
  /** On the validation queries, against all candidates. */
  recallAt1: number;
  /** The step at which training stopped because a number was no longer finite. */
  divergedAt?: number;
}

export interface Sweep {
  runs: SweepRun[];
  epochs: number;
  seeds: number;
  /** Seeds that a run without a limit of time would have tried besides. */
  seedsLeftOut: number;
  batches: number[];
  /** Queries each recall is measured on. */
  queries: number;
  learningRate: number;
}

export interface SweepOptions {
  batches: number[];
  epochs: number;
  seeds: number[];
  /** No further seed is begun that, taking as long as the one before, would end later than this. */
  mostSeconds?: number;
  dropout: number;
  warmUp: number;
  threads?: number;
  signal?: AbortSignal;
  /** Runs that it holds are not made again, and each new one is added. */
  log?: SweepLog;
  onRun?: (run: SweepRun) => void;
}

const mostQueries = 1024;
/**
 * One rate for all sizes. In runs of two epochs on the dictionary with one seed, each of 256, 1,024, 4,096 and 16,384
 * came within half a point of its best at this rate, of three to five rates tried between 0.003 and 0.1.
 */
export const sweepLearningRate = 0.05;

export async function sweepBatches(dataset: Dataset, options: SweepOptions): Promise<Sweep> {
  const runs: SweepRun[] = [];
  const batches = [...options.batches].sort((a, b) => b - a);
  const began = performance.now();
  let done = 0;
  for (const seed of options.seeds) {
    const seconds = (performance.now() - began) / 1000;
    if (done > 0 && seconds * (1 + 1 / done) > (options.mostSeconds ?? Infinity)) break;
    const round: SweepRun[] = [];
    for (const batch of batches) {
      const steps = options.epochs * Math.floor(dataset.split.train.length / batch);
      round.push(await runOnce(dataset, options, { panel: 'pairs', batch, seed, steps }));
    }
    // the largest batch sets the time; its own run serves both panels
    const [largest] = round as [SweepRun];
    round.push({ ...largest, panel: 'time' });
    for (const { batch, seconds, steps } of round.slice(1, batches.length)) {
      const affordable = Math.max(1, Math.round((largest.seconds / seconds) * steps));
      round.push(await runOnce(dataset, options, { panel: 'time', batch, seed, steps: affordable }));
    }
    runs.push(...round);
    done++;
  }
  const queries = Math.min(mostQueries, dataset.split.validation.length);
  const { epochs, seeds } = options;
  return {
    runs,
    epochs,
    seeds: done,
    seedsLeftOut: seeds.length - done,
    batches: options.batches,
    queries,
    learningRate: sweepLearningRate,
  };
}

async function runOnce(
  dataset: Dataset,
  options: SweepOptions,
  run: Pick<SweepRun, 'panel' | 'batch' | 'seed' | 'steps'>,
): Promise<SweepRun> {
  const { threads, signal, dropout, warmUp, log } = options;
  const logged = log?.find(run);
  if (logged) return logged;
  const { batch, seed, steps } = run;
  const config: TrainingConfig = {
    batch,
    steps,
    seed,
    dropout,
    warmUp,
    learningRate: sweepLearningRate,
    makeSide: makeSparseSide,
  };
  const began = performance.now();
  const { model, history } = await train(dataset, config, { threads, signal });
  const seconds = (performance.now() - began) / 1000;
  const queries = dataset.split.validation.subarray(0, mostQueries);
  const weights = { left: model.left.weights, right: model.right.weights };
  const { metrics } = await evaluateModel(dataset, weights, queries, { signal });
  model.dispose();
  const done: SweepRun = { ...run, pairs: steps * batch, seconds, recallAt1: metrics.recallAt1 };
  if (history.diverged) done.divergedAt = history.diverged.step;
  log?.add(done);
  options.onRun?.(done);
  return done;
}
