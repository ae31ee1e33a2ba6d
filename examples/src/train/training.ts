/**
 * The training run: schedule, batches, learning curve, checkpoints, resuming. Refuses to print or to listen to
 * signals; it reports each step to its caller and stops when told to, with a checkpoint of the last whole step.
 */

import type { CostReport } from 'infcl';
import { OutputError } from '../errors.js';
import type { Dataset } from '../features/dataset.js';
import type { RunSettings } from '../saved/same-settings.js';
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

/** Learning rate of AdamW, for any batch size; see `measure/sweep.ts`. */
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

/** Where training stopped because a number was no longer finite. */
export interface Divergence {
  /** The step that failed, counted from 1. */
  step: number;
  /** What was not finite, as the end of a sentence. */
  what: string;
}

export interface History {
  /** Whole steps with finite numbers only. */
  steps: StepRecord[];
  curve: CurvePoint[];
  diverged?: Divergence;
}

export interface TrainingHooks {
  threads?: number;
  signal?: AbortSignal;
  onProgress?: StepOptions['onProgress'];
  /** Told once how many steps were done before, when resuming. */
  onStart?: (done: number) => void;
  onStep?: (record: StepRecord) => void;
  /** Where to keep the checkpoint; none without it. */
  checkpoint?: {
    path: string;
    resume: boolean;
    config: RunSettings;
    /** Told whenever the file holds the state after so many steps. */
    onSaved?: (step: number) => void;
  };
  /** Measures recall@1 on the validation queries, at each of these steps. */
  validate?: { at: ReadonlySet<number>; recallAt1: (model: DualEncoder) => Promise<number> };
}

/**
 * Rejects with `signal.reason` when aborted, after saving, and with OutputError when the checkpoint cannot be saved,
 * also when aborted. A run that diverges ends early instead, with
 * `history.diverged`; the checkpoint then stays that of an earlier step. The caller disposes of the model.
 */
export async function train(
  dataset: Dataset,
  config: TrainingConfig,
  hooks: TrainingHooks = {},
): Promise<{ model: DualEncoder; history: History }> {
  const { batch, steps, seed } = config;
  const batches = new Batches(dataset.split.train, batch, seed, dataset.left);
  const model = new DualEncoder(dataset, config);
  let history: History = { steps: [], curve: [] };
  let done = 0;
  const { checkpoint, validate, signal } = hooks;
  if (checkpoint?.resume) {
    const found = model.restore(checkpoint.path, { config: checkpoint.config, steps });
    done = found.step;
    history = found.history;
    checkpoint.onSaved?.(done);
  }
  hooks.onStart?.(done);
  const save = () => {
    if (checkpoint === undefined) return;
    model.save(checkpoint.path, { step: done, config: checkpoint.config, history });
    checkpoint.onSaved?.(done);
  };
  const measure = async () => {
    if (!validate?.at.has(done) || history.curve.at(-1)?.step === done) return;
    history.curve.push({ step: done, recallAt1: await validate.recallAt1(model) });
  };
  try {
    // the run before may have been stopped while it measured
    await measure();
    while (done < steps) {
      signal?.throwIfAborted();
      const outcome = await trainStep(model, { rows: batches.at(done), step: done + 1 }, config, hooks);
      if ('what' in outcome) {
        history.diverged = outcome;
        break;
      }
      done++;
      history.steps.push(outcome);
      hooks.onStep?.(outcome);
      await measure();
      if (done % batches.perEpoch === 0 || done === steps) save();
    }
  } catch (error) {
    try {
      if (!(error instanceof OutputError)) save();
    } catch (failure) {
      // who interrupts a run counts on its checkpoint; who meets a defect wants to see both
      throw signal?.aborted ? failure : new AggregateError([error, failure], (error as Error).message);
    } finally {
      model.dispose();
    }
    throw error;
  }
  return { model, history };
}

/** One step. Numbers that are not finite are an answer, not an error. */
async function trainStep(
  model: DualEncoder,
  { rows, step }: { rows: Int32Array; step: number },
  config: TrainingConfig,
  { threads, signal, onProgress }: TrainingHooks,
): Promise<StepRecord | Divergence> {
  const { steps } = config;
  const warmUp = Math.max(1, Math.round(config.warmUp * steps));
  const learningRate = config.learningRate * learningRateFactor(step - 1, steps, warmUp);
  const began = performance.now();
  const { scale } = model;
  try {
    const { loss, accuracy, cost } = await model.step(rows, { learningRate, threads, signal, onProgress });
    if (!Number.isFinite(loss)) return { step, what: `the loss is ${loss}` };
    const name = model.firstNotFinite();
    if (name !== undefined) return { step, what: `the array ${name} of the model holds NaN or infinity` };
    const seconds = (performance.now() - began) / 1000;
    return { step, loss, accuracy, scale, learningRate, seconds, cost };
  } catch (error) {
    // the loss refuses such features itself, and names the first of them
    if ((error as { code?: unknown }).code !== 'ERR_NOT_FINITE') throw error;
    return { step, what: `features or logits are not finite: ${(error as Error).message}` };
  }
}
