/**
 * What a caller may ask of a loss, as types: the words, their meaning, defaults and sources. `options.ts` turns them into
 * a native request.
 */

import type { Gradient } from './device-matrix';
import type { Features } from './features';
import type { Direction, Objective } from './native/binding';

export type { Objective };

/** Which similarities count against a pair: of a query and a key, and of either with its own kind. */
export type DirectionName = keyof typeof Direction;

/**
 * The words of `onProgress`: `fraction` of the named phase, 0 to 1. Where both laps go through the rows together (infonce,
 * siglip), phases are the halves of the work.
 */
export interface Progress {
  fraction: number;
  phase: 'forward' | 'backward';
}

export interface ContrastiveOptions {
  /**
   * - 'clip' (default): mean of both directions' cross-entropies; as many keys as queries.
   * - 'infonce': queries to keys only; keys may be more than queries.
   * - 'ntxent': SimCLR; queries and keys are two views, each also negative to its own side.
   * - 'supcon': supervised contrastive, L_out; rows of equal `labels` are positives. `keys` may be null.
   * - 'siglip': sigmoid loss of every pair, summed and divided by the number of queries.
   */
  objective?: Objective;
  /** Multiplier of the dot products, 1 / temperature. Positive. Default 1 / 0.07. */
  logitScale?: number;
  /** siglip: added to every logit. Default -10. */
  logitBias?: number;
  /**
   * infonce: index of each query's positive among the keys; default: row i's positive is key i.
   * supcon: class of each query, and of the key of the same row.
   */
  labels?: Int32Array;
  /** A query and a key of equal id do not count against each other, unless as labelled positive. Both or none. */
  queryIds?: Int32Array;
  keyIds?: Int32Array;
  /**
   * A negative whose dot product exceeds the positive's by more than this does not count: it is taken for a false
   * negative, as in the training of Qwen3 Embedding (Zhang et al. 2025). May be negative.
   */
  falseNegativeMargin?: number;
  /** Negatives of each query's own: rows [i * perQuery, (i + 1) * perQuery) of `keys` belong to query i. */
  hardNegatives?: { keys: Features; perQuery: number };
  /**
   * infonce: which similarities count against a pair, as in sentence-transformers; 'queryToKey' must be among them.
   * partition 'joint' (default): in one denominator. 'perDirection': each in its own, and the mean of the losses.
   */
  directions?: readonly DirectionName[];
  partition?: 'joint' | 'perDirection';
  /** Share of the target spread evenly over all keys that count, as in PyTorch's cross_entropy. Below 1. */
  labelSmoothing?: number;
  /** Weight of each query's loss; the loss is then their weighted mean. */
  queryWeights?: Float32Array;
  /** Negatives weigh exp(strength · similarity) more, the weight without gradient, as in LLaVE (Lan et al. 2025). */
  hardness?: { strength: number; on: 'inBatch' | 'hard' | 'all' };
  /** Which feature gradients to compute, default all. `{ rows: n }`: those of the first n keys, the rest is a bank. */
  grad?: { queries?: boolean; keys?: boolean | { rows: number }; hardNegatives?: boolean };
  /** Also return each query's loss, log-sum-exp and whether its positive ranks first. */
  perRow?: boolean;
  /**
   * Arithmetic of the matrix products; sums are float32 in any case. 'bfloat16' is used where the machine multiplies it
   * (AVX512-BF16), float32 elsewhere. Default: 'bfloat16' when queries and keys are, 'float32' otherwise.
   */
  compute?: 'float32' | 'bfloat16';
  /**
   * Opt-in approximation of the gradients, default 0 = exact: tiles are left out of them while no row loses more than
   * this share of its weight. See docs/performance.md for where it pays. CPU only.
   */
  gradientFilter?: number;
  /**
   * Default 'auto': where the features are, the CPU or the device of a DeviceMatrix. A device has another arithmetic (see
   * docs/numerics.md), so 'cuda' is only ever taken when asked for, or where features were brought there.
   */
  backend?: 'auto' | 'cpu' | 'cuda';
  /** Which CUDA device, default 0, or the one that the features are on; the CPU backend ignores it. Calls on different devices run beside each other. */
  device?: number;
  /** Of the CPU. Default: as many as this process may use. Results do not depend on it. */
  threads?: number;
  /** Upper bound on scratch memory in bytes; on a device it holds features and gradients as well. */
  workspaceBytes?: number;
  /**
   * Arrays of the caller's to write gradients to, of exactly the right length: they are what the result holds. With
   * features on a device: float32 DeviceMatrix there, of the gradients' shapes. Until the call has settled, no other
   * call may read or write them.
   */
  out?: { queryGrads?: Gradient; keyGrads?: Gradient; hardNegativeGrads?: Gradient };
  /** Stops the call at its next tile; the promise rejects with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Called on the caller's thread about every 50 ms while the call runs, and once at its end with fraction 1. What it
   * throws stops the call. So does the rejection of a promise that it returns; the call settles after such promises.
   */
  onProgress?: (done: Progress) => void;
}
