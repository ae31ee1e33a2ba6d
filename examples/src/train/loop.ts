/**
 * The loop of a training: schedule, checkpoints, resuming, learning curve, divergence. Every demo trains through
 * this loop, whatever its model is. Refuses to print or to listen to signals; it reports each step to its caller
 * and stops when told to, with a checkpoint of the last whole step.
 */

import type { CostReport, StepResult } from 'infcl';
import { OutputError } from '../errors.js';
import type { RunSettings } from '../saved/same-settings.js';
import { learningRateFactor } from './adamw.js';
import type { StepOptions } from './model-state.js';

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

/** What the loop needs of a model. */
export interface Trainable {
  readonly scale: number;
  /** Name of the first array of weights or of the optimiser's state that holds NaN or infinity. */
  firstNotFinite(): string | undefined;
  /** Throws OutputError. */
  save(path: string, run: { step: number; config: RunSettings; history: History }): void;
  /** Takes over the state in the file. Throws CheckpointError, and changes nothing then. */
  restore(path: string, run: { config: RunSettings; steps: number }): { step: number; history: History };
  dispose(): void;
}

/** How long to train, and how fast. */
export interface Schedule {
  steps: number;
  /** After each epoch the checkpoint is written. */
  stepsPerEpoch: number;
  /** Peak, reached after the warm-up. */
  learningRate: number;
  /** Share of steps of linear warm-up. */
  warmUp: number;
}

/** Steps after which an epoch ends; the last step is one. */
export function epochEnds({ steps, stepsPerEpoch }: Schedule): Set<number> {
  const ends = new Set([steps]);
  for (let step = stepsPerEpoch; step < steps; step += stepsPerEpoch) ends.add(step);
  return ends;
}

export interface TrainingHooks<Model extends Trainable> {
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
    /** False on a rank that only reads the checkpoint, as another one writes it. */
    write?: boolean;
    /** Told whenever the file holds the state after so many steps. */
    onSaved?: (step: number, history: History) => void;
  };
  /** Measures recall@1 on the validation queries, at each of these steps. */
  validate?: { at: ReadonlySet<number>; recallAt1: (model: Model) => Promise<number> };
}

/**
 * Rejects with `signal.reason` when aborted, after saving, and with OutputError when the checkpoint cannot be
 * saved, also when aborted. A run that diverges ends early instead, with `history.diverged`; the checkpoint then
 * stays that of an earlier step. The caller disposes of the model, except after a rejection.
 * @param stepAt One training step, counted from 0, through the model.
 */
export async function trainLoop<Model extends Trainable>(
  model: Model,
  stepAt: (index: number, options: StepOptions) => Promise<StepResult>,
  schedule: Schedule,
  hooks: TrainingHooks<Model>,
): Promise<History> {
  const { steps, stepsPerEpoch } = schedule;
  let history: History = { steps: [], curve: [] };
  let done = 0;
  const { checkpoint, validate, signal } = hooks;
  const save = () => {
    if (checkpoint === undefined || checkpoint.write === false) return;
    model.save(checkpoint.path, { step: done, config: checkpoint.config, history });
    checkpoint.onSaved?.(done, history);
  };
  if (checkpoint?.resume) {
    const found = model.restore(checkpoint.path, { config: checkpoint.config, steps });
    done = found.step;
    history = found.history;
    checkpoint.onSaved?.(done, history);
  }
  hooks.onStart?.(done);
  const measure = async () => {
    if (!validate?.at.has(done) || history.curve.at(-1)?.step === done) return;
    history.curve.push({ step: done, recallAt1: await validate.recallAt1(model) });
  };
  try {
    // the run before may have been stopped while it measured
    await measure();
    while (done < steps) {
      // which looks at the signal before anything else, and tells the other ranks
      const outcome = await trainStep(model, { stepAt, step: done + 1 }, schedule, hooks);
      if ('what' in outcome) {
        history.diverged = outcome;
        break;
      }
      done++;
      history.steps.push(outcome);
      hooks.onStep?.(outcome);
      await measure();
      if (done % stepsPerEpoch === 0 || done === steps) save();
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
  return history;
}

/** One step. Numbers that are not finite are an answer, not an error. */
async function trainStep<Model extends Trainable>(
  model: Model,
  { stepAt, step }: { stepAt: Parameters<typeof trainLoop>[1]; step: number },
  { steps, ...schedule }: Schedule,
  { threads, signal, onProgress }: TrainingHooks<Model>,
): Promise<StepRecord | Divergence> {
  const warmUp = Math.max(1, Math.round(schedule.warmUp * steps));
  const learningRate = schedule.learningRate * learningRateFactor(step - 1, steps, warmUp);
  const began = performance.now();
  const { scale } = model;
  try {
    const { loss, accuracy, cost } = await stepAt(step - 1, { learningRate, threads, signal, onProgress });
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
