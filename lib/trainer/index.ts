/** Public names of the trainer. */

export { type ChunkedStepOptions, chunkedStep, type StepResult } from './chunked-step';
export { type CostReport, formatCostReport, type PhaseCost } from './cost-report';
export type { Encoder, FeatureGrads } from './encoder';
export type { StepProgress, Tower, TowerName } from './tower-pass';
