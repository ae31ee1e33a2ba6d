/**
 * The most that any model could reach: pairs whose left strings are the same cannot be told apart by it, so at best
 * one of them is first. Refuses to guess about strings that merely sound alike.
 */

import type { Metrics } from './retrieval.js';

/**
 * Expected metrics of a model that ranks exactly the candidates of an equal left string first, in random order.
 * With n of them: recall@k = min(k, n)/n, reciprocal rank = (1 + 1/2 + … + 1/n)/n.
 */
export function homophoneCeiling(left: readonly string[], queries: Int32Array): Metrics {
  const counts = new Map<string, number>();
  for (const text of left) counts.set(text.toLowerCase(), (counts.get(text.toLowerCase()) ?? 0) + 1);
  let at1 = 0;
  let at10 = 0;
  let reciprocal = 0;
  for (const query of queries) {
    const n = counts.get(left[query]!.toLowerCase())!;
    at1 += 1 / n;
    at10 += Math.min(10, n) / n;
    for (let rank = 1; rank <= n; rank++) reciprocal += 1 / rank / n;
  }
  const { length } = queries;
  return {
    recallAt1: at1 / length,
    recallAt10: at10 / length,
    meanReciprocalRank: reciprocal / length,
    queries: length,
    candidates: left.length,
  };
}
