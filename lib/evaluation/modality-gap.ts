/**
 * How far apart two sides of features lie, as images and texts of a CLIP model do (Liang et al. 2022, "Mind
 * the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning").
 *
 * Refuses rows of another length than 1.
 */

import type { ReadableFeatures } from '../matrix/features';
import { requireEqualDim } from '../matrix/read-rows';
import { readOptionsOf, type SignalOption } from './read-options';
import { inSlices } from './turns';
import { readUnitRows, type UnitRows } from './unit-rows';

export interface ModalityGap {
  /** ‖mean of x − mean of y‖, from 0 to 2. */
  gap: number;
  /** Cosine of the angle between both means; NaN where a mean is zero. */
  centroidCosine: number;
  /**
   * Fraction of rows that are nearer to the mean of their own side, the mean over both sides. A row in the
   * middle counts half. 0.5 where nothing tells the sides from each other, 1 where a plane parts them.
   */
  separability: number;
}

/**
 * The gap between two sides, which may have different numbers of rows. Computes in float64.
 *
 * @param x [M × D], rows of length 1 within 0.004: what rounding changed in a length is set right.
 * @param y [N × D], as `x`.
 *
 * Source: Liang et al. 2022 for `gap`. `separability` is the accuracy of a nearest-centroid classifier.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER,
 * ERR_DETACHED or ERR_OUT_OF_MEMORY.
 */
export async function modalityGap(
  x: ReadableFeatures,
  y: ReadableFeatures,
  options?: SignalOption,
): Promise<ModalityGap> {
  const { signal } = readOptionsOf(options, ['signal']);
  const [left, right] = [readUnitRows('x', x), readUnitRows('y', y)];
  requireEqualDim('x', left, 'y', right);
  const [meanX, meanY] = [await meanOf(left, signal), await meanOf(right, signal)];
  const normal = meanX.map((value, d) => value - meanY[d]!);
  const [xx, yy] = [dot(meanX, meanX), dot(meanY, meanY)];
  const middle = (xx - yy) / 2;
  const onSideOfX = await fractionBeyond(left, normal, middle, signal);
  const onSideOfY = 1 - (await fractionBeyond(right, normal, middle, signal));
  return {
    gap: Math.sqrt(dot(normal, normal)),
    centroidCosine: dot(meanX, meanY) / Math.sqrt(xx * yy),
    separability: (onSideOfX + onSideOfY) / 2,
  };
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);

async function meanOf(side: UnitRows, signal: AbortSignal | undefined): Promise<Float64Array> {
  const { data, rows, dim, rowStride, factors } = side;
  const sums = new Float64Array(dim);
  await inSlices({ count: rows, operationsEach: dim, reads: [side], signal }, (begin, end) => {
    for (let row = begin; row < end; row++) {
      for (let d = 0; d < dim; d++) sums[d]! += data[row * rowStride + d]! * factors[row]!;
    }
  });
  return sums.map((sum) => sum / rows);
}

/** Fraction of rows whose product with `normal` is above `middle`; an equal product counts half. */
async function fractionBeyond(
  side: UnitRows,
  normal: Float64Array,
  middle: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { data, rows, dim, rowStride, factors } = side;
  let beyond = 0;
  await inSlices({ count: rows, operationsEach: dim, reads: [side], signal }, (begin, end) => {
    for (let row = begin; row < end; row++) {
      let product = 0;
      for (let d = 0; d < dim; d++) product += data[row * rowStride + d]! * normal[d]!;
      beyond += (1 + Math.sign(product * factors[row]! - middle)) / 2;
    }
  });
  return beyond / rows;
}
