/**
 * What a caller may ask of a loss, and how it becomes one native request: names checked, defaults filled in, outputs
 * allocated. All checks that do not need to look at every feature happen here, before native work starts.
 *
 * Refuses names it does not know, combinations that make no sense, and output arrays that overlap anything.
 */

import { codedError } from './errors';
import { type Features, toNativeMatrix } from './matrix';
import {
  type ContrastiveRequest,
  Control,
  Direction,
  type NativeMatrix,
  type Objective,
} from './native/binding';
import { allocateRows, noOutputs, resolveOutputs } from './outputs';
import { type DirectionName, resolveTerms } from './terms';
import * as check from './validate';

export type { Objective } from './native/binding';

/** The words of `onProgress`: `fraction` of the named phase, 0 to 1. */
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
   * negative (Zhang et al. 2025, Qwen3 Embedding, eq. 2, with margin 0.1). May be negative.
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
  /** Adds strength times the similarity, without gradient, to the logits of negatives (Lan et al. 2025, eq. 5). */
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
   * this share of its weight. See docs/performance.md for where it pays.
   */
  gradientFilter?: number;
  /** 'auto' takes the fastest that is available. */
  backend?: 'auto' | 'cpu' | 'cuda';
  /** Which CUDA device; the CPU backend ignores it. */
  device?: number;
  /** Default: as many as this process may use. Results do not depend on it. */
  threads?: number;
  /** Upper bound on scratch memory in bytes. */
  workspaceBytes?: number;
  /** Arrays of the caller's to write gradients to, of exactly the right length: they are what the result holds. */
  out?: { queryGrads?: Float32Array; keyGrads?: Float32Array; hardNegativeGrads?: Float32Array };
  /** Stops the call at its next tile; the promise rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Called on the caller's thread about every 50 ms while the call runs, and once at its end with fraction 1. */
  onProgress?: (done: Progress) => void;
}

const optionNames: readonly (keyof ContrastiveOptions)[] = [
  'objective',
  'logitScale',
  'logitBias',
  'labels',
  'queryIds',
  'keyIds',
  'falseNegativeMargin',
  'hardNegatives',
  'directions',
  'partition',
  'labelSmoothing',
  'queryWeights',
  'hardness',
  'grad',
  'perRow',
  'compute',
  'gradientFilter',
  'backend',
  'device',
  'threads',
  'workspaceBytes',
  'out',
  'signal',
  'onProgress',
];

/** Named in the design, so that using one says "not yet" and not "unknown". */
const laterOptionNames = ['group'];

/** Beyond what any machine has; a larger number is a byte count in the wrong place. */
const mostThreads = 1024;

/** A checked call: what native code needs, and what stays on this side. */
export interface ResolvedCall {
  request: ContrastiveRequest;
  backend: 'auto' | 'cpu' | 'cuda';
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => void) | undefined;
}

/**
 * Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP or
 * ERR_NOT_IMPLEMENTED. With `gradient` false the options `grad` and `out` are ignored: the loss and its gradient can
 * share one options object.
 */
export function resolveCall(
  queryFeatures: Features,
  keyFeatures: Features | null,
  options: ContrastiveOptions = {},
  gradient = true,
): ResolvedCall {
  const given = check.plainObject('options', options) as ContrastiveOptions;
  check.knownNames('options', { ...given }, optionNames, laterOptionNames);
  const queries = toNativeMatrix('queries', queryFeatures);
  const keys = keyFeatures === null ? null : toNativeMatrix('keys', keyFeatures);
  const terms = resolveTerms(given, queries, keys);
  const hardKeys = resolveHardNegatives(given, queries);
  if (given.device !== undefined) check.nonNegativeInteger('options.device', given.device);
  const keysAreAnchors =
    terms.objective === 'ntxent' ||
    terms.objective === 'supcon' ||
    (terms.directions & Direction.keyToKey) !== 0;
  const perRow = given.perRow !== undefined && check.boolean('options.perRow', given.perRow);
  return {
    request: {
      queries,
      keys,
      ...terms,
      hardKeys,
      bfloat16: resolveCompute(given, queries, keys) === 'bfloat16',
      gradientFilter:
        given.gradientFilter === undefined ? 0 : check.share('options.gradientFilter', given.gradientFilter),
      gradient,
      ...(gradient ? resolveOutputs(given, { queries, keys, hardKeys, keysAreAnchors }) : noOutputs),
      rows: perRow ? allocateRows(queries.rows) : null,
      ...resolveResources(given),
      control: new Int32Array(Control.length),
    },
    backend:
      given.backend === undefined
        ? 'auto'
        : check.oneOf('options.backend', given.backend, ['auto', 'cpu', 'cuda']),
    signal: given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal),
    onProgress:
      given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress),
  };
}

function resolveCompute(
  { compute }: ContrastiveOptions,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): 'float32' | 'bfloat16' {
  if (compute !== undefined) {
    return check.oneOf('options.compute', compute, ['float32', 'bfloat16'], ['float16']);
  }
  return queries.dtype === 'bfloat16' && (keys ?? queries).dtype === 'bfloat16' ? 'bfloat16' : 'float32';
}

function resolveHardNegatives(
  { hardNegatives }: ContrastiveOptions,
  queries: NativeMatrix,
): NativeMatrix | null {
  if (hardNegatives === undefined) return null;
  const name = 'options.hardNegatives';
  const given = check.plainObject(name, hardNegatives);
  check.knownNames(name, given, ['keys', 'perQuery']);
  const perQuery = check.positiveInteger(`${name}.perQuery`, given.perQuery);
  const keys = toNativeMatrix(`${name}.keys`, given.keys);
  if (keys.rows !== perQuery * queries.rows || keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${perQuery * queries.rows}, ${queries.dim}] (perQuery * queries, dim) for ${name}.keys but received ` +
        `[${keys.rows}, ${keys.dim}]`,
    );
  }
  return keys;
}

/** `threads` and `workspaceBytes`, 0 where native code is to choose. */
export function resolveResources(given: { threads?: number; workspaceBytes?: number }): {
  threads: number;
  workspaceBytes: number;
} {
  const { threads, workspaceBytes } = given;
  return {
    threads: threads === undefined ? 0 : check.positiveInteger('options.threads', threads, mostThreads),
    workspaceBytes:
      workspaceBytes === undefined ? 0 : check.positiveInteger('options.workspaceBytes', workspaceBytes),
  };
}
