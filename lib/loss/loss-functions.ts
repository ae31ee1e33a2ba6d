/**
 * Signatures and results of the four loss functions. Where a call's options ask for an optional result, an
 * overload says that the result is there.
 *
 * Types only; `contrastive-loss.ts` makes the functions.
 */

import type { DeviceMatrix, Gradient } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import type { NativeStats, RingStep } from '../native/binding';
import type { BackendName, Objective } from './options';
import type { AskForHardNegativeGrads, AskForRows, OptionsFor } from './typed-options';

export type { RingStep };

/** The cost of a call. Times in seconds, sizes in bytes. */
export interface Stats extends NativeStats {
  backend: BackendName;
  /** Name of the device; null on the CPU. */
  device: string | null;
}

/** One entry per query. */
export interface RowResults {
  loss: Float32Array;
  /** Log-sum-exp of all logits that count against the query; NaN for 'siglip', which has none. */
  lse: Float32Array;
  /** 1 where no key scores above the positive. */
  positiveFirst: Uint8Array;
}

export interface LossResult {
  loss: number;
  /**
   * Fraction of queries whose positive (supcon: best positive) no key outranks; ties count as first. NaN
   * where queries are compared with each other only.
   */
  accuracy: number;
  /** With `perRow: true`. */
  rows?: RowResults;
  stats: Stats;
}

/** Gradients are float32 and in the place of the features: a DeviceMatrix for each DeviceMatrix. */
export interface LossAndGradResult<G extends Gradient = Float32Array> extends LossResult {
  /** dLoss/dQueries [M × D], row-major; of length 0 (on a device: of no rows) when `grad.queries` is false. */
  queryGrads: G;
  /** dLoss/dKeys [N × D], or [n × D] with `grad.keys: { rows: n }`; of length 0 when `grad.keys` is false. */
  keyGrads: G;
  /** dLoss/dHardNegatives, of the shape of `hardNegatives.keys`, for `hardNegatives` with a gradient. */
  hardNegativeGrads?: G;
  /** dLoss/dLogitScale. */
  logitScaleGrad: number;
  /** dLoss/dLogitBias. 0 for every objective but 'siglip', as a bias cancels in a softmax. */
  logitBiasGrad: number;
}

/** The type of the gradient of these features. */
export type GradientOf<F extends Features> = F extends DeviceMatrix ? DeviceMatrix : Float32Array;

/** A result of a call with `perRow: true`. */
export interface WithRows {
  rows: RowResults;
}

/** A result of a call that asked for the gradient of its hard negatives. */
export interface WithHardNegativeGrads<G extends Gradient = Float32Array> {
  hardNegativeGrads: G;
}

export interface LossFunctions {
  /** The loss, and results of each query in `rows`. All else is as without `perRow`. */
  contrastiveLoss<O extends Objective = 'clip'>(
    queries: Features,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows,
  ): Promise<LossResult & WithRows>;
  /**
   * Loss of `queries` [M × D] against `keys` [N × D], of float32, float16 or bfloat16. Features are used as
   * they are: normalise them first if the model does. With x_ij = s · q_i·k_j, p(i) the positive of row i,
   * and x never stored:
   *
   *   infonce  L = mean_i [ lse_j x_ij − x_i,p(i) ]                              (van den Oord et al. 2018, eq. 4)
   *   clip     L = mean_i [ ½ (lse_j x_ij + lse_j x_ji) − x_ii ]                 (Radford et al. 2021)
   *   ntxent   clip, each lse also over the other rows of its own side           (Chen et al. 2020, eq. 1)
   *   supcon   L = mean_a [ lse_b≠a x_ab − mean_p∈P(a) x_ap ], a with positives  (Khosla et al. 2020, eq. 2)
   *   siglip   L = 1/M Σ_ij log(1 + exp(−z_ij (x_ij + c))), z = 1 for pairs, −1  (Zhai et al. 2023, eq. 1)
   *            for all others
   *
   * Features in a {@link DeviceMatrix} stay on its device, which runs the call. Calls do not block the
   * event loop, and run one after another, in order. The arrays must not change until the promise settles.
   * Rejects with the codes of docs/troubleshooting.md, with `signal.reason`, or with an error that
   * `onProgress` threw.
   */
  contrastiveLoss<O extends Objective = 'clip'>(
    queries: Features,
    keys: Features | null,
    options?: OptionsFor<O>,
  ): Promise<LossResult>;

  /** The loss, its gradients, also of the hard negatives, and results of each query in `rows`. */
  contrastiveLossAndGrad<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows & AskForHardNegativeGrads,
  ): Promise<LossAndGradResult<GradientOf<Q>> & WithRows & WithHardNegativeGrads<GradientOf<Q>>>;
  /** The loss, its gradients, and results of each query in `rows`. All else is as without `perRow`. */
  contrastiveLossAndGrad<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows,
  ): Promise<LossAndGradResult<GradientOf<Q>> & WithRows>;
  /** The loss and its gradients, also of the hard negatives. All else is as without hard negatives. */
  contrastiveLossAndGrad<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForHardNegativeGrads,
  ): Promise<LossAndGradResult<GradientOf<Q>> & WithHardNegativeGrads<GradientOf<Q>>>;
  /**
   * The loss as `contrastiveLoss`, and its gradients with respect to queries, keys and logit scale, in
   * float32. Gradients of host features are arrays. The gradient of a DeviceMatrix is a DeviceMatrix, which
   * the caller disposes of.
   */
  contrastiveLossAndGrad<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options?: OptionsFor<O>,
  ): Promise<LossAndGradResult<GradientOf<Q>>>;

  /** The loss, and results of each query in `rows`. All else is as without `perRow`. */
  contrastiveLossSync<O extends Objective = 'clip'>(
    queries: Features,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows,
  ): LossResult & WithRows;
  /**
   * `contrastiveLoss`, blocking: for frameworks whose gradient hooks are synchronous. Waits for an
   * asynchronous call that runs on this thread, and goes before calls that wait. Checks `signal` once, before
   * the work, and calls `onProgress` once, after the work.
   */
  contrastiveLossSync<O extends Objective = 'clip'>(
    queries: Features,
    keys: Features | null,
    options?: OptionsFor<O>,
  ): LossResult;

  /** The loss, its gradients, also of the hard negatives, and results of each query in `rows`. */
  contrastiveLossAndGradSync<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows & AskForHardNegativeGrads,
  ): LossAndGradResult<GradientOf<Q>> & WithRows & WithHardNegativeGrads<GradientOf<Q>>;
  /** The loss, its gradients, and results of each query in `rows`. All else is as without `perRow`. */
  contrastiveLossAndGradSync<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForRows,
  ): LossAndGradResult<GradientOf<Q>> & WithRows;
  /** The loss and its gradients, also of the hard negatives. All else is as without hard negatives. */
  contrastiveLossAndGradSync<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options: OptionsFor<O> & AskForHardNegativeGrads,
  ): LossAndGradResult<GradientOf<Q>> & WithHardNegativeGrads<GradientOf<Q>>;
  /**
   * `contrastiveLossAndGrad`, blocking: for frameworks whose gradient hooks are synchronous. See
   * `contrastiveLossSync` for `signal` and `onProgress`.
   */
  contrastiveLossAndGradSync<Q extends Features, O extends Objective = 'clip'>(
    queries: Q,
    keys: Features | null,
    options?: OptionsFor<O>,
  ): LossAndGradResult<GradientOf<Q>>;
}
