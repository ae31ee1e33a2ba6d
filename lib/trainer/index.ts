/** Public names of the trainer. */

export { chunkedStep, type OwnStepResult, type StepResult, type StepRows } from './chunked-step';
export { type CostReport, formatCostReport, type PhaseCost } from './cost-report';
export type { Encoder, FeatureGrads } from './encoder';
export type { PrefixResult } from './matryoshka';
export type { Matryoshka, Prefix } from './matryoshka-options';
export type { OwnLoss, OwnLossContext, OwnLossResult, StepFeatures } from './own-loss';
export type { StepPhase, StepProgress } from './step-context';
export type {
  ChunkedStepOptions,
  CommonStepOptions,
  OneTowerStepOptions,
  OwnLossStepOptions,
  SupconStepOptions,
} from './step-options';
export { type LossTerm, type SumOfLossesResult, sumOfLosses, type TermResult } from './sum-of-losses';
export type { HardNegativesTower, Tower, TowerName } from './tower';
