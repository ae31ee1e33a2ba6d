/**
 * A group of ranks, as programs see it: processes that a launcher started together, and that make the same calls in
 * the same order.
 *
 * A call of one rank that the others do not make in the same way is refused on all ranks: each rank first tells the
 * others which call it makes, and over which array. After such a refusal the group goes on. After a failure of a rank,
 * every later call ends with the text of that failure.
 */

import type { CollectiveArray, Reduction } from '../native/binding';

export type { CollectiveArray, Reduction };

/** Arrays whose values can be reduced. */
export type ReducibleArray = Float32Array | Float64Array | Int32Array;

/** Made by `mpi()` of `infcl/mpi`. The docs of a method name its own errors; all methods have ERR_RANK_FAILED and ERR_DISPOSED. */
export interface ProcessGroup {
  /** Of this process, from 0. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Milliseconds that a call waits while nothing moves. Then the call ends with ERR_RANK_FAILED. */
  readonly timeout: number;

  /**
   * Replaces `values` on all ranks by their sum, minimum or maximum over the ranks, element by element, and resolves to
   * `values`. All ranks get the same bits. A sum of float32 is made in float64, in the order of ranks, and rounded once.
   * A sum of int32 wraps around. NaN on one rank is NaN on all.
   *
   * Errors: ERR_TYPE, ERR_VALUE, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP for arguments; ERR_SHAPE, ERR_VALUE where ranks
   * differ. After these errors `values` is as before. ERR_RANK_FAILED may leave a part of it replaced.
   */
  allReduce<T extends ReducibleArray>(values: T, operation?: Reduction): Promise<T>;

  /** Replaces `values` on all ranks by those of rank `root` (default 0), and resolves to `values`. Errors as allReduce. */
  broadcast<T extends CollectiveArray>(values: T, root?: number): Promise<T>;

  /** A new array with the values of all ranks, one rank after another: [size * values.length]. Errors as allReduce. */
  allGather<T extends CollectiveArray>(values: T): Promise<T>;

  /** Resolves when all ranks have called it. */
  barrier(): Promise<void>;

  /**
   * Waits until all ranks close the group or end, then ends MPI. Calls that were made before come first. A second call
   * returns the same promise. A process can open one group in its life.
   */
  close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
