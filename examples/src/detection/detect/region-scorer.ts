/**
 * What a model says of regions: their features, and how likely each text is for a feature. Keeps the texts'
 * features of one state of the model. Refuses to choose among regions.
 */

import { type Dense, multiply, transpose } from '../../baseline/cholesky.js';
import { breathe } from '../../breathe.js';
import { encodeImages } from '../../icons/train/image-side.js';
import { type Centring, centred } from '../features/region-rows.js';
import { windowFeatures } from '../features/windows.js';
import { featureDim, type RegionModel } from '../train/region-model.js';

/** jax-js multiplies seventeen times faster where the number of columns is a multiple of 4. */
const columnStep = 4;

export class RegionScorer {
  /** 1 / temperature. */
  readonly scale: number;
  /** Texts, the last of which stands for nothing. */
  readonly texts: number;
  /** [128 x texts], then columns of 0 up to a multiple of {@link columnStep}. */
  private readonly across: Dense;

  constructor(
    private readonly model: RegionModel,
    private readonly centring: Centring,
  ) {
    this.scale = model.scale;
    this.texts = model.texts.rows;
    const rows = columnStep * Math.ceil(this.texts / columnStep);
    const data = new Float32Array(rows * featureDim);
    data.set(model.textFeatures());
    this.across = transpose({ rows, columns: featureDim, data });
  }

  /** Features of length 1, float32 [rows x 128]. @param data Uint8 [rows x 768]. */
  features(data: Uint8Array, signal?: AbortSignal): Promise<Float32Array> {
    const rows = data.length / windowFeatures;
    const input = (first: number, end: number) =>
      centred(
        { rows: end - first, data: data.subarray(first * windowFeatures, end * windowFeatures) },
        this.centring,
      );
    return encodeImages(this.model.image, rows, input, signal);
  }

  /** Probabilities of all texts for each feature, float32 [rows x texts]: each row sums to 1. */
  async probabilities(features: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
    const rows = features.length / featureDim;
    if (rows === 0) return new Float32Array(0);
    await breathe(signal);
    const { data } = await multiply({ rows, columns: featureDim, data: features }, this.across, signal);
    const result = new Float32Array(rows * this.texts);
    for (let row = 0; row < rows; row++) {
      const first = row * this.across.columns;
      const own = result.subarray(row * this.texts, (row + 1) * this.texts);
      own.set(data.subarray(first, first + this.texts));
      this.softmax(own);
    }
    return result;
  }

  private softmax(row: Float32Array): void {
    const { exp } = Math;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < row.length; i++) if (row[i]! > largest) largest = row[i]!;
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const value = exp(this.scale * (row[i]! - largest));
      row[i] = value;
      sum += value;
    }
    for (let i = 0; i < row.length; i++) row[i]! /= sum;
  }
}
