/**
 * The image tower, in jax-js: fixed features -> linear, ReLU, as often as there are hidden layers -> linear -> L2
 * norm. Dense matrix products are where jax-js is some twenty times faster than a plain loop. Refuses to know about
 * batches, dropout or the loss.
 */

import * as jax from '@jax-js/jax';
import type { Encoder } from 'infcl';
import { jaxEncoder } from 'infcl/jax';
import { breathe } from '../../breathe.js';
import { Random } from '../../random.js';

const { numpy: np, nn } = jax;

/** Centred features, float32 [rows x inputs of the tower]. */
export interface ImageChunk {
  rows: number;
  data: Float32Array;
}

/** Widths from input to output. */
export type Widths = readonly number[];

export interface ImageSide {
  /**
   * By name: matrices float32 [in x out] and biases [out], first layer first. Changed in place, then {@link
   * upload}.
   */
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly encoder: Encoder<ImageChunk>;
  /** Makes changed weights the ones in use. */
  upload(): void;
  /** Gradients since the last call, one array for each array of weights. */
  takeGradients(): Promise<Float32Array[]>;
  discardGradients(): void;
  dispose(): void;
}

/** Matrices from N(0, 2 / in) (He et al. 2015), biases 0. */
export function initialImageWeights(widths: Widths, seed: number): Record<string, Float32Array> {
  const weights: Record<string, Float32Array> = {};
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const [inputs, outputs] = [widths[layer]!, widths[layer + 1]!];
    const random = Random.stream(seed, 10 + layer);
    const spread = Math.sqrt(2 / inputs);
    weights[`matrix${layer}`] = Float32Array.from(
      { length: inputs * outputs },
      () => spread * random.normal(),
    );
    weights[`bias${layer}`] = new Float32Array(outputs);
  }
  return weights;
}

export function makeImageSide(widths: Widths, weights: Readonly<Record<string, Float32Array>>): ImageSide {
  const shapes = shapesOf(widths);
  const toDevice = () => Object.values(weights).map((data, i) => np.array(data, { shape: shapes[i]! }));
  let device = toDevice();
  const encoder = jaxEncoder<jax.Array[], ImageChunk>({
    jax,
    params: () => device,
    apply: (params, { rows, data }) => tower(params, np.array(data, { shape: [rows, widths[0]!] })),
  });
  return {
    weights,
    encoder,
    upload() {
      for (const array of device) array.dispose();
      device = toDevice();
    },
    takeGradients: async () => {
      const gradients: Float32Array[] = [];
      for (const array of encoder.takeGradients()) gradients.push((await array.data()) as Float32Array);
      return gradients;
    },
    discardGradients: () => encoder.discardGradients(),
    dispose() {
      encoder.dispose();
      for (const array of device) array.dispose();
    },
  };
}

/** Rows encoded between two turns of the event loop. */
export const imageChunkRows = 1024;

/**
 * Features of all rows, float32 [rows x outputs]. Rejects with `signal.reason`.
 * @param centred Makes the input of rows `first` to before `end`.
 */
export async function encodeImages(
  side: Pick<ImageSide, 'encoder'>,
  rows: number,
  centred: (first: number, end: number) => Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let first = 0; first < rows; first += imageChunkRows) {
    await breathe(signal);
    const end = Math.min(rows, first + imageChunkRows);
    const { data } = await side.encoder.encode({ rows: end - first, data: centred(first, end) });
    parts.push(data as Float32Array);
  }
  const features = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    features.set(part, at);
    at += part.length;
  }
  return features;
}

function shapesOf(widths: Widths): number[][] {
  return widths.slice(1).flatMap((outputs, layer) => [[widths[layer]!, outputs], [outputs]]);
}

/** Consumes its arguments. */
function tower(params: jax.Array[], input: jax.Array): jax.Array {
  let values = input;
  for (let i = 0; i < params.length; i += 2) {
    values = np.matmul(values, params[i]!).add(params[i + 1]!);
    if (i + 2 < params.length) values = nn.relu(values);
  }
  const norms = np.sqrt(np.sum(np.square(values.ref), -1, { keepdims: true }).add(1e-12));
  return values.div(norms);
}
