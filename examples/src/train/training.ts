/**
 * The training run of the dictionary: its model, its batches, and the loop over them. Refuses to print or to listen to
 * signals; the loop tells its caller.
 */

import type { ProcessGroup } from 'infcl/distributed';
import type { Dataset } from '../features/dataset.js';
import { Batches } from './batches.js';
import { DualEncoder } from './dual-encoder.js';
import { type History, type TrainingHooks, trainLoop } from './loop.js';
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
  /** Rows of a chunk, by default as many as the demo encodes at once. */
  chunkRows?: number;
  /** The ranks that train together, each of which calls {@link train}. */
  group?: ProcessGroup;
}

/** Learning rate of AdamW, for any batch size; see `measure/sweep.ts`. */
export const peakLearningRate = 0.025;

/** As {@link trainLoop}, whose errors these are. The caller disposes of the model. */
export async function train(
  dataset: Dataset,
  config: TrainingConfig,
  hooks: TrainingHooks<DualEncoder> = {},
): Promise<{ model: DualEncoder; history: History }> {
  const { batch, steps, seed, learningRate, warmUp } = config;
  const batches = new Batches(dataset.split.train, batch, seed, dataset.left);
  const model = new DualEncoder(dataset, config);
  const schedule = { steps, stepsPerEpoch: batches.perEpoch, learningRate, warmUp };
  const history = await trainLoop(
    model,
    (index, options) => model.step(batches.at(index), options),
    schedule,
    hooks,
  );
  return { model, history };
}
