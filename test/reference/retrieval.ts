/**
 * The metrics of retrieval, one sentence of their definition after the other: the oracle for
 * lib/evaluation/retrieval-metrics.ts. Sorts all keys, knows no top k, and shares no code with the library.
 */
import type { FloatMatrix } from './inputs';

/** Float64 dot products of one query with every key. */
export function scoresOf(queries: FloatMatrix, keys: FloatMatrix, query: number): number[] {
  const dim = queries.shape[1];
  return Array.from({ length: keys.shape[0] }, (_, key) => {
    let dot = 0;
    for (let d = 0; d < dim; d++) dot += queries.data[query * dim + d] * keys.data[key * dim + d];
    return dot;
  });
}

/** All keys, best first, and the lower key first among equals. */
export function ranking(scores: readonly number[]): number[] {
  return scores.map((_, key) => key).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** What `topK` will return for these scores, one list for each query. */
export function bestOf(scores: readonly (readonly number[])[], k: number) {
  const rows = scores.map((row) => ranking(row).slice(0, k));
  return {
    indices: Int32Array.from(rows.flat()),
    scores: Float32Array.from(rows.flatMap((row, query) => row.map((key) => scores[query][key]))),
    shape: [scores.length, k] as const,
  };
}

/** What `ranks` will return for these scores; the positive of query i is `positives[i]`. */
export function ranksOf(scores: readonly (readonly number[])[], positives: readonly number[]) {
  const greater = scores.map((row, i) => row.filter((score) => score > row[positives[i]]).length);
  const equal = scores.map((row, i) => row.filter((score) => score === row[positives[i]]).length - 1);
  return {
    rank: Float64Array.from(greater, (count, i) => 1 + count + equal[i] / 2),
    optimistic: Float64Array.from(greater, (count) => 1 + count),
    pessimistic: Float64Array.from(greater, (count, i) => 1 + count + equal[i]),
  };
}

/** Lists of relevant keys as compressed sparse rows. */
export function compressed(relevant: readonly (readonly number[])[]) {
  const offsets = new Int32Array(relevant.length + 1);
  relevant.forEach((keys, query) => {
    offsets[query + 1] = offsets[query] + keys.length;
  });
  return { offsets, keys: Int32Array.from(relevant.flat()) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** All metrics at one k. `order[q]` are the keys of query q, best first; `relevant[q]` its relevant keys. */
export function metricsAt(
  k: number,
  order: readonly (readonly number[])[],
  relevant: readonly (readonly number[])[],
) {
  const judged = order.flatMap((keys, query) => (relevant[query].length > 0 ? [{ keys, query }] : []));
  const isRelevant = (query: number, key: number) => relevant[query].includes(key);
  const hitsUpTo = (rank: number, keys: readonly number[], query: number) =>
    keys.slice(0, rank).filter((key) => isRelevant(query, key)).length;
  const over = (value: (keys: readonly number[], query: number) => number) =>
    mean(judged.map(({ keys, query }) => value(keys, query)));
  const gains = (flags: readonly boolean[]) =>
    flags.slice(0, k).reduce((sum, flag, i) => sum + (flag ? 1 / Math.log2(i + 2) : 0), 0);
  return {
    accuracyAt: over((keys, query) => (hitsUpTo(k, keys, query) > 0 ? 1 : 0)),
    precisionAt: over((keys, query) => hitsUpTo(k, keys, query) / k),
    recallAt: over((keys, query) => hitsUpTo(k, keys, query) / relevant[query].length),
    mrrAt: over((keys, query) => {
      const first = keys.findIndex((key) => isRelevant(query, key));
      return first >= 0 && first < k ? 1 / (first + 1) : 0;
    }),
    ndcgAt: over((keys, query) => {
      const ideal = gains(relevant[query].map(() => true));
      return gains(keys.map((key) => isRelevant(query, key))) / ideal;
    }),
    mapAt: over((keys, query) => {
      const precisions = keys
        .slice(0, k)
        .map((key, i) => (isRelevant(query, key) ? hitsUpTo(i + 1, keys, query) / (i + 1) : 0));
      return precisions.reduce((sum, value) => sum + value, 0) / Math.min(k, relevant[query].length);
    }),
  };
}
