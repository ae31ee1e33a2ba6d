/**
 * The part of the self-test that searches: the best keys of each query, against a sorted list of all scores. Features
 * have few significant bits, so a score has no rounding and both sides must agree exactly. Many scores are equal.
 *
 * Refuses backends other than the CPU, which have no search.
 */

import { topK } from '../evaluation/search';
import type { DType } from '../native/binding';
import { asDType, hash, type SelfTestProblem } from './self-test-cases';

/** More keys than a tile has columns. */
const [queries, keys, dim, best] = [61, 701, 33, 10] as const;
const dtypes: readonly DType[] = ['float32', 'float16', 'bfloat16'];

export const searchCases = dtypes.length;

function features(rows: number, seed: number): SelfTestProblem['queries'] {
  const data = Float32Array.from({ length: rows * dim }, (_, at) => (hash(seed, at) >>> 29) - 4);
  return { data, shape: [rows, dim] };
}

/** What is wrong, one sentence a case. */
export async function searchFailures(search: typeof topK = topK): Promise<string[]> {
  const [q, k] = [features(queries, 71), features(keys, 72)];
  const expected = bestByList(q.data, k.data);
  const failures: string[] = [];
  for (const dtype of dtypes) {
    try {
      const complaint = complaintAbout(await search(asDType(q, dtype), asDType(k, dtype), best), expected);
      if (complaint !== null) failures.push(`topK, ${dtype}: ${complaint}`);
    } catch (error) {
      failures.push(`topK, ${dtype}: ${(error as Error).message}`);
    }
  }
  return failures;
}

interface Found {
  indices: Int32Array;
  scores: Float32Array;
}

function complaintAbout({ indices, scores }: Found, expected: Found): string | null {
  const at = expected.indices.findIndex((key, i) => indices[i] !== key || scores[i] !== expected.scores[i]);
  if (at < 0) return null;
  const [query, place] = [Math.floor(at / best), at % best];
  return (
    `place ${place + 1} of query ${query} has key ${indices[at]} (${scores[at]}) instead of ${expected.indices[at]} ` +
    `(${expected.scores[at]})`
  );
}

/** Best first; among equal scores the lower key first, as the sort is stable. */
function bestByList(q: Float32Array, k: Float32Array): Found {
  const indices = new Int32Array(queries * best);
  const scores = new Float32Array(queries * best);
  for (let query = 0; query < queries; query++) {
    const all = Array.from({ length: keys }, (_, key) => {
      let score = 0;
      for (let d = 0; d < dim; d++) score += q[query * dim + d]! * k[key * dim + d]!;
      return { key, score };
    }).sort((a, b) => b.score - a.score);
    for (let place = 0; place < best; place++) {
      indices[query * best + place] = all[place]!.key;
      scores[query * best + place] = all[place]!.score;
    }
  }
  return { indices, scores };
}
