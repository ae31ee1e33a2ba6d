/**
 * The model of the icons: an image tower, a text tower, and one training step through `chunkedStep`. Icons are
 * queries, their captions are keys.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepResult } from 'infcl';
import type { Trainable } from '../../train/loop.js';
import type { StepOptions } from '../../train/model-state.js';
import { imageFeatures } from '../features/hog.js';
import type { IconBatch } from './icon-batches.js';
import { initialImageWeights, makeImageSide } from './image-side.js';
import { initialTextWeights, makeTextSide } from './text-side.js';
import { bytesOfCheckpoint, imageWidths, TwoTowers } from './two-towers.js';

/** Numbers of an icon's and of a text's feature. */
export const featureDim = 256;

export class IconModel extends TwoTowers implements Trainable {
  /** @param used 1 for each column of the text's features that a training caption has. */
  constructor(used: Uint8Array, seed: number) {
    const widths = imageWidths(imageFeatures, featureDim);
    super(
      makeImageSide(widths, initialImageWeights(widths, seed)),
      makeTextSide(initialTextWeights(used, featureDim, seed), featureDim),
    );
  }

  step({ rows, images, texts }: IconBatch, options: StepOptions): Promise<StepResult> {
    const { image, text, scale } = this;
    const { learningRate, threads, signal, onProgress } = options;
    return this.learn(learningRate, () =>
      chunkedStep({
        queries: { encoder: image.encoder, chunks: () => images, rows },
        keys: { encoder: text.encoder, chunks: () => texts, rows },
        loss: { objective: 'clip', logitScale: scale, threads },
        signal,
        onProgress,
      }),
    );
  }
}

export const checkpointBytes = (columns: number) => bytesOfCheckpoint(imageFeatures, columns, featureDim);
