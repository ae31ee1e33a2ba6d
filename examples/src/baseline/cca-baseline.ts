/**
 * The linear baseline as the report shows it: CCA fitted on the training pairs, its ridge chosen on validation
 * queries, then ranked like the model. Refuses to look at test queries before the ridge is fixed.
 */

import { type FeatureRows, type Metrics, metricsOf, rankAll } from '../evaluate/retrieval.js';
import type { Dataset } from '../features/dataset.js';
import { type Cca, covariances, fitCca, project } from './cca.js';
import type { Dense } from './cholesky.js';

export interface CcaResult {
  metrics: Metrics;
  directions: number;
  ridge: number;
  /** Recall@1 on validation queries for each ridge tried. */
  tried: { ridge: number; recallAt1: number }[];
  seconds: number;
}

const ridges = [0.01, 0.003];
/** Four times the model's width: fewer are measurably worse, and the baseline should be a strong one. */
const directions = 512;
const validationQueries = 512;

export async function ccaBaseline(dataset: Dataset, signal?: AbortSignal): Promise<CcaResult> {
  const began = performance.now();
  const { split, left, right } = dataset;
  const data = await covariances(left, right, split.train, signal);
  let start: Dense | undefined;
  let best: { cca: Cca; ridge: number; recallAt1: number } | undefined;
  const tried: CcaResult['tried'] = [];
  for (const ridge of ridges) {
    // a change of ridge turns the subspace little: one iteration from the last answer
    const fit = await fitCca(data, { directions, ridge, start, iterations: start ? 1 : 3, signal });
    start = fit.subspace;
    const queries = split.validation.subarray(0, validationQueries);
    const { recallAt1 } = await rankWith(dataset, fit.cca, queries, signal);
    tried.push({ ridge, recallAt1 });
    if (best === undefined || recallAt1 > best.recallAt1) best = { cca: fit.cca, ridge, recallAt1 };
  }
  const metrics = await rankWith(dataset, best!.cca, split.test, signal);
  const seconds = (performance.now() - began) / 1000;
  return { metrics, directions, ridge: best!.ridge, tried, seconds };
}

async function rankWith(
  { left, right }: Dataset,
  cca: Cca,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Metrics> {
  const dim = cca.left.columns;
  const all = Int32Array.from({ length: right.rows }, (_, i) => i);
  const queries: FeatureRows = {
    data: await project(left, rows, { directions: cca.left, means: cca.leftMeans }, signal),
    rows: rows.length,
    dim,
  };
  const data = await project(right, all, { directions: cca.right, means: cca.rightMeans }, signal);
  const candidates = { data, rows: all.length, dim };
  const { ranks } = await rankAll(queries, candidates, { targets: rows, signal });
  return metricsOf(ranks, all.length);
}
