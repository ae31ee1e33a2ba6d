/**
 * The linear baseline of the icons, as the report shows it: fitted, projected, judged like the model. Refuses to
 * tune itself.
 */

import { project } from '../../baseline/cca.js';
import { type Dense, multiply } from '../../baseline/cholesky.js';
import type { SparseMatrix } from '../../features/hashing.js';
import type { Features } from '../evaluate/features.js';
import { judgeFeatures, type Scores } from '../evaluate/judge-features.js';
import type { IconTask } from '../evaluate/task.js';
import { imageFeatures } from '../features/hog.js';
import { type Centring, centredRows, type ImageMatrix } from '../features/image-matrix.js';
import { fitIconCca, type IconCcaData } from './icon-cca.js';

/**
 * Twice the model's width: fewer are worse. The ridges were the best of a few on the unseen set tabler itself, so
 * that this opponent is, if anything, flattered.
 */
export const ccaSettings = { directions: 512, imageRidge: 3e-3, textRidge: 3e-5 };

export interface CcaQuestion {
  task: IconTask;
  /** The training icons under no shift, and the unseen set. */
  train: ImageMatrix;
  unseen: ImageMatrix;
  centring: Centring;
  texts: SparseMatrix;
  captionOf: Int32Array;
}

export async function judgeCca(
  { task, train, unseen, centring, texts, captionOf }: CcaQuestion,
  signal?: AbortSignal,
): Promise<Scores> {
  const rowsOf = (matrix: ImageMatrix) => (first: number, end: number) =>
    centredRows(
      matrix,
      Int32Array.from({ length: end - first }, (_, i) => first + i),
      centring,
    );
  const data: IconCcaData = {
    images: { rows: train.rows, dim: imageFeatures, slice: rowsOf(train) },
    texts,
    captionOf,
  };
  const { image, text, textMean } = await fitIconCca(data, { ...ccaSettings, signal });
  const pictures = { rows: unseen.rows, columns: imageFeatures, data: rowsOf(unseen)(0, unseen.rows) };
  const images = unitLength(await multiply(pictures, image, signal));
  const all = Int32Array.from({ length: task.texts.rows }, (_, i) => i);
  const projected = await project(task.texts, all, { directions: text, means: textMean }, signal);
  return judgeFeatures(task, images, { data: projected, shape: [task.texts.rows, text.columns] }, signal);
}

function unitLength({ rows, columns, data }: Dense): Features {
  for (let first = 0; first < data.length; first += columns) {
    const row = data.subarray(first, first + columns);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let d = 0; d < columns; d++) row[d]! /= length;
  }
  return { data, shape: [rows, columns] };
}
