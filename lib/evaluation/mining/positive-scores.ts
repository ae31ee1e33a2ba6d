/**
 * The lowest score that a positive of each query has, with the bits that the search gives this pair: a key that
 * equals the positive then scores exactly as much.
 *
 * Refuses to guess those bits: a small search over a few queries and their positives computes them.
 */

import { types } from 'node:util';
import { codedError, isInfclError } from '../../errors';
import type { NativeHostMatrix } from '../../native/binding';
import { lengthOf } from '../../typed-array';
import type { TopK } from '../results';
import type { CheckedPart } from './key-parts';
import type { Positives } from './positives';

/** All keys of a block, best first, for each query of the block. */
export type SearchBlock = (queries: NativeHostMatrix, keys: NativeHostMatrix) => Promise<TopK>;

/** Pairs of one search, which computes the square of this number of scores. */
const blockPairs = 64;

interface Pairs {
  /** [pairs], the rows of queries. */
  queries: Int32Array;
  /** [pairs], the rows of keys, ascending. */
  keys: Int32Array;
}

export class PositiveScores {
  /** [queries]; Infinity where no positive has come yet. */
  readonly lowest: Float32Array;
  private readonly pairs: Pairs;

  constructor(
    private readonly queries: NativeHostMatrix,
    positives: Positives,
    private readonly search: SearchBlock,
  ) {
    this.lowest = new Float32Array(queries.rows).fill(Number.POSITIVE_INFINITY);
    this.pairs = pairsByKey(positives);
  }

  /** Computes the scores of the positives that are in this part. */
  async add(part: CheckedPart): Promise<void> {
    const begin = countBelow(this.pairs.keys, part.firstKey);
    const end = countBelow(this.pairs.keys, part.firstKey + part.keys.rows);
    for (let at = begin; at < end; at += blockPairs) {
      await this.addBlock(part, at, Math.min(at + blockPairs, end));
    }
  }

  /** The pairs from `begin` to before `end`. */
  private async addBlock({ name, firstKey, keys }: CheckedPart, begin: number, end: number): Promise<void> {
    const queryRows = this.pairs.queries.subarray(begin, end);
    const keyRows = this.pairs.keys.subarray(begin, end).map((key) => key - firstKey);
    const found = await this.searchBlock(
      gathered('queries', this.queries, queryRows),
      gathered(name, keys, keyRows),
    ).catch((error) => {
      // rows of the block, which the message names, are not those of the caller
      if (!isInfclError(error) || error.code !== 'ERR_NOT_FINITE') throw error;
      const where = `positives from key ${firstKey + keyRows[0]!} to ${firstKey + keyRows.at(-1)!}, in ${name}, or in their queries`;
      throw codedError(error.code, `Expected finite features but received others in ${where}`, error);
    });
    queryRows.forEach((query, i) => {
      const row = i * keyRows.length;
      const place = found.indices.subarray(row, row + keyRows.length).indexOf(i);
      this.lowest[query] = Math.min(this.lowest[query]!, found.scores[row + place]!);
    });
  }

  /** Async, so that what the search throws is a rejection. */
  private async searchBlock(queries: NativeHostMatrix, keys: NativeHostMatrix): Promise<TopK> {
    return this.search(queries, keys);
  }
}

function pairsByKey({ offsets, keys }: Positives): Pairs {
  const queryOf = new Int32Array(keys.length);
  for (let query = 0; query + 1 < offsets.length; query++)
    queryOf.fill(query, offsets[query], offsets[query + 1]);
  const order = Int32Array.from(keys, (_, at) => at).sort((a, b) => keys[a]! - keys[b]!);
  return { queries: order.map((at) => queryOf[at]!), keys: order.map((at) => keys[at]!) };
}

/** The number of sorted values below this one. */
function countBelow(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Copies of some rows, without gaps. Throws ERR_DETACHED. */
function gathered(name: string, matrix: NativeHostMatrix, rows: Int32Array): NativeHostMatrix {
  requireAttached(name, matrix);
  const { data, dim, rowStride } = matrix;
  const length = rows.length * dim;
  const into = types.isFloat32Array(data) ? new Float32Array(length) : new Uint16Array(length);
  rows.forEach((row, i) => {
    into.set(data.subarray(row * rowStride, row * rowStride + dim), i * dim);
  });
  return { ...matrix, data: into, rows: rows.length, rowStride: dim };
}

/** Throws ERR_DETACHED for features that were transferred away while the call waited. */
export function requireAttached(name: string, { data }: NativeHostMatrix): void {
  if (lengthOf(data) > 0) return;
  throw codedError(
    'ERR_DETACHED',
    `The buffer of ${name}.data was detached during the call: keep the array until the promise settles`,
  );
}
