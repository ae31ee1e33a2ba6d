/**
 * The search by its definition: all scores of a query, all keys sorted. The oracle for lib/evaluation/search.ts.
 * Shares no code with the library. Scores of `coarsen`ed features are exact in float32, so results must be equal
 * to the last bit.
 */
import { coarsen, type FloatMatrix, hash, makePair } from './inputs';

/** Which keys are left out, which count as one, and which are above a limit. */
export interface SearchRules {
  queryIds?: Int32Array;
  /** Keys whose id equals the query's are left out. */
  keyIds?: Int32Array;
  /** Keys of one group count once, by the best of them. */
  groups?: Int32Array;
  limits?: Float32Array;
}

/** Row i: the dot products of query i with every key, in float64. A sum of -0 counts as 0. */
export function exactScores(queries: FloatMatrix, keys: FloatMatrix): Float64Array[] {
  const [rows, dim] = queries.shape;
  const [strideQ, strideK] = [queries.rowStride ?? dim, keys.rowStride ?? dim];
  return Array.from({ length: rows }, (_, i) => {
    const row = new Float64Array(keys.shape[0]);
    for (let j = 0; j < row.length; j++) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += queries.data[i * strideQ + d] * keys.data[j * strideK + d];
      row[j] = sum;
    }
    return row;
  });
}

/** The keys of query i that count, best first, one of each group. */
function ranking(scores: Float64Array, i: number, rules: SearchRules): number[] {
  const { queryIds, keyIds, groups, limits } = rules;
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  const seen = new Set<number>();
  return order.filter((key) => {
    const group = groups === undefined ? key : groups[key];
    if (seen.has(group)) return false;
    if (queryIds !== undefined && keyIds![key] === queryIds[i]) return false;
    if (limits !== undefined && scores[key] > limits[i]) return false;
    seen.add(group);
    return true;
  });
}

/** What `topK` must return. */
export function plainTopK(scores: readonly Float64Array[], k: number, rules: SearchRules = {}) {
  const indices = new Int32Array(scores.length * k).fill(-1);
  const values = new Float32Array(scores.length * k).fill(Number.NEGATIVE_INFINITY);
  scores.forEach((row, i) => {
    for (const [at, key] of ranking(row, i, rules).slice(0, k).entries()) {
      indices[i * k + at] = key;
      values[i * k + at] = row[key];
    }
  });
  return { indices, scores: values, shape: [scores.length, k] };
}

/** What `ranks` must return, for the positives of each query. */
export function plainRanks(
  scores: readonly Float64Array[],
  positives: readonly (readonly number[])[],
  rules: SearchRules = {},
) {
  const { groups } = rules;
  const groupOf = (key: number) => (groups === undefined ? key : groups[key]);
  const counts = scores.map((row, i) => {
    const best = Math.max(...positives[i].map((key) => row[key]));
    const right = new Set(positives[i].map(groupOf));
    const others = ranking(row, i, rules).filter((key) => !right.has(groupOf(key)));
    const greater = others.filter((key) => row[key] > best).length;
    return { greater, equal: others.filter((key) => row[key] === best).length };
  });
  return {
    rank: Float64Array.from(counts, ({ greater, equal }) => 1 + greater + equal / 2),
    optimistic: Float64Array.from(counts, ({ greater }) => 1 + greater),
    pessimistic: Float64Array.from(counts, ({ greater, equal }) => 1 + greater + equal),
  };
}

export interface SearchShape {
  rows: number;
  keys: number;
  dim: number;
  seed: number;
}

/** Features whose scores are exact in float32 and often tie. */
export function coarsePair({ rows, keys, dim, seed }: SearchShape) {
  const { queries, keys: other } = makePair({ rows, keys, dim, seed, alike: 2 });
  return { queries: coarsen(queries), keys: coarsen(other) };
}

/** Ids from 0 to before `count`, in no order. */
export function randomIds(rows: number, count: number, seed: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => hash(seed, i) % count);
}

/** From one to `most` different keys for each query. */
export function randomPositives(rows: number, keys: number, most: number, seed: number): number[][] {
  return Array.from({ length: rows }, (_, i) => {
    const count = 1 + (hash(seed, i) % Math.min(most, keys));
    const first = hash(seed + 1, i) % keys;
    return Array.from({ length: count }, (__, n) => (first + n * n) % keys).filter(
      (key, n, all) => all.indexOf(key) === n,
    );
  });
}
