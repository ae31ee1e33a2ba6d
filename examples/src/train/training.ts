/**
 * The training run: schedule, batches, learning curve, checkpoints, resuming. Refuses to print or to listen to
 * signals; it reports each step to its caller and stops when told to, with a checkpoint of the last whole step.
 */

import type { CostReport } from 'infcl';
import type { Dataset } from '../features/dataset.js';
import { learningRateFactor } from './adamw.js';
import { Batches } from './batches.js';
import { DualEncoder, type StepOptions } from './dual-encoder.js';
import type { MakeSide } from './side.js';

export interface TrainingConfig {
  batch: number;
  steps: number;
  seed: number;
  /** Peak, reached after the warm-up. */
  learningRate: number;
  /** Share of steps of linear warm-up. */
  warmUp: number;
  dropout: number;
  /** Which code computes the two sides. */
  makeSide: MakeSide;
}

/** Of AdamW, for any batch size; see `measure/sweep.ts`. */
export const peakLearningRate = 0.025;

export interface StepRecord {
  /** Counted from 1. */
  step: number;
  loss: number;
  /** Share of queries of the batch whose own key ranks first among the batch's keys. */
  accuracy: number;
  scale: number;
  learningRate: number;
  /** Wall time of the step, optimiser included. */
  seconds: number;
  cost: CostReport;
}

export interface CurvePoint {
  step: number;
  recallAt1: number;
}

export interface History {
  steps: StepRecord[];
  curve: CurvePoint[];
}

export interface TrainingHooks {
  threads?: number;
  signal?: AbortSignal;
  onProgress?: StepOptions['onProgress'];
  /** Told once how many steps were done before, when resuming. */
  onStart?: (done: number) => void;
  onStep?: (record: StepRecord) => void;
  /** Where to keep the checkpoint; none without it. */
  checkpoint?: { path: string; resume: boolean; config: Record<string, string | number> };
  /** Measures recall@1 on the validation queries, at each of these steps. */
  validate?: { at: ReadonlySet<number>; recallAt1: (model: DualEncoder) => Promise<number> };
}

/** Rejects with `signal.reason` when aborted, after saving. The caller disposes of the model. */
export async function train(
  dataset: Dataset,
  config: TrainingConfig,
  hooks: TrainingHooks = {},
): Promise<{ model: DualEncoder; history: History }> {
  const { batch, steps, seed } = config;
  const batches = new Batches(dataset.split.train, batch, seed, dataset.left);
  const warmUp = Math.max(1, Math.round(config.warmUp * steps));
  const model = new DualEncoder(dataset, config);
  let history: History = { steps: [], curve: [] };
  let done = 0;
  const { checkpoint, validate, signal } = hooks;
  if (checkpoint?.resume) {
    const found = model.restore(checkpoint.path, checkpoint.config);
    done = found.step;
    history = found.history as History;
  }
  hooks.onStart?.(done);
  const save = () => {
    if (checkpoint) model.save(checkpoint.path, { step: done, config: checkpoint.config, history });
  };
  try {
    while (done < steps) {
      signal?.throwIfAborted();
      const learningRate = config.learningRate * learningRateFactor(done, steps, warmUp);
      const began = performance.now();
      const { scale } = model;
      const { threads, onProgress } = hooks;
      const result = await model.step(batches.at(done), { learningRate, threads, signal, onProgress });
      done++;
      const seconds = (performance.now() - began) / 1000;
      const { loss, accuracy, cost } = result;
      const record = { step: done, loss, accuracy, scale, learningRate, seconds, cost };
      history.steps.push(record);
      hooks.onStep?.(record);
      if (validate?.at.has(done)) {
        history.curve.push({ step: done, recallAt1: await validate.recallAt1(model) });
      }
      if (done % batches.perEpoch === 0 || done === steps) save();
    }
  } catch (error) {
    save();
    model.dispose();
    throw error;
  }
  return { model, history };
}
