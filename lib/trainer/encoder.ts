/**
 * What the trainer asks of a neural network: turn one chunk of inputs into features, and later push the gradient
 * of those features back into the parameters. Two functions, flat arrays, no framework type.
 *
 * Refuses to know: what a parameter is, how gradients are accumulated, which optimiser runs afterwards.
 */

import type { HostFeatures, MatrixLike } from '../matrix/host-matrix';

/** Gradient of the loss with respect to one chunk's features: float32, row-major, contiguous, [rows x dim]. */
export interface FeatureGrads extends MatrixLike {
  /** A view of the step's gradient matrix: read it before `backward` returns or resolves, do not keep it. */
  data: Float32Array;
  shape: readonly [rows: number, dim: number];
  dtype: 'float32';
}

/** One tower. `Input` is whatever one chunk of inputs is to the framework: a tensor, token ids, image paths. */
export interface Encoder<Input> {
  /** Features [rows x dim] of one chunk, as the loss functions take them, without recording a graph. Copied at once. */
  encode(input: Input): Promise<HostFeatures> | HostFeatures;

  /**
   * Encodes the chunk again with a graph and *adds* its parameter gradients, given dLoss/dFeatures, to those of
   * the chunks before it. Leave it out for a frozen tower: it then costs no gradient work and no second pass.
   */
  backward?(input: Input, featureGrads: FeatureGrads): Promise<void> | void;

  /**
   * A snapshot (not a live object) of the random state that the next `encode` or `backward` will draw from.
   * With it `backward` replays the dropout that `encode` used; needs {@link restoreRandomState}. Neither may return a
   * promise.
   */
  randomState?(): unknown;

  /** Puts a snapshot made by {@link randomState} back. The same snapshot may be restored more than once. */
  restoreRandomState?(state: unknown): void;
}
