/**
 * A linear layer over sparse rows and the L2 norm after it, with their gradients, as plain loops over the
 * non-zeros. Refuses to own weights or gradients.
 */

import type { PaddedRows } from '../features/hashing.js';

/** Rows of length 1, and the lengths that they had. */
export interface UnitRows {
  units: Float32Array;
  norms: Float32Array;
}

/** h_i = Σ_j value_ij · weights[column_ij], float32 [rows x dim]. */
export function linear(
  weights: Float32Array,
  { rows, width, columns, values }: PaddedRows,
  dim: number,
): Float32Array {
  const sums = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    for (let j = i * width; j < (i + 1) * width; j++) {
      const value = values[j]!;
      if (value === 0) continue;
      const from = columns[j]! * dim;
      for (let d = 0; d < dim; d++) sums[i * dim + d]! += value * weights[from + d]!;
    }
  }
  return sums;
}

/** y_i = h_i / |h_i|, in place. */
export function unitRows(sums: Float32Array, dim: number): UnitRows {
  const norms = new Float32Array(sums.length / dim);
  for (let i = 0; i < norms.length; i++) {
    let square = 1e-12;
    for (let d = i * dim; d < (i + 1) * dim; d++) square += sums[d]! * sums[d]!;
    norms[i] = Math.sqrt(square);
    for (let d = i * dim; d < (i + 1) * dim; d++) sums[d]! /= norms[i]!;
  }
  return { units: sums, norms };
}

/** dh_i = (dy_i - y_i ⟨y_i, dy_i⟩) / |h_i| */
export function unitRowsGradient({ units, norms }: UnitRows, grads: Float32Array, dim: number): Float32Array {
  const result = new Float32Array(units.length);
  for (let i = 0; i < norms.length; i++) {
    let along = 0;
    for (let d = i * dim; d < (i + 1) * dim; d++) along += units[d]! * grads[d]!;
    for (let d = i * dim; d < (i + 1) * dim; d++) result[d] = (grads[d]! - units[d]! * along) / norms[i]!;
  }
  return result;
}

/** dWeights[column_ij] += value_ij · dh_i */
export function addLinearGradient(
  gradients: Float32Array,
  input: PaddedRows,
  sumGrads: Float32Array,
  dim: number,
): void {
  const { rows, width, columns, values } = input;
  for (let i = 0; i < rows; i++) {
    for (let j = i * width; j < (i + 1) * width; j++) {
      const value = values[j]!;
      if (value === 0) continue;
      const to = columns[j]! * dim;
      for (let d = 0; d < dim; d++) gradients[to + d]! += value * sumGrads[i * dim + d]!;
    }
  }
}
