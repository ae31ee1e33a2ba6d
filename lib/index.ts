/** Public names of infcl. */

export { type BackendInfo, backends } from './backend';
export {
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
} from './contrastive-loss';
export type {
  AnyContrastiveOptions,
  BackendName,
  BackendOption,
  CommonOptions,
  Compute,
  DirectionName,
  GradientOutputs,
  HardNegatives,
  Hardness,
  HardnessScope,
  Objective,
  ObjectiveOptions,
  Partition,
  Phase,
  Progress,
  WantedGradients,
} from './contrastive-options';
export {
  DeviceMatrix,
  type DeviceMemory,
  deviceMemory,
  type ForeignMatrix,
  type Gradient,
} from './device-matrix';
export { type ErrorCode, type InfclError, isInfclError } from './errors';
export type { Features } from './features';
export type {
  GradientOf,
  LossAndGradResult,
  LossFunctions,
  LossResult,
  RowResults,
  Stats,
  WithHardNegativeGrads,
  WithRows,
} from './loss-functions';
export type { DType, HalfFloatArray, HostFeatures, MatrixLike, TensorLike, UntypedTensor } from './matrix';
export { type Plan, type PlanOptions, plan } from './plan';
export * from './trainer';
export type {
  ClipOptions,
  ContrastiveOptions,
  DirectionsOptions,
  InfonceOptions,
  NtxentOptions,
  OptionsFor,
  SiglipOptions,
  SupconOptions,
} from './typed-options';
