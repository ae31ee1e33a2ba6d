/**
 * Ranks held-out queries against every candidate of the data set, in blocks, so that no queries x candidates
 * matrix exists. Refuses to know which model made the features.
 */

import { numpy as np } from '@jax-js/jax';
import { breathe } from '../breathe.js';

export interface FeatureRows {
  data: Float32Array;
  rows: number;
  dim: number;
}

export interface Metrics {
  recallAt1: number;
  recallAt10: number;
  /** Mean of 1/rank. */
  meanReciprocalRank: number;
  queries: number;
  candidates: number;
}

export interface Neighbour {
  candidate: number;
  similarity: number;
}

export interface Ranking {
  /**
   * Rank of each query's own candidate, counted from 1. A candidate counts as better unless its score is below the own
   * one: equal scores do, and so do all where one of the two is NaN. Features that are NaN therefore rank last.
   */
  ranks: Int32Array;
  /** The best candidates of each of the first few queries, best first. Those whose score is NaN are left out. */
  nearest: Neighbour[][];
}

export interface RankOptions {
  /** The candidate row that is right for each query. */
  targets: Int32Array;
  /** How many queries, from the first, to list neighbours of. */
  listed?: number;
  neighbours?: number;
  signal?: AbortSignal;
}

const candidateBlock = 2048;

/** Similarity is the dot product. */
export async function rankAll(
  queries: FeatureRows,
  candidates: FeatureRows,
  options: RankOptions,
): Promise<Ranking> {
  const { targets, listed = 0, neighbours = 5, signal } = options;
  const order = targetsFirst(targets, candidates.rows);
  const blockRows = Math.max(candidateBlock, targets.length);
  const own = new Float32Array(queries.rows);
  const better = new Int32Array(queries.rows);
  const nearest: Neighbour[][] = Array.from({ length: Math.min(listed, queries.rows) }, () => []);
  const device = np.array(queries.data, { shape: [queries.rows, queries.dim] });
  try {
    for (let first = 0; first < order.length; first += blockRows) {
      await breathe(signal);
      const block = order.subarray(first, first + blockRows);
      const scores = await blockScores(device.ref, candidates, block);
      await breathe(signal);
      if (first === 0) readOwnScores(scores, block.length, targets, own);
      countNotBelow(scores, block.length, own, better);
      nearest.forEach((list, q) => {
        keepBest(list, scores.subarray(q * block.length, (q + 1) * block.length), block, neighbours);
      });
    }
  } finally {
    device.dispose();
  }
  // a query's own candidate counted itself, which is the 1 that ranks start from
  return { ranks: better, nearest };
}

/** Throws RangeError unless there is a rank and all are from 1 to `candidates`: no metric is then NaN or infinite. */
export function metricsOf(ranks: Int32Array, candidates: number): Metrics {
  if (ranks.length === 0) throw new RangeError(`Expected ranks from 1 to ${candidates} but received none`);
  const wrong = ranks.find((rank) => rank < 1 || rank > candidates);
  if (wrong !== undefined) {
    throw new RangeError(`Expected ranks from 1 to ${candidates} but received ${wrong}`);
  }
  const share = (k: number) => ranks.reduce((hits, rank) => hits + (rank <= k ? 1 : 0), 0) / ranks.length;
  let reciprocals = 0;
  for (const rank of ranks) reciprocals += 1 / rank;
  return {
    recallAt1: share(1),
    recallAt10: share(10),
    meanReciprocalRank: reciprocals / ranks.length,
    queries: ranks.length,
    candidates,
  };
}

/**
 * Candidate numbers with the targets before the others: own scores then come out of the first block, by the very
 * product that the other scores come from, and rounding cannot make a candidate beat itself.
 */
function targetsFirst(targets: Int32Array, candidates: number): Int32Array {
  const isTarget = new Uint8Array(candidates);
  for (const target of targets) isTarget[target] = 1;
  const order: number[] = [];
  for (const wanted of [1, 0]) {
    for (let c = 0; c < candidates; c++) if (isTarget[c] === wanted) order.push(c);
  }
  return Int32Array.from(order);
}

/** Float32 [queries x block]. Consumes `queries`. */
async function blockScores(
  queries: ReturnType<typeof np.array>,
  { data, dim }: FeatureRows,
  block: Int32Array,
): Promise<Float32Array> {
  const gathered = new Float32Array(block.length * dim);
  block.forEach((candidate, i) => {
    gathered.set(data.subarray(candidate * dim, (candidate + 1) * dim), i * dim);
  });
  const rows = np.array(gathered, { shape: [block.length, dim] });
  return (await np.matmul(queries, np.transpose(rows)).data()) as Float32Array;
}

/** The first block lists the targets in increasing order. */
function readOwnScores(scores: Float32Array, width: number, targets: Int32Array, own: Float32Array): void {
  const places = new Map([...new Set(targets)].sort((a, b) => a - b).map((target, place) => [target, place]));
  for (let q = 0; q < own.length; q++) own[q] = scores[q * width + places.get(targets[q]!)!]!;
}

function countNotBelow(scores: Float32Array, width: number, own: Float32Array, counts: Int32Array): void {
  for (let q = 0; q < own.length; q++) {
    const threshold = own[q]!;
    const row = q * width;
    let count = 0;
    for (let c = 0; c < width; c++) if (!(scores[row + c]! < threshold)) count++;
    counts[q]! += count;
  }
}

function keepBest(list: Neighbour[], scores: Float32Array, block: Int32Array, most: number): void {
  scores.forEach((similarity, c) => {
    if (Number.isNaN(similarity)) return;
    if (list.length === most && similarity <= list[most - 1]!.similarity) return;
    list.push({ candidate: block[c]!, similarity });
    list.sort((a, b) => b.similarity - a.similarity);
    if (list.length > most) list.pop();
  });
}
