/** Public names of `infcl/evaluation`, which `infcl` has too. */

export type { ClassMetrics } from './class-metrics';
export { effectiveRank } from './effective-rank';
export { type LinearProbeOptions, type LinearProbeResult, linearProbe } from './linear-probe';
export {
  type HardNegativeRowOptions,
  type HardNegativeRows,
  hardNegativeRows,
  type MaskedNegativeRows,
  type MissingNegatives,
} from './mining/hard-negative-rows';
export type { KeyPart, KeyParts, MiningKeys } from './mining/key-parts';
export { type MinedNegatives, mineHardNegatives } from './mining/mine-hard-negatives';
export type { MiningOptions, MiningProgress, NegativeSampling } from './mining/options';
export { type ModalityGap, modalityGap } from './modality-gap';
export type { EngineOptions, SignalOption } from './read-options';
export type { Ranks, RanksLike, RelevantKeys, TopK, TopKLike } from './results';
export {
  type MetricByK,
  type RankMetricOptions,
  type RankMetrics,
  retrievalMetrics,
  type TopKMetricOptions,
  type TopKMetrics,
} from './retrieval-metrics';
export { ranks, topK } from './search';
export type { RanksOptions, SearchOptions, SearchProgress, TopKOptions } from './search-options';
export { type AlignmentOptions, alignment, type UniformityOptions, uniformity } from './sphere';
export { zeroShotAccuracy } from './zero-shot';
