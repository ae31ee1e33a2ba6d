/** Stands in for the native search until the addon has one. Slow: sorts all keys of each query. */

import { types } from 'node:util';
import { fromBits } from '../matrix/narrow';
import type { NativeHostMatrix, SearchRequest } from '../native/binding';

export function searchInJavaScript(request: SearchRequest): void {
  const { queries, keys, queryIds, keyIds, keyGroups, topK, ranks } = request;
  const [q, n] = [toRows(queries), toRows(keys)];
  for (let i = 0; i < queries.rows; i++) {
    const scores = n.map((key) => Math.fround(key.reduce((sum, x, d) => sum + x * q[i]![d]!, 0)));
    const isOut = (key: number) => queryIds !== null && keyIds![key] === queryIds[i];
    const compare = (a: number, b: number) => scores[b]! - scores[a]! || a - b;
    const groupOf = (key: number) => (keyGroups === null ? key : keyGroups[key]!);
    const all = scores.map((_, key) => key).sort(compare);
    if (topK !== null) {
      const { k, limits, indices, scores: out } = topK;
      const seen = new Set<number>();
      const best = all.filter((key) => {
        if (isOut(key) || (limits !== null && scores[key]! > limits[i]!) || seen.has(groupOf(key))) return false;
        seen.add(groupOf(key));
        return true;
      });
      for (let at = 0; at < k; at++) {
        indices[i * k + at] = best[at] ?? -1;
        out[i * k + at] = at < best.length ? scores[best[at]!]! : Number.NEGATIVE_INFINITY;
      }
    } else if (ranks !== null) {
      const positives = ranks.positives.subarray(ranks.offsets[i], ranks.offsets[i + 1]);
      const score = positives.reduce((most, key) => Math.max(most, scores[key]!), Number.NEGATIVE_INFINITY);
      const seen = new Set(Array.from(positives, groupOf));
      let [greater, equal] = [0, 0];
      for (const key of all) {
        if (isOut(key) || seen.has(groupOf(key))) continue;
        seen.add(groupOf(key));
        if (scores[key]! > score) greater++;
        else if (scores[key] === score) equal++;
      }
      ranks.optimistic[i] = 1 + greater;
      ranks.pessimistic[i] = 1 + greater + equal;
    }
  }
}

function toRows({ data, dtype, rows, dim, rowStride }: NativeHostMatrix): number[][] {
  const at = (i: number) =>
    types.isFloat32Array(data) ? data[i]! : fromBits(data[i]!, dtype as 'float16' | 'bfloat16');
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: dim }, (_, d) => at(row * rowStride + d)),
  );
}
