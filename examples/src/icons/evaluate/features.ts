/** The features that a trained model gives to icons and captions, for every judgement of it. Refuses to judge. */

import type { SparseMatrix } from '../../features/hashing.js';
import { type Centring, centredRows, type ImageMatrix } from '../features/image-matrix.js';
import { featureDim, type IconModel } from '../train/icon-model.js';
import { encodeImages } from '../train/image-side.js';
import { encodeTexts } from '../train/text-side.js';

/** Rows of length 1, float32 [rows x dim]. */
export interface Features {
  data: Float32Array;
  shape: readonly [rows: number, dim: number];
}

export async function imageFeaturesOf(
  model: Pick<IconModel, 'image'>,
  images: ImageMatrix,
  centring: Centring,
  signal?: AbortSignal,
): Promise<Features> {
  const input = (first: number, end: number) => {
    const rows = Int32Array.from({ length: end - first }, (_, i) => first + i);
    return centredRows(images, rows, centring);
  };
  const data = await encodeImages(model.image, images.rows, input, signal);
  return { data, shape: [images.rows, featureDim] };
}

export function textFeaturesOf(model: Pick<IconModel, 'text'>, texts: SparseMatrix): Features {
  return { data: encodeTexts(model.text.weights, texts, featureDim), shape: [texts.rows, featureDim] };
}

/** Some of the rows, copied. */
export function someRows({ data, shape: [, dim] }: Features, rows: Int32Array): Features {
  const picked = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => {
    picked.set(data.subarray(row * dim, (row + 1) * dim), i * dim);
  });
  return { data: picked, shape: [rows.length, dim] };
}
