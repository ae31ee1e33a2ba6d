/**
 * The text tower: hashed features -> linear -> L2 norm, by hand. A caption has some twenty non-zeros of 16,384, so
 * loops over them take a small part of the time of the image tower. Refuses to know about batches, dropout or the
 * loss.
 */

import type { Encoder } from 'infcl';
import { type PaddedRows, padRows, type SparseMatrix } from '../../features/hashing.js';
import { Random } from '../../random.js';
import { addLinearGradient, linear, unitRows, unitRowsGradient } from '../../train/sparse-layer.js';

export interface TextSide {
  /** Float32 [columns x dim]. Changed in place by the optimiser. */
  readonly weights: Float32Array;
  readonly encoder: Encoder<PaddedRows>;
  /** Gradients since the last call, float32 [columns x dim], valid until the next call. */
  takeGradients(): Float32Array;
  discardGradients(): void;
}

/**
 * Weights float32 [columns x dim] from N(0, 1 / dim). Columns that no training caption has are 0, and stay so:
 * parts of words that training never saw say nothing, instead of something random.
 * @param used 1 for each column that a training caption has.
 */
export function initialTextWeights(used: Uint8Array, dim: number, seed: number): Float32Array {
  const random = Random.stream(seed, 1);
  const spread = 1 / Math.sqrt(dim);
  const weights = new Float32Array(used.length * dim);
  used.forEach((isUsed, column) => {
    if (!isUsed) return;
    for (let d = column * dim; d < (column + 1) * dim; d++) weights[d] = spread * random.normal();
  });
  return weights;
}

export function makeTextSide(weights: Float32Array, dim: number): TextSide {
  let gradients = new Float32Array(weights.length);
  let taken = new Float32Array(weights.length);
  const encoder: Encoder<PaddedRows> = {
    encode: (rows) => ({ data: unitRows(linear(weights, rows, dim), dim).units, shape: [rows.rows, dim] }),
    backward(rows, { data }) {
      const outputs = unitRows(linear(weights, rows, dim), dim);
      addLinearGradient(gradients, rows, unitRowsGradient(outputs, data, dim), dim);
    },
  };
  return {
    weights,
    encoder,
    takeGradients() {
      [gradients, taken] = [taken.fill(0), gradients];
      return taken;
    },
    discardGradients: () => gradients.fill(0),
  };
}

/** Features of all rows of the matrix, float32 [rows x dim]. */
export function encodeTexts(weights: Float32Array, matrix: SparseMatrix, dim: number): Float32Array {
  const rowsAtOnce = 1024;
  const features = new Float32Array(matrix.rows * dim);
  for (let first = 0; first < matrix.rows; first += rowsAtOnce) {
    const length = Math.min(rowsAtOnce, matrix.rows - first);
    const rows = padRows(
      matrix,
      Int32Array.from({ length }, (_, i) => first + i),
    );
    features.set(unitRows(linear(weights, rows, dim), dim).units, first * dim);
  }
  return features;
}
