/**
 * Ranks queries with a pair of weight matrices: encode the queries and all candidates, then rank. Refuses to know
 * how the weights were trained.
 */

import type { Dataset } from '../features/dataset.js';
import { allFinite } from '../finite.js';
import { encodeRows } from '../train/jax-side.js';
import { featureDim as dim } from '../train/side.js';
import { type Metrics, metricsOf, type Neighbour, rankAll } from './retrieval.js';

export interface Weights {
  left: Float32Array;
  right: Float32Array;
}

export interface Evaluation {
  metrics: Metrics;
  /** Neighbours of the first `listed` queries. */
  nearest: Neighbour[][];
  ranks: Int32Array;
  /** Queries and candidates of which a feature is NaN or infinite. Their ranks mean nothing, and are never good. */
  rowsNotFinite: number;
}

export async function evaluateModel(
  dataset: Dataset,
  weights: Weights,
  rows: Int32Array,
  options: { listed?: number; signal?: AbortSignal } = {},
): Promise<Evaluation> {
  const { listed = 0, signal } = options;
  const all = Int32Array.from({ length: dataset.right.rows }, (_, i) => i);
  const queries = await encodeRows(weights.left, dataset.left, rows, signal);
  const candidates = await encodeRows(weights.right, dataset.right, all, signal);
  const { ranks, nearest } = await rankAll(
    { data: queries, rows: rows.length, dim },
    { data: candidates, rows: all.length, dim },
    { targets: rows, listed, signal },
  );
  const rowsNotFinite = countNotFinite(queries) + countNotFinite(candidates);
  return { metrics: metricsOf(ranks, all.length), nearest, ranks, rowsNotFinite };
}

function countNotFinite(features: Float32Array): number {
  let rows = 0;
  for (let at = 0; at < features.length; at += dim) {
    if (!allFinite(features.subarray(at, at + dim))) rows++;
  }
  return rows;
}
