/**
 * The same layer as `jax-side.ts` with no framework at all: loops over the non-zeros, gradient by hand. The sweep
 * over batch sizes trains many models and uses this one, several times faster; a test holds the two to the same
 * numbers. It also shows that an `Encoder` is just two functions.
 *
 * Refuses to be the demo's main model.
 */

import type { Encoder, FeatureGrads } from 'infcl';
import type { PaddedRows } from '../features/hashing.js';
import { Random } from '../random.js';
import { featureDim as dim, type Side, type SideOptions } from './side.js';

export function makeSparseSide(weights: Float32Array, { seed, dropout }: SideOptions): Side {
  const gradients = new Float32Array(weights.length);
  const taken = new Float32Array(weights.length);
  let draws = 0;

  const dropped = (rows: PaddedRows): PaddedRows => {
    const random = Random.stream(seed, draws++);
    const kept = 1 / (1 - dropout);
    return { ...rows, values: rows.values.map((value) => (random.uniform() < dropout ? 0 : value * kept)) };
  };

  const encoder: Encoder<PaddedRows> = {
    encode: (rows) => ({ data: unitRows(linear(weights, dropped(rows))).units, shape: [rows.rows, dim] }),
    backward(rows, grads: FeatureGrads) {
      const input = dropped(rows);
      const { units, norms } = unitRows(linear(weights, input));
      addLinearGradient(gradients, input, unitRowsGradient(units, norms, grads.data));
    },
    randomState: () => draws,
    restoreRandomState: (state) => {
      draws = state as number;
    },
  };
  return {
    weights,
    encoder,
    upload() {},
    async takeGradients() {
      taken.set(gradients);
      gradients.fill(0);
      return taken;
    },
    discardGradients: () => gradients.fill(0),
    dispose() {},
  };
}

/** h_i = Σ_j value_ij · weights[column_ij] */
function linear(weights: Float32Array, { rows, width, columns, values }: PaddedRows): Float32Array {
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
function unitRows(sums: Float32Array): { units: Float32Array; norms: Float32Array } {
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
function unitRowsGradient(units: Float32Array, norms: Float32Array, grads: Float32Array): Float32Array {
  const result = new Float32Array(units.length);
  for (let i = 0; i < norms.length; i++) {
    let along = 0;
    for (let d = i * dim; d < (i + 1) * dim; d++) along += units[d]! * grads[d]!;
    for (let d = i * dim; d < (i + 1) * dim; d++) result[d] = (grads[d]! - units[d]! * along) / norms[i]!;
  }
  return result;
}

/** dWeights[column_ij] += value_ij · dh_i */
function addLinearGradient(gradients: Float32Array, input: PaddedRows, sumGrads: Float32Array): void {
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
