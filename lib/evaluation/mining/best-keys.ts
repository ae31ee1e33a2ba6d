/**
 * The best keys of each query over all parts of the keys. The order is that of `topK`: by score, and among
 * equals by index. This order is total, so the result does not depend on how keys are cut into parts.
 *
 * Refuses to compute a score: a search of each part does.
 */

import type { TopK } from '../results';
import { allocateKeys } from './allocate-keys';

export class BestKeys {
  /** [queries × k]; -1 where fewer keys have come. */
  readonly indices: Int32Array;
  /** [queries × k]; -Infinity where the index is -1. */
  readonly scores: Float32Array;
  private readonly rowIndices: Int32Array;
  private readonly rowScores: Float32Array;

  /** Throws ERR_OUT_OF_MEMORY. */
  constructor(
    private readonly queries: number,
    readonly k: number,
  ) {
    ({ indices: this.indices, scores: this.scores } = allocateKeys('the best keys', queries, k));
    ({ indices: this.rowIndices, scores: this.rowScores } = allocateKeys('the best keys', 1, k));
  }

  /** Adds the best keys of one part, whose indices count from `firstKey` on. */
  add({ indices, scores, shape: [, k] }: TopK, firstKey: number): void {
    for (let query = 0; query < this.queries; query++) {
      const [begin, end] = [query * k, (query + 1) * k];
      this.mergeRow(query, indices.subarray(begin, end), scores.subarray(begin, end), firstKey);
    }
  }

  private mergeRow(query: number, indices: Int32Array, scores: Float32Array, firstKey: number): void {
    const { k, rowIndices, rowScores } = this;
    const begin = query * k;
    rowIndices.set(this.indices.subarray(begin, begin + k));
    rowScores.set(this.scores.subarray(begin, begin + k));
    let [old, added] = [0, 0];
    for (let at = begin; at < begin + k; at++) {
      const hasAdded = added < indices.length && indices[added]! >= 0;
      const key = firstKey + (hasAdded ? indices[added]! : 0);
      // a place without an old key has -Infinity, which every added score precedes
      if (hasAdded && precedes(scores[added]!, key, rowScores[old]!, rowIndices[old]!)) {
        this.indices[at] = key;
        this.scores[at] = scores[added++]!;
      } else {
        this.indices[at] = rowIndices[old]!;
        this.scores[at] = rowScores[old++]!;
      }
    }
  }
}

/** Whether a key comes before another one in the order of `topK`. */
const precedes = (score: number, key: number, otherScore: number, otherKey: number) =>
  score > otherScore || (score === otherScore && key < otherKey);
