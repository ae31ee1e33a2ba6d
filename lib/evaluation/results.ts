/**
 * What a search leaves for the metrics: the best keys of each query, or the rank of each query's positive.
 *
 * Types only. Results of another library fit as well, once they have these fields.
 */

/** The best keys of each query, best first. Among equal scores, the lower key comes first. */
export interface TopK {
  /** [M × k], row-major: the keys of query i. -1 where fewer than k keys were left, at the end of a row. */
  indices: Int32Array;
  /** [M × k], row-major: the score of each key; -Infinity where the index is -1. */
  scores: Float32Array;
  /** [M, k]. */
  shape: readonly [queries: number, k: number];
}

/** The best keys as any library may have them: a {@link TopK} with or without scores. */
export interface TopKLike {
  /** As in {@link TopK}. */
  indices: Int32Array;
  /** [M, k]. */
  shape: ArrayLike<number>;
  /** As in {@link TopK}. Checked where they are there. */
  scores?: Float32Array | undefined;
}

/**
 * The rank of each query's positive among all keys, from 1. Of several positives, the rank of the best one.
 * Keys that score as the positive does are ties, and the three arrays say where ties may put the positive.
 */
export interface Ranks {
  /** [M]. 1 + greater + equal / 2: the mean over all orders of the ties ("realistic rank" of PyKEEN). */
  rank: Float64Array;
  /** [M]. 1 + greater: the positive before all ties. */
  optimistic: Float64Array;
  /** [M]. 1 + greater + equal: the positive after all ties. */
  pessimistic: Float64Array;
}

/** Ranks as any library may have them: with or without their bounds. */
export interface RanksLike {
  /** As in {@link Ranks}. */
  rank: Float64Array;
  /** As in {@link Ranks}. Checked where they are there. */
  optimistic?: Float64Array | undefined;
  /** As in {@link Ranks}. Checked where they are there. */
  pessimistic?: Float64Array | undefined;
}

/** Which keys are relevant to each query, in the form of compressed sparse rows. */
export interface RelevantKeys {
  /**
   * [M + 1], from 0, never falling: `keys` from `offsets[i]` to before `offsets[i + 1]` belong to query i.
   */
  offsets: Int32Array;
  /** Indices of keys. No key occurs twice within one query. */
  keys: Int32Array;
}
