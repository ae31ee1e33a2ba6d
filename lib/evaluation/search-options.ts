/** Options of the search: what counts, and how much memory and how many threads it takes. Types only. */

import type { ProcessGroup } from '../group/process-group';
import type { EngineOptions } from './read-options';
import type { RelevantKeys } from './results';

/** The argument of `onProgress` of a search. */
export interface SearchProgress {
  /** Of the work, 0 to 1. */
  fraction: number;
}

/** Options of `topK` and of `ranks`. */
export interface SearchOptions extends EngineOptions {
  /** [M], any integers. `topK` takes them beside `excludeIds` only. */
  queryIds?: Int32Array | undefined;
  /** [N], any integers. Keys of equal id count once, by the best of them. `excludeIds` of `topK` changes this. */
  keyIds?: Int32Array | undefined;
  /** Upper bound on scratch memory in bytes, beside the result. Default: about 1.5 times the larger side. */
  workspaceBytes?: number | undefined;
  /**
   * Called about every 50 ms, and at the end. An error of it, or the rejection of a promise that it returns,
   * stops the search, and the search rejects with it.
   */
  onProgress?: ((done: SearchProgress) => unknown) | undefined;
}

export interface TopKOptions extends SearchOptions {
  /**
   * With `queryIds` and `keyIds`: leaves out the keys whose id equals the query's id, and then each key counts,
   * also beside another key of its id. Default false.
   */
  excludeIds?: boolean | undefined;
  /**
   * The keys are the part that one rank has of all keys. Each rank gets the answers for its own queries. Until the
   * search settles, make no other call of the group.
   */
  group?: ProcessGroup | undefined;
}

export interface RanksOptions extends SearchOptions {
  /**
   * Which keys are right for each query. An Int32Array [M] names one key of each query. `{ offsets, keys }` names
   * one or more of each. Default: key i for query i.
   */
  positives?: Int32Array | RelevantKeys | undefined;
  /**
   * The keys are the part that one rank has of all keys, and each rank gets the ranks of its own queries. `positives`
   * count the keys of all ranks, in rank order; by default, query i belongs to key i of its own rank. Until the call
   * settles, make no other call of the group.
   */
  group?: ProcessGroup | undefined;
}
