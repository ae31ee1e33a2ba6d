/** Public names of the trainer. */

export { type BankLossOptions, type BankLossResult, type BankLossTerms, bankLoss } from './bank-loss';
export { chunkedStep, type OwnStepResult, type StepResult, type StepRows } from './chunked-step';
export { type CostReport, formatCostReport, type PhaseCost } from './cost-report';
export {
  type EncodedRows,
  type EncodeFeaturesOptions,
  type EncodeProgress,
  encodeFeatures,
} from './encode-features';
export type { Encoder, FeatureGrads } from './encoder';
export { FeatureBank, type FeatureBankOptions, type WithBank } from './feature-bank';
export type { FeatureBankState } from './feature-bank-state';
export {
  LogitBias,
  type LogitBiasOptions,
  type LogitBiasState,
  LogitScale,
  type LogitScaleOptions,
  type LogitScaleState,
} from './logit-scale';
export type { PrefixResult } from './matryoshka';
export type { Matryoshka, Prefix } from './matryoshka-options';
export type { OwnLoss, OwnLossContext, OwnLossResult, StepFeatures, StepHardNegatives } from './own-loss';
export { prefetch } from './prefetch';
export type { ScalarOptimizerOptions, ScalarOptimizerState } from './scalar-optimizer';
export type { StepPhase, StepProgress } from './step-context';
export type {
  ChunkedStepOptions,
  CommonStepOptions,
  OneTowerStepOptions,
  OwnLossStepOptions,
  SupconStepOptions,
} from './step-options';
export { type LossTerm, type SumOfLossesResult, sumOfLosses, type TermResult } from './sum-of-losses';
export { chunksByTokens, type TokenChunkOptions } from './token-chunks';
export type { HardNegativesTower, Tower, TowerName } from './tower';
export { type PaddedBatch, trimPadding } from './trim-padding';
