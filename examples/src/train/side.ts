/**
 * What the training step needs of one side of the dual encoder, whichever code computes it: weights on the host, an
 * encoder over chunks of sparse rows, and the gradients it has added up.
 */

import type { Encoder } from 'infcl';
import { hashedColumns, type PaddedRows } from '../features/hashing.js';
import { Random } from '../random.js';

export const featureDim = 128;
/** Rows encoded at once: a chunk's gathered rows take rows x width x 128 x 4 bytes, 8 MB at width 16. */
export const chunkRows = 1024;

export interface Side {
  /** Float32 [4096 x 128]. Changed in place by the optimiser, which then calls {@link upload}. */
  readonly weights: Float32Array;
  /** Its random state is one integer: how many chunks it has drawn dropout for. */
  readonly encoder: Encoder<PaddedRows>;
  /** Makes changed weights the ones in use. */
  upload(): void;
  /** Gradients added up since the last call, float32 [4096 x 128], valid until the next backward pass. */
  takeGradients(): Promise<Float32Array>;
  discardGradients(): void;
  dispose(): void;
}

export interface SideOptions {
  seed: number;
  /** Probability of dropping each feature of the input. */
  dropout: number;
}

export type MakeSide = (weights: Float32Array, options: SideOptions) => Side;

/** Weights float32 [4096 x 128], each from N(0, 1/128). */
export function initialWeights(seed: number, stream: number): Float32Array {
  const random = Random.stream(seed, stream);
  const spread = 1 / Math.sqrt(featureDim);
  return Float32Array.from({ length: hashedColumns * featureDim }, () => spread * random.normal());
}
