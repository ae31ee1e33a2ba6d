/**
 * The positive with the largest score of each query, as keys come block by block: its row, without gaps.
 *
 * Refuses to guess scores: small searches over a few pairs compute them, with the bits of every other search.
 */

import { allocateElements } from '../matrix/allocate';
import type { NativeHostMatrix } from '../native/binding';
import type { KeyBlock } from './keys-of-ranks';
import type { Ranks, RelevantKeys } from './results';

/** Ranks in one matrix of keys. */
export type SearchRanks = (
  queries: NativeHostMatrix,
  keys: NativeHostMatrix,
  positives: RelevantKeys,
) => Promise<Pick<Ranks, 'optimistic' | 'pessimistic'>>;

export class BestPositives {
  /** [queries × dim]. Zeros where no positive has come yet. */
  readonly rows: NativeHostMatrix;
  private readonly has: Uint8Array;

  /** Throws ERR_OUT_OF_MEMORY. */
  constructor(
    private readonly queries: NativeHostMatrix,
    private readonly positives: RelevantKeys,
    private readonly search: SearchRanks,
  ) {
    const { rows, dim } = queries;
    this.has = new Uint8Array(rows);
    this.rows = { data: new Float32Array(0), dtype: 'float32', rows, dim, rowStride: dim };
  }

  async add({ firstKey, keys }: KeyBlock): Promise<void> {
    if (this.rows.data.length === 0) {
      this.rows.data = allocateElements('the positives', this.rows.rows * keys.dim, keys.dtype);
      this.rows.dtype = keys.dtype;
    }
    const { offsets, keys: all } = this.positives;
    for (let query = 0; query < this.queries.rows; query++) {
      for (let at = offsets[query]!; at < offsets[query + 1]!; at++) {
        const key = all[at]! - firstKey;
        if (key >= 0 && key < keys.rows) await this.offer(query, keys, key);
      }
    }
  }

  /** Takes the key where it scores more than the positive before. */
  private async offer(query: number, keys: NativeHostMatrix, key: number): Promise<void> {
    const { dim, data } = this.rows;
    const row = keys.data.subarray(key * dim, (key + 1) * dim);
    const kept = data.subarray(query * dim, (query + 1) * dim);
    if (this.has[query]! && !(await this.precedes(query, { ...keys, data: row, rows: 1 }, kept))) return;
    kept.set(row);
    this.has[query] = 1;
  }

  /** Whether a key outranks the one that is kept: the rank of the kept one, among both, is then 2. */
  private async precedes(
    query: number,
    key: NativeHostMatrix,
    kept: Float32Array | Uint16Array,
  ): Promise<boolean> {
    const { queries, rows } = this;
    const begin = query * queries.rowStride;
    const one = { ...queries, data: queries.data.subarray(begin, begin + queries.dim), rows: 1 };
    const both = { ...rows, data: allocateElements('two keys', 2 * rows.dim, rows.dtype), rows: 2 };
    both.data.set(kept);
    both.data.set(key.data, rows.dim);
    const { optimistic } = await this.search(one, both, {
      offsets: Int32Array.of(0, 1),
      keys: Int32Array.of(0),
    });
    return optimistic[0] === 2;
  }
}
