/**
 * `infcl/tfjs`: the loss as an operation of TensorFlow.js, an Encoder for chunked training from a model of
 * TensorFlow.js, and one update of all parameters.
 *
 * The caller passes TensorFlow.js in. infcl never imports it, as only the caller knows which build and which
 * backend the tensors belong to. For the same reason the types are structural.
 */

export { applyGradients, type TfjsExtraGradients, type TfjsOptimizer } from './tfjs/apply-gradients';
export { type TfjsEncoder, type TfjsEncoderOptions, tfjsEncoder } from './tfjs/encoder';
export type { TfjsLayersModel } from './tfjs/layers';
export { contrastiveLoss, type TfjsHardNegatives, type TfjsLossOptions } from './tfjs/loss';
export type { TfjsModule, TfjsTensor, TfjsVariable } from './tfjs/module';
export type { TfjsFunction } from './tfjs/network';
