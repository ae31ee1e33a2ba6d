/**
 * The model of the detection demo: a tower for regions, a tower for texts, and one step through `chunkedStep`.
 * Regions are queries, all texts are keys, `labels` say which text a region shows.
 *
 * Refuses to decide how many steps there are or when to save.
 */

import { chunkedStep, type StepResult } from 'infcl';
import { type PaddedRows, padRows, type SparseMatrix } from '../../features/hashing.js';
import { columnsInUse } from '../../icons/features/text-matrix.js';
import { initialImageWeights, makeImageSide } from '../../icons/train/image-side.js';
import { encodeTexts, initialTextWeights, makeTextSide } from '../../icons/train/text-side.js';
import { bytesOfCheckpoint, imageWidths, TwoTowers } from '../../icons/train/two-towers.js';
import type { Trainable } from '../../train/loop.js';
import type { StepOptions } from '../../train/model-state.js';
import { windowFeatures } from '../features/windows.js';
import type { RegionBatch } from './region-batches.js';

/** Numbers of a region's and of a text's feature. */
export const featureDim = 128;
const widths = imageWidths(windowFeatures, featureDim);

export class RegionModel extends TwoTowers implements Trainable {
  private readonly keys: PaddedRows;

  /**
   * @param texts All texts that regions are compared with.
   * @param start Weights and scale to go on from; the optimiser begins anew.
   */
  constructor(
    readonly texts: SparseMatrix,
    private readonly seed: number,
    start?: RegionModel,
  ) {
    const text = start?.text.weights.slice() ?? initialTextWeights(columnsInUse(texts), featureDim, seed);
    super(
      makeImageSide(widths, start ? copied(start.image.weights) : initialImageWeights(widths, seed)),
      makeTextSide(text, featureDim),
      start?.scale,
    );
    this.keys = padRows(
      texts,
      Int32Array.from({ length: texts.rows }, (_, i) => i),
    );
  }

  /** A model with these weights whose optimiser begins anew. */
  successor(): RegionModel {
    return new RegionModel(this.texts, this.seed, this);
  }

  /** Features of all texts, float32 [texts x 128]. */
  textFeatures(): Float32Array {
    return encodeTexts(this.text.weights, this.texts, featureDim);
  }

  step({ rows, images, labels }: RegionBatch, options: StepOptions): Promise<StepResult> {
    const { image, text, scale, keys } = this;
    const { learningRate, threads, signal, onProgress } = options;
    return this.learn(learningRate, () =>
      chunkedStep({
        queries: { encoder: image.encoder, chunks: () => images, rows },
        keys: { encoder: text.encoder, chunks: () => [keys], rows: keys.rows },
        loss: { objective: 'infonce', labels, logitScale: scale, threads },
        signal,
        onProgress,
      }),
    );
  }
}

function copied(weights: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, array.slice()]));
}

export const checkpointBytes = (columns: number) => bytesOfCheckpoint(windowFeatures, columns, featureDim);
