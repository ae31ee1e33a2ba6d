/** Public names of infcl. */

export { type BackendInfo, backends } from './backend';
export { type ErrorCode, type InfclError, isInfclError } from './errors';
export * from './evaluation';
export {
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
} from './loss/contrastive-loss';
export type {
  GradientOf,
  LossAndGradResult,
  LossFunctions,
  LossResult,
  RingStep,
  RowResults,
  Stats,
  WithHardNegativeGrads,
  WithRows,
} from './loss/loss-functions';
export type {
  AnyContrastiveOptions,
  BackendName,
  BackendOption,
  CommonOptions,
  Compute,
  DirectionName,
  GradientOutputs,
  Guide,
  HardNegativeRows,
  HardNegatives,
  Hardness,
  HardnessScope,
  KeyLists,
  Objective,
  ObjectiveOptions,
  Partition,
  Phase,
  Progress,
  Teacher,
  WantedGradients,
  WantedKeyGradients,
} from './loss/options';
export { type Plan, type PlanOptions, plan } from './loss/plan';
export type { PlanFrozen } from './loss/plan-frozen';
export type { PlanRanks, RanksPlan } from './loss/plan-ranks';
export type { PlanChunk, StepPlan } from './loss/plan-step';
export type {
  AskForHardNegativeGrads,
  AskForRows,
  ClipOptions,
  ContrastiveOptions,
  DirectionsOptions,
  InfonceOptions,
  NtxentOptions,
  OptionsFor,
  SiglipOptions,
  SupconOptions,
} from './loss/typed-options';
export { type PackedOf, toBFloat16, toFloat16, toFloat32 } from './matrix/convert';
export {
  DeviceMatrix,
  type Gradient,
} from './matrix/device-matrix';
export { type DeviceMemory, deviceMemory } from './matrix/device-memory';
export type { Features, ReadableFeatures } from './matrix/features';
export type { ForeignMatrix } from './matrix/foreign-matrix';
export { gatherRows } from './matrix/gather-rows';
export type {
  DType,
  HalfFloatArray,
  HostFeatures,
  MatrixLike,
  TensorLike,
  UntypedTensor,
} from './matrix/host-matrix';
export type { MappedFeatures, MappedRows } from './matrix/mapped-features';
export {
  type NormalizedRows,
  type NormalizeOptions,
  normalizeRows,
  normalizeRowsGrad,
} from './matrix/normalize-rows';
export { type PackedMatrix, packRows } from './matrix/pack-rows';
export { FeatureStore } from './store/feature-store';
export type { StoreWriter } from './store/store-writer';
export type { StoreWriterOptions } from './store/writer-options';
export * from './trainer';
