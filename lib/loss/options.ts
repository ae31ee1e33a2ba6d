/**
 * Every option of a loss as a type: its meaning, its default, its source, and the objectives that take it.
 * `objectives.ts` says the same of objectives to the checks, `typed-options.ts` makes the types of a call of both.
 */

import type { Gradient } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import type { BackendName, Direction, Objective } from '../native/binding';

export type { BackendName, Objective };

/** Which similarities count against a pair: of a query and a key, and of either with its own kind. */
export type DirectionName = keyof typeof Direction;

/** 'joint': all directions in one denominator. 'perDirection': one denominator each, and the mean of the losses. */
export type Partition = 'joint' | 'perDirection';

/** Arithmetic of the matrix products. */
export type Compute = 'float32' | 'bfloat16';

/** Half of a call: logits and loss, then gradients. */
export type Phase = 'forward' | 'backward';

/** What the option `backend` takes. */
export type BackendOption = 'auto' | BackendName;

/**
 * The words of `onProgress`: `fraction` of the named phase, 0 to 1. Where both passes go through the rows together (infonce,
 * siglip), phases are the halves of the work.
 */
export interface Progress {
  fraction: number;
  phase: Phase;
}

/** Negatives of each query's own. */
export interface HardNegatives {
  /** [M * perQuery × D]: rows [i * perQuery, (i + 1) * perQuery) belong to query i. */
  keys: Features;
  /** Number of negatives of one query. */
  perQuery: number;
}

/** 'inBatch': negatives among the keys. 'hard': those of `hardNegatives`. 'all': both. */
export type HardnessScope = 'inBatch' | 'hard' | 'all';

/** How much more similar negatives weigh: exp(strength · similarity), the weight without gradient. */
export interface Hardness {
  /** Positive, up to 1e30. */
  strength: number;
  /** Which negatives are weighed. */
  on: HardnessScope;
}

/** Whether keys get a gradient. `{ rows: n }`: the first n keys only; the other keys are a bank. */
export type WantedKeyGradients = boolean | { rows: number };

/** Which feature gradients are wanted. */
export interface WantedGradients {
  /** Default true. */
  queries?: boolean | undefined;
  /** `{ rows: n }`: gradients of the first n keys only; the other keys are a bank. Default true. */
  keys?: WantedKeyGradients | undefined;
  /** Default: true unless `keys` is false. */
  hardNegatives?: boolean | undefined;
}

/** Arrays of the caller's to write gradients to. */
export interface GradientOutputs {
  queryGrads?: Gradient | undefined;
  keyGrads?: Gradient | undefined;
  hardNegativeGrads?: Gradient | undefined;
}

/** Options that every objective takes. */
export interface CommonOptions {
  /** All objectives. Multiplier of the dot products, 1 / temperature. From 1e-25 to 1e30, default 1 / 0.07. */
  logitScale?: number | undefined;
  /** All objectives. Which feature gradients to compute, default all. Ignored by calls without gradient. */
  grad?: WantedGradients | undefined;
  /** All objectives. Also return each query's loss, log-sum-exp and whether its positive ranks first. */
  perRow?: boolean | undefined;
  /**
   * All objectives. Arithmetic of the matrix products. 'bfloat16' is used where the machine multiplies it
   * (AVX512-BF16), float32 elsewhere. Default: 'bfloat16' when queries and keys are, 'float32' otherwise.
   */
  compute?: Compute | undefined;
  /**
   * All objectives. Opt-in approximation of the gradients, from 0 (default, exact) to below 1: tiles are left out of
   * them while no row loses more than this share of its weight. See docs/performance.md for where it pays.
   */
  gradientFilter?: number | undefined;
  /**
   * All objectives. Default 'auto': where the features are, the CPU or the device of a DeviceMatrix. A device has another
   * arithmetic (docs/numerics.md), so 'cuda' is only taken when asked for, or where features were brought there.
   */
  backend?: BackendOption | undefined;
  /**
   * All objectives. Which CUDA device: default 0, or the one that the features are on. The CPU backend ignores it. Calls
   * on different devices run beside each other.
   */
  device?: number | undefined;
  /** All objectives. Threads of the CPU, default as many as this process may use. Results do not depend on it. */
  threads?: number | undefined;
  /** All objectives. Upper bound on scratch memory in bytes; on a device it holds features and gradients as well. */
  workspaceBytes?: number | undefined;
  /**
   * All objectives. Arrays of the caller's to write gradients to, of exactly the right length: they are what the result
   * holds. With features on a device: float32 DeviceMatrix there, of the gradients' shapes. Until the call has settled,
   * no other call may read or write them. Ignored by calls without gradient.
   */
  out?: GradientOutputs | undefined;
  /** All objectives. Stops the call at its next tile; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * All objectives. Called on the caller's thread about every 50 ms while the call runs, and once at its end with
   * fraction 1. What it throws stops the call. So does the rejection of a promise that it returns; the call settles
   * after such promises.
   */
  onProgress?: ((done: Progress) => unknown) | undefined;
}

/** Options that some objectives take and others refuse; `objectives.ts` says which. */
export interface ObjectiveOptions {
  /** siglip. Added to every logit. Default -10. */
  logitBias?: number | undefined;
  /**
   * infonce: index of each query's positive among the keys; default: row i's positive is key i. Not with `directions`.
   * supcon, which requires it: class of each query, and of the key of the same row.
   */
  labels?: Int32Array | undefined;
  /**
   * clip, infonce, ntxent, siglip. A query and a key of equal id do not count against each other, unless as labelled
   * positive. Needs `keyIds`.
   */
  queryIds?: Int32Array | undefined;
  /** clip, infonce, ntxent, siglip. The id of each key; see `queryIds`, which it needs. */
  keyIds?: Int32Array | undefined;
  /**
   * clip, infonce, ntxent. A negative whose dot product exceeds the positive's by more than this does not count: it is
   * taken for a false negative, as in the training of Qwen3 Embedding (Zhang et al. 2025). May be negative.
   */
  falseNegativeMargin?: number | undefined;
  /** clip, infonce. Negatives of each query's own. */
  hardNegatives?: HardNegatives | undefined;
  /**
   * infonce. Which similarities count against a pair, as in sentence-transformers; 'queryToKey' must be among them. With
   * it, the default objective is 'infonce'.
   */
  directions?: readonly DirectionName[] | undefined;
  /** infonce. Into how many denominators `directions` go, which it needs. Default 'joint'. */
  partition?: Partition | undefined;
  /**
   * clip, infonce, ntxent. Share of the target spread evenly over all keys that count, as in PyTorch's cross_entropy.
   * From 0 to below 1. Not with `hardness`.
   */
  labelSmoothing?: number | undefined;
  /** clip, infonce, ntxent, siglip. Weight of each query's loss; the loss is then their weighted mean. */
  queryWeights?: Float32Array | undefined;
  /**
   * clip, infonce, ntxent. Negatives weigh exp(strength · similarity) more, the weight without gradient, as in LLaVE (Lan
   * et al. 2025). Not with `labelSmoothing`.
   */
  hardness?: Hardness | undefined;
}

/** Name of an option that some objectives refuse. */
export type ObjectiveOption = keyof ObjectiveOptions;

/**
 * Options of whichever objective, for programs that choose the objective while they run. What does not belong together
 * is found by the call and not by the compiler.
 */
export interface AnyContrastiveOptions extends CommonOptions, ObjectiveOptions {
  /**
   * - 'clip' (default): mean of both directions' cross-entropies; as many keys as queries.
   * - 'infonce': queries to keys only; keys may be more than queries.
   * - 'ntxent': SimCLR; queries and keys are two views, each also negative to its own side.
   * - 'supcon': supervised contrastive, L_out; rows of equal `labels` are positives. `keys` may be null.
   * - 'siglip': sigmoid loss of every pair, summed and divided by the number of queries.
   */
  objective?: Objective | undefined;
}
