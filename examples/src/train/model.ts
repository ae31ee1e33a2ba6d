/**
 * The dual encoder, in jax-js: hashed features -> linear 4096 x 128 -> L2 norm, one matrix per side, no bias.
 * A row of hashed features has about ten non-zeros, so the linear layer is a weighted sum of ten gathered rows;
 * gathering and the dense matrix product give the same numbers, and the gather is several times faster.
 *
 * Refuses to run on anything but the WebAssembly device, and to know about batches or the loss.
 */

import * as jax from '@jax-js/jax';
import { type JaxEncoder, jaxEncoder } from 'infcl/jax';
import { hashedColumns, type PaddedRows, padRows, type SparseMatrix } from '../features/hashing.js';
import { Random } from '../random.js';

const { numpy: np } = jax;

export const featureDim = 128;

/** Arrays of one chunk: columns int32 [rows, width], values float32 [rows, width]. */
export interface Chunk {
  columns: jax.Array;
  values: jax.Array;
}

export async function startJax(): Promise<void> {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
}

/** Weights float32 [4096 x 128], each from N(0, 1/128). */
export function initialWeights(seed: number, stream: number): Float32Array {
  const random = Random.stream(seed, stream);
  const spread = 1 / Math.sqrt(featureDim);
  return Float32Array.from({ length: hashedColumns * featureDim }, () => spread * random.normal());
}

export function chunkOf(rows: PaddedRows): Chunk {
  const shape = [rows.rows, rows.width];
  return { columns: np.array(rows.columns, { shape }), values: np.array(rows.values, { shape }) };
}

/** y = h / |h|, h_i = Σ_j value_ij · weights[column_ij]; float32 [rows x 128]. Consumes its arguments. */
export function apply(weights: jax.Array, chunk: Chunk): jax.Array {
  const gathered = np.take(weights, chunk.columns, 0);
  const [rows, width] = chunk.values.shape as [number, number];
  const sums = np.sum(gathered.mul(chunk.values.reshape([rows, width, 1])), 1);
  const norms = np.sqrt(np.sum(np.square(sums.ref), -1, { keepdims: true }).add(1e-12));
  return sums.div(norms);
}

/** Drops each feature of the input with probability `rate` and scales the others up to make good for it. */
export function dropFeatures(chunk: Chunk, rate: number, key: jax.Array): Chunk {
  const kept = jax.random.bernoulli(key, 1 - rate, chunk.values.shape);
  return { columns: chunk.columns, values: chunk.values.mul(kept).mul(1 / (1 - rate)) };
}

/** One side of the model: its weights on the device, and the encoder that `chunkedStep` drives. */
export class Side {
  readonly encoder: JaxEncoder<jax.Array, Chunk>;
  private deviceWeights: jax.Array;

  /** @param weights Float32 [4096 x 128]; owned by the caller, who calls {@link upload} after changing them. */
  constructor(
    readonly weights: Float32Array,
    options: { seed: number; dropout: number },
  ) {
    this.deviceWeights = onDevice(weights);
    this.encoder = jaxEncoder<jax.Array, Chunk>({
      jax,
      seed: options.seed,
      params: () => this.deviceWeights,
      apply: (params, chunk, key) =>
        apply(params, dropFeatures(chunk, options.dropout, key as unknown as jax.Array)) as never,
    });
  }

  upload(): void {
    this.deviceWeights.dispose();
    this.deviceWeights = onDevice(this.weights);
  }

  /** Gradients of one step, float32 [4096 x 128]. */
  async takeGradients(): Promise<Float32Array> {
    return (await this.encoder.takeGradients().data()) as Float32Array;
  }

  dispose(): void {
    this.encoder.dispose();
    this.deviceWeights.dispose();
  }
}

/** Features of the given rows without dropout, float32 [rows x 128]. */
export async function encodeRows(
  weights: Float32Array,
  matrix: SparseMatrix,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const features = new Float32Array(rows.length * featureDim);
  const device = onDevice(weights);
  const chunkRows = 2048;
  for (let start = 0; start < rows.length; start += chunkRows) {
    signal?.throwIfAborted();
    const chunk = chunkOf(padRows(matrix, rows.subarray(start, start + chunkRows)));
    features.set((await apply(device.ref, chunk).data()) as Float32Array, start * featureDim);
  }
  device.dispose();
  return features;
}

function onDevice(weights: Float32Array): jax.Array {
  return np.array(weights, { shape: [weights.length / featureDim, featureDim] });
}
