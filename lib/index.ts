/** Public names of infcl. */

export { type BackendInfo, backends } from './backend';
export {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type DirectionName,
  type GradientOf,
  type LossAndGradResult,
  type LossResult,
  type Objective,
  type Progress,
  type RowResults,
  type Stats,
} from './contrastive-loss';
export {
  DeviceMatrix,
  type DeviceMemory,
  deviceMemory,
  type ForeignMatrix,
  type Gradient,
} from './device-matrix';
export type { ErrorCode, InfclError } from './errors';
export type { Features } from './features';
export type { HalfFloatArray, MatrixLike, TensorLike } from './matrix';
export { type Plan, type PlanOptions, plan } from './plan';
export * from './trainer';
