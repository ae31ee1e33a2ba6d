/**
 * The model of the demo, in jax-js: hashed features -> linear 4096 x 128 -> L2 norm, no bias. A row of hashed
 * features has about ten non-zeros, so the linear layer is a weighted sum of ten gathered rows of the matrix; that
 * gives the numbers of the dense matrix product several times faster.
 *
 * Refuses to run on anything but the WebAssembly device, and to know about batches or the loss.
 */

import * as jax from '@jax-js/jax';
import { jaxEncoder } from 'infcl/jax';
import { breathe } from '../breathe.js';
import { type PaddedRows, padRows, type SparseMatrix } from '../features/hashing.js';
import { chunkRows, featureDim, type Side, type SideOptions } from './side.js';

const { numpy: np } = jax;

export async function startJax(): Promise<void> {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
}

export function makeJaxSide(weights: Float32Array, { seed, dropout }: SideOptions): Side {
  let deviceWeights = toDevice(weights);
  const encoder = jaxEncoder<jax.Array, PaddedRows>({
    jax,
    seed,
    params: () => deviceWeights,
    apply: (params, rows, key) => {
      const values = dropFeatures(deviceValues(rows), dropout, key as jax.Array);
      return unitRows(linear(params, rows, values));
    },
  });
  return {
    weights,
    encoder,
    upload() {
      deviceWeights.dispose();
      deviceWeights = toDevice(weights);
    },
    takeGradients: async () => (await encoder.takeGradients().data()) as Float32Array,
    discardGradients: () => encoder.discardGradients(),
    dispose() {
      encoder.dispose();
      deviceWeights.dispose();
    },
  };
}

/** Features of the given rows without dropout, float32 [rows x 128]. */
export async function encodeRows(
  weights: Float32Array,
  matrix: SparseMatrix,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const features = new Float32Array(rows.length * featureDim);
  const device = toDevice(weights);
  try {
    for (let start = 0; start < rows.length; start += chunkRows) {
      await breathe(signal);
      const chunk = padRows(matrix, rows.subarray(start, start + chunkRows));
      const encoded = unitRows(linear(device.ref, chunk, deviceValues(chunk)));
      features.set((await encoded.data()) as Float32Array, start * featureDim);
    }
  } finally {
    device.dispose();
  }
  return features;
}

/** h_i = Σ_j value_ij · weights[column_ij], float32 [rows x 128]. Consumes `weights` and `values`. */
function linear(weights: jax.Array, { rows, width, columns }: PaddedRows, values: jax.Array): jax.Array {
  const gathered = np.take(weights, np.array(columns, { shape: [rows, width] }), 0);
  return np.sum(gathered.mul(values.reshape([rows, width, 1])), 1);
}

/** y_i = h_i / |h_i|. Consumes its argument. */
function unitRows(sums: jax.Array): jax.Array {
  const norms = np.sqrt(np.sum(np.square(sums.ref), -1, { keepdims: true }).add(1e-12));
  return sums.div(norms);
}

/** Drops each feature with probability `rate` and scales the others up to make good for it. Consumes its arguments. */
function dropFeatures(values: jax.Array, rate: number, key: jax.Array): jax.Array {
  const kept = jax.random.bernoulli(key, 1 - rate, values.shape);
  return values.mul(kept).mul(1 / (1 - rate));
}

function deviceValues({ rows, width, values }: PaddedRows): jax.Array {
  return np.array(values, { shape: [rows, width] });
}

function toDevice(weights: Float32Array): jax.Array {
  return np.array(weights, { shape: [weights.length / featureDim, featureDim] });
}
