/**
 * The metrics of retrieval, with the words and the definitions of sentence-transformers'
 * InformationRetrievalEvaluator: binary relevance, and the mean over the queries that have a relevant key.
 *
 * Refuses to search: `topK` and `ranks` do, or another library.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';
import { type RelevantTo, readRelevant } from './read-relevant';
import { type FoundKeys, type FoundRanks, readSearch } from './read-search';
import type { RanksLike, RelevantKeys, TopKLike } from './results';

/** A metric by its k, as `{ 1: 0.5, 10: 0.75 }`. */
export type MetricByK = Readonly<Record<number, number>>;

/** What the best keys of each query give. */
export interface TopKMetrics {
  /** Fraction of queries with a relevant key among the first k. Papers on CLIP call this number recall@k. */
  accuracyAt: MetricByK;
  /** Relevant keys among the first k, divided by k, also where fewer than k keys exist. */
  precisionAt: MetricByK;
  /** Relevant keys among the first k, divided by all relevant keys of the query. */
  recallAt: MetricByK;
  /** 1 / rank of the first relevant key; 0 where that rank is beyond k. */
  mrrAt: MetricByK;
  /** Σ 1 / log2(rank + 1) over relevant keys among the first k, divided by the largest possible sum. */
  ndcgAt: MetricByK;
  /** Σ of the precision at each relevant rank up to k, divided by min(k, relevant keys). */
  mapAt: MetricByK;
}

/** What ranks alone give. The other metrics need every relevant key of a query, and so `topK`. */
export interface RankMetrics extends Pick<TopKMetrics, 'accuracyAt' | 'mrrAt'> {
  /** Mean rank, from 1. */
  meanRank: number;
  /** floor(median of the ranks), from 1, as in open_clip's `get_clip_metrics`. */
  medianRank: number;
}

/** Options for metrics of ranks. */
export interface RankMetricOptions {
  /** The numbers k of all metrics. Default: accuracy at 1, 3, 5 and 10, MRR at 10. */
  at?: readonly number[] | undefined;
}

/** Options for metrics of the best keys. */
export interface TopKMetricOptions {
  /**
   * The numbers k of all metrics, none beyond that of the search. Default: accuracy, precision and recall at
   * 1, 3, 5 and 10, MRR and NDCG at 10, MAP at 100; those beyond the k of the search are left out.
   */
  at?: readonly number[] | undefined;
  /** Which keys are relevant. Default: key i to query i, and no other. */
  relevant?: RelevantKeys | undefined;
}

/** The defaults of InformationRetrievalEvaluator. */
const defaultAt = {
  accuracyAt: [1, 3, 5, 10],
  precisionAt: [1, 3, 5, 10],
  recallAt: [1, 3, 5, 10],
  mrrAt: [10],
  ndcgAt: [10],
  mapAt: [100],
} as const;

type MetricName = keyof typeof defaultAt;
const metricNames = Object.keys(defaultAt) as MetricName[];

/**
 * Judges a search. Queries without a relevant key are left out of every mean. Computes in float64, and takes
 * a time in proportion to M · k.
 *
 * @param search The best keys of each query, [M × k]; or the rank of each query's positive, [M]. `scores`,
 *   `optimistic` and `pessimistic` may be missing; where they are there, they are checked.
 *
 * Source: sentence-transformers, InformationRetrievalEvaluator.compute_metrics; ranks: open_clip,
 * `get_clip_metrics`.
 *
 * Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER or ERR_DETACHED. ERR_OPTION
 * for `relevant` with ranks, as ranks already say which key was relevant. ERR_VALUE for a k beyond that of
 * the search, and where no query has a relevant key.
 */
export function retrievalMetrics(search: TopKLike, options?: TopKMetricOptions): TopKMetrics;
export function retrievalMetrics(search: RanksLike, options?: RankMetricOptions): RankMetrics;
export function retrievalMetrics(search: unknown, options: unknown = {}): TopKMetrics | RankMetrics {
  const given = readNames('options', options, ['relevant', 'at']);
  const at = given.at === undefined ? undefined : readAt(given.at);
  const found = readSearch('search', search);
  if (found.kind === 'topK') {
    for (const k of at ?? []) {
      if (k <= found.k) continue;
      const most = `k up to ${found.k}, which the search found,`;
      throw check.invalid('ERR_VALUE', 'options.at', most, k, '; search with a larger k');
    }
    return metricsOfKeys(found, readRelevant(given.relevant, found.queries), at);
  }
  if (given.relevant !== undefined) {
    throw codedError(
      'ERR_OPTION',
      'Expected no options.relevant for ranks, which already know the relevant key, but received one; precision, recall, NDCG and MAP need the result of topK',
    );
  }
  return metricsOfRanks(found, at);
}

/** Throws ERR_TYPE or ERR_VALUE. */
function readAt(value: unknown): number[] {
  if (!isArray(value)) throw check.invalid('ERR_TYPE', 'options.at', 'array of positive integers', value);
  if (value.length === 0)
    throw codedError('ERR_VALUE', 'Expected at least one k in options.at but received none');
  return Array.from(value, (k, i) => check.positiveInteger(`options.at[${i}]`, k));
}

/** The metrics of one query for one k. `ranks` are those of its relevant keys, from 1, ascending. */
function metricsAt(k: number, ranks: number[], relevant: number): Record<MetricName, number> {
  const hits = ranks.filter((rank) => rank <= k);
  const possible = Math.min(k, relevant);
  const gain = hits.reduce((sum, rank) => sum + 1 / Math.log2(rank + 1), 0);
  let bestGain = 0;
  for (let rank = 1; rank <= possible; rank++) bestGain += 1 / Math.log2(rank + 1);
  return {
    accuracyAt: hits.length > 0 ? 1 : 0,
    precisionAt: hits.length / k,
    recallAt: hits.length / relevant,
    mrrAt: hits.length > 0 ? 1 / hits[0]! : 0,
    ndcgAt: gain / bestGain,
    mapAt: hits.reduce((sum, rank, i) => sum + (i + 1) / rank, 0) / possible,
  };
}

function metricsOfKeys(found: FoundKeys, relevantTo: RelevantTo, at: number[] | undefined): TopKMetrics {
  const wanted = metricNames.map((name) => ({
    name,
    sums: new Map((at ?? defaultAt[name]).filter((k) => k <= found.k).map((k) => [k, 0])),
  }));
  const everyK = new Set(wanted.flatMap(({ sums }) => [...sums.keys()]));
  let counted = 0;
  for (let query = 0; query < found.queries; query++) {
    const relevant = relevantTo(query);
    if (relevant.size === 0) continue;
    counted++;
    const row = found.indices.subarray(query * found.k, (query + 1) * found.k);
    const ranks: number[] = [];
    row.forEach((key, i) => {
      if (relevant.has(key)) ranks.push(i + 1);
    });
    for (const k of everyK) {
      const values = metricsAt(k, ranks, relevant.size);
      for (const { name, sums } of wanted) {
        if (sums.has(k)) sums.set(k, sums.get(k)! + values[name]);
      }
    }
  }
  const means = wanted.map(({ name, sums }) => [name, byK(sums, counted)] as const);
  return Object.fromEntries(means) as unknown as TopKMetrics;
}

const byK = (sums: Map<number, number>, count: number): MetricByK =>
  Object.fromEntries([...sums].map(([k, sum]) => [k, sum / count]));

function metricsOfRanks({ rank, queries }: FoundRanks, at: number[] | undefined): RankMetrics {
  const sumsOf = (name: 'accuracyAt' | 'mrrAt', of: (rank: number) => number) =>
    new Map((at ?? defaultAt[name]).map((k) => [k, rank.reduce((sum, r) => sum + (r <= k ? of(r) : 0), 0)]));
  const sorted = rank.slice().sort();
  const median = (sorted[(queries - 1) >> 1]! + sorted[queries >> 1]!) / 2;
  return {
    accuracyAt: byK(
      sumsOf('accuracyAt', () => 1),
      queries,
    ),
    mrrAt: byK(
      sumsOf('mrrAt', (r) => 1 / r),
      queries,
    ),
    meanRank: rank.reduce((sum, r) => sum + r, 0) / queries,
    medianRank: Math.floor(median),
  };
}
