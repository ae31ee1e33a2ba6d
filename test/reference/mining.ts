/**
 * Hard negatives by their definition, one sentence after the other: the oracle for lib/evaluation/mining. Sorts all
 * keys of each query, and shares no code with the library. Random sampling is judged by `candidates`.
 */
import type { FloatMatrix } from './inputs';
import { ranking, scoresOf } from './retrieval';

export interface PlainMining {
  count: number;
  range?: readonly [number, number];
  margin?: number;
  relativeMargin?: number;
  maxScore?: number;
  minScore?: number;
  /** Of each query. */
  positives?: readonly (readonly number[])[];
  queryIds?: ArrayLike<number>;
  keyIds?: ArrayLike<number>;
}

export interface PlainRow {
  /** All keys that may be chosen, best first. */
  candidates: number[];
  /** Their scores. */
  scores: number[];
}

/** Features must be so coarse that float32 products and sums are exact. */
export function plainCandidates(queries: FloatMatrix, keys: FloatMatrix, options: PlainMining): PlainRow[] {
  return Array.from({ length: queries.shape[0] }, (_, query) => {
    const scores = scoresOf(queries, keys, query);
    const own = options.positives?.[query] ?? [query];
    const lowest = Math.min(...own.map((key) => scores[key]));
    const [min, max] = options.range ?? [0, Number.POSITIVE_INFINITY];
    const notOwn = ranking(scores).filter(
      (key) =>
        !own.includes(key) &&
        (options.queryIds === undefined || options.queryIds[query] !== options.keyIds![key]),
    );
    const candidates = notOwn
      .slice(0, max)
      .filter((key) => options.margin === undefined || scores[key] <= lowest - options.margin)
      .filter(
        (key) =>
          options.relativeMargin === undefined ||
          scores[key] <= lowest - Math.abs(lowest) * options.relativeMargin,
      )
      .filter((key) => scores[key] <= (options.maxScore ?? Number.POSITIVE_INFINITY))
      .filter((key) => scores[key] >= (options.minScore ?? Number.NEGATIVE_INFINITY))
      .slice(min);
    return { candidates, scores: candidates.map((key) => scores[key]) };
  });
}

/** What `mineHardNegatives` returns for 'top'. */
export function plainNegatives(queries: FloatMatrix, keys: FloatMatrix, options: PlainMining) {
  const { count } = options;
  const rows = plainCandidates(queries, keys, options);
  const padded = (values: readonly number[], nothing: number) =>
    Array.from({ length: count }, (_, i) => values[i] ?? nothing);
  return {
    indices: Int32Array.from(rows.flatMap(({ candidates }) => padded(candidates, -1))),
    scores: Float32Array.from(rows.flatMap(({ scores }) => padded(scores, Number.NEGATIVE_INFINITY))),
    shape: [rows.length, count],
    found: Int32Array.from(rows, ({ candidates }) => Math.min(count, candidates.length)),
  };
}
