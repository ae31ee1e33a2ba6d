/**
 * The interface between the trainer and a neural network. `encode` turns one chunk of inputs into features.
 * `backward` later pushes the gradient of these features back into the parameters. Two functions, flat
 * arrays, no framework type.
 *
 * Refuses to know parameters, the way gradients are added up, and the optimiser.
 */

import type { HostFeatures, MatrixLike } from '../matrix/host-matrix';

/**
 * Gradient of the loss with respect to one chunk's features: float32, row-major, contiguous, [rows x dim].
 */
export interface FeatureGrads extends MatrixLike {
  /**
   * A view of the step's gradient matrix: read it before `backward` returns or resolves, and do not keep it.
   */
  data: Float32Array;
  shape: readonly [rows: number, dim: number];
  dtype: 'float32';
}

/** One tower. `Input` is the framework's type of one chunk of inputs: a tensor, token ids, image paths. */
export interface Encoder<Input> {
  /**
   * Features [rows x dim] of one chunk, as the loss functions take them, without recording a graph. Copied
   * at once.
   */
  encode(input: Input): Promise<HostFeatures> | HostFeatures;

  /**
   * Encodes the chunk again with a graph, and *adds* its parameter gradients, given dLoss/dFeatures, to
   * those of earlier chunks. Leave it out for a frozen tower, which then costs no gradient work and no
   * backward phase.
   */
  backward?(input: Input, featureGrads: FeatureGrads): Promise<void> | void;

  /**
   * A snapshot (not a live object) of the random state from which the next `encode` or `backward` will draw.
   * With it, `backward` replays the dropout of `encode`. Needs {@link restoreRandomState}. Neither method may
   * return a promise.
   */
  randomState?(): unknown;

  /** Restores a snapshot of {@link randomState}. The same snapshot may be restored more than once. */
  restoreRandomState?(state: unknown): void;
}
