/** Public names of `infcl/evaluation`, which `infcl` has too. */

export type { Ranks, RanksLike, RelevantKeys, TopK, TopKLike } from './results';
export {
  type MetricByK,
  type RankMetricOptions,
  type RankMetrics,
  retrievalMetrics,
  type TopKMetricOptions,
  type TopKMetrics,
} from './retrieval-metrics';
