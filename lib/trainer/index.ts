/** Public names of the trainer. */

export { chunkedStep, type StepResult } from './chunked-step';
export { type CostReport, formatCostReport, type PhaseCost } from './cost-report';
export type { Encoder, FeatureGrads } from './encoder';
export type { StepPhase, StepProgress } from './step-context';
export type { ChunkedStepOptions } from './step-options';
export type { Tower, TowerName } from './tower';
