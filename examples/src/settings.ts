/**
 * The numbers of a run, from the flags and the data: how long, how large, which parts. Refuses a batch larger than
 * the training pairs.
 */

import type { Flags } from './cli.js';
import { UsageError } from './errors.js';
import type { Dataset } from './features/dataset.js';
import { makeJaxSide } from './train/jax-side.js';
import { peakLearningRate, type TrainingConfig } from './train/training.js';

/** Training pairs of a quick run on the dictionary. */
export const quickTrainPairs = 32_768;
const quickBatch = 4096;
const quickEpochs = 3;
const defaultEpochs = 10;
const largestDefaultBatch = 16_384;

export interface Settings {
  training: TrainingConfig;
  epochs: number;
  sweep?: { batches: number[]; epochs: number; seeds: number[] };
  lossCost: { batches: number[]; mostSeconds: number };
  baseline: boolean;
}

export function settingsOf(flags: Flags, dataset: Dataset): Settings {
  const pairs = dataset.split.train.length;
  const batch = flags.batch ?? defaultBatch(flags, pairs);
  if (batch > pairs) {
    throw new UsageError(
      `Expected at most ${pairs}, the number of training pairs, for --batch but received ${batch}`,
    );
  }
  const perEpoch = Math.floor(pairs / batch);
  const steps = flags.steps ?? perEpoch * (flags.epochs ?? (flags.quick ? quickEpochs : defaultEpochs));
  return {
    training: {
      batch,
      steps,
      seed: flags.seed,
      learningRate: peakLearningRate,
      warmUp: 0.1,
      dropout: 0.2,
      makeSide: makeJaxSide,
    },
    epochs: steps / perEpoch,
    sweep: flags.quick ? undefined : sweepOf(flags, pairs),
    lossCost: {
      batches: powersOfTwo(1024, flags.quick ? 8192 : 65_536),
      mostSeconds: flags.quick ? 3 : flags.sweep ? 300 : 15,
    },
    baseline: !flags.quick,
  };
}

/** At least four steps an epoch. */
function defaultBatch(flags: Flags, pairs: number): number {
  const most = flags.quick ? quickBatch : largestDefaultBatch;
  return Math.min(most, 2 ** Math.floor(Math.log2(pairs / 4)));
}

function sweepOf(flags: Flags, pairs: number): Settings['sweep'] {
  const largest = Math.min(largestDefaultBatch, 2 ** Math.floor(Math.log2(pairs / 4)));
  const steps = flags.sweep
    ? [largest / 64, largest / 16, largest / 4, largest]
    : [largest / 16, largest / 4, largest];
  const seeds = flags.sweep ? [0, 1, 2] : [0, 1];
  return {
    batches: steps.filter((batch) => batch >= 2),
    epochs: flags.sweep ? 10 : 2,
    seeds: seeds.map((offset) => flags.seed + offset),
  };
}

function powersOfTwo(first: number, last: number): number[] {
  const powers: number[] = [];
  for (let power = first; power <= last; power *= 2) powers.push(power);
  return powers;
}
