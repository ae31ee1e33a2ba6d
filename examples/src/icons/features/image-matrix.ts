/**
 * Features of many pictures, as bytes, and the float rows that models see of them: less the mean of the training
 * pictures, divided by one number. Bytes, because three shifts of 70,000 icons take 175 MB so, and 700 MB as
 * float32.
 */

import { breathe } from '../../breathe.js';
import { imagePixels } from '../data/render.js';
import { hogFeatures, imageFeatures, type Shift } from './hog.js';

/** Features of pictures under one shift, uint8 [rows x 832]. */
export interface ImageMatrix {
  rows: number;
  data: Uint8Array;
}

/** What a training subtracts and divides by. */
export interface Centring {
  mean: Float32Array;
  /** Root of the mean variance: features of the training pictures have a variance of 1 on average. */
  spread: number;
}

const rowsAtOnce = 1024;

/**
 * @param ink Uint8 [all pictures x 32 x 32].
 * @param pictures Which of them, in the order of the result.
 */
export async function imageMatrix(
  ink: Uint8Array,
  pictures: Int32Array,
  shift: Shift,
  signal?: AbortSignal,
): Promise<ImageMatrix> {
  const data = new Uint8Array(pictures.length * imageFeatures);
  for (const [i, picture] of pictures.entries()) {
    if (i % rowsAtOnce === 0) await breathe(signal);
    const own = ink.subarray(picture * imagePixels, (picture + 1) * imagePixels);
    hogFeatures(own, shift, data.subarray(i * imageFeatures, (i + 1) * imageFeatures));
  }
  return { rows: pictures.length, data };
}

export function centringOf({ rows, data }: ImageMatrix): Centring {
  const sums = new Float64Array(imageFeatures);
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < imageFeatures; j++) {
      const value = data[i * imageFeatures + j]!;
      sums[j]! += value;
      squares += value * value;
    }
  }
  const mean = Float32Array.from(sums, (sum) => sum / rows);
  const meanSquares = mean.reduce((sum, value) => sum + value * value, 0);
  const variance = (squares / rows - meanSquares) / imageFeatures;
  return { mean, spread: Math.sqrt(Math.max(variance, 1e-6)) };
}

/** Centred float32 [rows x 832]. @param rows Row numbers of the matrix. */
export function centredRows(
  { data }: ImageMatrix,
  rows: Int32Array,
  { mean, spread }: Centring,
): Float32Array {
  const result = new Float32Array(rows.length * imageFeatures);
  rows.forEach((row, i) => {
    const from = row * imageFeatures;
    const to = i * imageFeatures;
    for (let j = 0; j < imageFeatures; j++) result[to + j] = (data[from + j]! - mean[j]!) / spread;
  });
  return result;
}
