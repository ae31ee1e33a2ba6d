/** Public names of the trainer. */

export { chunkedStep, type StepResult } from './chunked-step';
export { type CostReport, formatCostReport, type PhaseCost } from './cost-report';
export {
  type EncodedRows,
  type EncodeFeaturesOptions,
  type EncodeProgress,
  encodeFeatures,
} from './encode-features';
export type { Encoder, FeatureGrads } from './encoder';
export { FeatureBank, type FeatureBankOptions, type WithBank } from './feature-bank';
export {
  LogitBias,
  type LogitBiasOptions,
  type LogitBiasState,
  LogitScale,
  type LogitScaleOptions,
  type LogitScaleState,
} from './logit-scale';
export { prefetch } from './prefetch';
export type { ScalarOptimizerOptions, ScalarOptimizerState } from './scalar-optimizer';
export type { StepPhase, StepProgress } from './step-context';
export type { ChunkedStepOptions } from './step-options';
export { chunksByTokens, type TokenChunkOptions } from './token-chunks';
export type { Tower, TowerName } from './tower';
export { type PaddedBatch, trimPadding } from './trim-padding';
