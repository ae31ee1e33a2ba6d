/**
 * Every option of a loss as a type: its meaning, its default, its source, and the objectives that take it.
 * `objectives.ts` tells the checks the same facts about objectives. `typed-options.ts` makes the types of a
 * call from both.
 */

import type { ProcessGroup } from '../group/process-group';
import type { Gradient } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import type { BackendName, DirectionName, Objective } from '../native/binding';
import type { StoreWriter } from '../store/store-writer';
import type { Guide } from './guide';
import type { Teacher } from './teacher';

export type { BackendName, DirectionName, Guide, Objective, Teacher };

/**
 * 'joint': one denominator over all directions. 'perDirection': one denominator each, and the mean of
 * the losses.
 */
export type Partition = 'joint' | 'perDirection';

/** Arithmetic of the matrix products. */
export type Compute = 'float32' | 'bfloat16';

/** Half of a call: logits and loss, then gradients. */
export type Phase = 'forward' | 'backward';

/** Values of the option `backend`. */
export type BackendOption = 'auto' | BackendName;

/**
 * The argument of `onProgress`: `fraction` of the named phase, 0 to 1. In a fused pass (infonce, siglip), the
 * phases are the halves of the work.
 */
export interface Progress {
  fraction: number;
  phase: Phase;
}

/** Lists of keys, one for each query, in compressed sparse rows. The order within a list does not matter. */
export interface KeyLists {
  /** [M + 1], from 0 on: the list of query i is `keys` from offsets[i] to before offsets[i + 1]. It may be empty. */
  offsets: Int32Array;
  /** Indices of keys, each once in a list. */
  keys: Int32Array;
}

/** Which rows of the hard negatives belong to each query. */
export type HardNegativeRows =
  | {
      /** Rows of each query: those from i * perQuery on, perQuery of them, belong to query i. */
      perQuery: number;
      offsets?: undefined;
    }
  | {
      perQuery?: undefined;
      /**
       * [M + 1], from 0 to the number of rows: those from offsets[i] to before offsets[i + 1] belong to query i. A
       * query may have none. CPU only.
       */
      offsets: Int32Array;
    };

/** Negatives of one query alone. */
export type HardNegatives = HardNegativeRows & {
  /** Has the shape [M * perQuery × D], or as many rows as `offsets` say. */
  keys: Features;
  /**
   * The id of each row of `keys`. A negative whose id is that of its query does not count. Needs
   * `queryIds` and `keyIds`.
   */
  ids?: Int32Array | undefined;
};

/** 'inBatch': negatives among the keys. 'hard': those in `hardNegatives`. 'all': both. */
export type HardnessScope = 'inBatch' | 'hard' | 'all';

/** A greater weight for more similar negatives: exp(strength · similarity). The weight has no gradient. */
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

/** The caller's arrays, matrices or stores for gradients. */
export interface GradientOutputs {
  queryGrads?: Gradient | StoreWriter | undefined;
  keyGrads?: Gradient | StoreWriter | undefined;
  hardNegativeGrads?: Gradient | StoreWriter | undefined;
}

/** Options that every objective takes. */
export interface CommonOptions {
  /** All objectives. Multiplier of the dot products, 1 / temperature. From 1e-25 to 1e30, default 1 / 0.07. */
  logitScale?: number | undefined;
  /** All objectives. Which feature gradients to compute, default all. Ignored by calls without gradient. */
  grad?: WantedGradients | undefined;
  /**
   * All objectives. Also return the loss and log-sum-exp of each query, and whether its positive ranks first.
   */
  perRow?: boolean | undefined;
  /**
   * All objectives. Arithmetic of the matrix products. 'bfloat16' is used where the machine multiplies it
   * (AVX512-BF16), float32 elsewhere. Default: 'bfloat16' when queries and keys are, 'float32' otherwise.
   */
  compute?: Compute | undefined;
  /**
   * All objectives. Opt-in approximation of the gradients, from 0 (default, exact) to below 1. A call skips
   * tiles in the gradient products while no row loses more than this fraction of its weight.
   * docs/performance.md says where the filter pays.
   */
  gradientFilter?: number | undefined;
  /**
   * All objectives. Default 'auto': the device of a DeviceMatrix, the CPU for features on the host. A device
   * has another arithmetic (docs/numerics.md), so 'auto' never moves features to one.
   */
  backend?: BackendOption | undefined;
  /**
   * All objectives. Which CUDA device: default 0, or the device of the features. The CPU backend ignores it.
   * Calls on different devices run beside each other.
   */
  device?: number | undefined;
  /**
   * All objectives. Threads of the CPU, default as many as `INFCL_THREADS` says, else as many as this process may
   * use; fewer for small calls. Results do not depend on this number.
   */
  threads?: number | undefined;
  /**
   * All objectives. Upper bound on scratch memory in bytes. On a device, features and gradients count
   * as well.
   */
  workspaceBytes?: number | undefined;
  /**
   * All objectives. The caller's arrays for the gradients, of exactly the right length; the result contains
   * them. For features on a device: a float32 DeviceMatrix there, of the gradient's shape. For features on the
   * host also a new store of that shape (`FeatureStore.create` with `rows`). The result then has an array of
   * length 0 in its place, and the caller commits the store. Until the call has settled, no other call may read
   * or write any of them. Ignored by calls without gradient.
   */
  out?: GradientOutputs | undefined;
  /**
   * All objectives. Queries and keys are the shard of one rank of several. The loss and the gradients are those of the
   * batch of all ranks, each rank with the gradients of its own rows. `labels` count the keys of all ranks, in rank
   * order. The call waits for the same call of every other rank. docs/ring.md says how. CPU only, and not for calls
   * that block.
   */
  group?: ProcessGroup | undefined;
  /** All objectives. Stops the call at its next tile; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * All objectives. Called on the caller's thread about every 50 ms while the call runs, and once at its end
   * with fraction 1. An error that it throws stops the call, and so does the rejection of a promise that it
   * returns. The call settles after such promises.
   */
  onProgress?: ((done: Progress) => unknown) | undefined;
}

/** Options that some objectives take and others refuse; `objectives.ts` says which. */
export interface ObjectiveOptions {
  /** siglip. Added to every logit. Default -10. */
  logitBias?: number | undefined;
  /**
   * infonce: index of each query's positive among the keys. Default: row i's positive is key i. Not
   * with `directions`.
   *
   * clip, infonce: lists of positives, at least one of each query. Every positive has a denominator of its own,
   * in which the query's other positives do not count, and the loss of a query is their mean. In clip, the
   * positives of a key are the queries that list it; a key that no query lists is no anchor. CPU only. Not with
   * `labelSmoothing`, `falseNegativeMargin` or, in clip, `queryWeights`.
   *
   * supcon, which requires it: class of each query, and of the key in the same row.
   */
  labels?: Int32Array | KeyLists | undefined;
  /**
   * clip, infonce, ntxent, siglip. A query and a key of equal id do not count against each other, except as
   * labelled positive. Needs `keyIds`.
   */
  queryIds?: Int32Array | undefined;
  /** clip, infonce, ntxent, siglip. The id of each key. Needs `queryIds`. */
  keyIds?: Int32Array | undefined;
  /**
   * clip, infonce, siglip. Pairs of a query and a key that do not count against each other, as with equal ids. A
   * listed pair that is a labelled positive still counts. CPU only.
   */
  excludePairs?: KeyLists | undefined;
  /**
   * clip, infonce, ntxent. A negative does not count if its dot exceeds the positive's by more than
   * this. It is taken for a false negative, as in the training of Qwen3 Embedding (Zhang et al. 2025).
   * May be negative.
   */
  falseNegativeMargin?: number | undefined;
  /**
   * clip, infonce. Features of another, frozen model that tells false negatives: a negative does not count if the
   * guide finds it more similar than the positive, less a margin (GISTEmbed, Solatorio 2024). CPU backend.
   */
  guide?: Guide | undefined;
  /**
   * clip, infonce. Features of another, frozen model whose softmax over the keys is a second target (distillation, as
   * open_clip's DistillClipLoss). Not with `hardNegatives`, `hardness` or `directions`. CPU backend.
   */
  teacher?: Teacher | undefined;
  /** clip, infonce. Negatives of one query alone. */
  hardNegatives?: HardNegatives | undefined;
  /**
   * infonce. The similarities that count against a pair, as in sentence-transformers; 'queryToKey' must be
   * among them. With `directions`, the default objective is 'infonce'.
   */
  directions?: readonly DirectionName[] | undefined;
  /**
   * infonce. The number of denominators: one over all `directions`, or one each. Needs `directions`.
   * Default 'joint'.
   */
  partition?: Partition | undefined;
  /**
   * clip, infonce, ntxent. Fraction of the target spread evenly over all keys that count, as in PyTorch's
   * cross_entropy. From 0 to below 1. Not with `hardness`.
   */
  labelSmoothing?: number | undefined;
  /** clip, infonce, ntxent, siglip. Weight of each query's loss; the loss is then their weighted mean. */
  queryWeights?: Float32Array | undefined;
  /**
   * clip, infonce, ntxent. Negatives weigh exp(strength · similarity) more, as in LLaVE (Lan et al. 2025).
   * The weight has no gradient. Not with `labelSmoothing`.
   */
  hardness?: Hardness | undefined;
}

/** Name of an option that some objectives refuse. */
export type ObjectiveOption = keyof ObjectiveOptions;

/**
 * Options of any objective, for programs that choose the objective while they run. The call, and not the
 * compiler, finds options that do not belong together.
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
