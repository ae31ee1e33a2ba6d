/**
 * The two kinds of network that an encoder may have: a LayersModel of TensorFlow.js, or a function with the
 * variables that it uses. Each becomes a function from a chunk to features.
 *
 * Refuses results that are no features, and knows neither passes nor gradients.
 */

import { isArray } from '../../describe';
import { ignoreRejection, isThenable } from '../../thenable';
import * as check from '../../validate';
import {
  applyModel,
  checkLayers,
  isLayersModel,
  type PassOptions,
  type TfjsLayersModel,
  trainedVariables,
} from './layers';
import { checkFeatures, isTensor, type TfjsTensor, type TfjsVariable } from './module';

/** A network without layers of tfjs: a function and the variables that it uses. */
export interface TfjsFunction<Input> {
  /**
   * Features [rows x dim], float32, of one chunk. `seed` is an integer from 0 to 2^32 - 1, another one for
   * each chunk and the same in both passes: give it to `tf.dropout`. Not async.
   */
  apply(input: Input, seed: number): TfjsTensor;
  /** The variables that get gradients, except those whose `trainable` is false. */
  variables: readonly TfjsVariable[];
}

/** Either kind of network, checked. */
export interface Network<Input> {
  /** To be called in `tf.tidy`. */
  features(input: Input, seed: number): TfjsTensor;
  variables(): TfjsVariable[];
}

/** Throws ERR_TYPE, or ERR_ENCODER for layers that would not do the same in both passes. */
export function checkNetwork<Input>(value: unknown, pass: PassOptions): Network<Input> {
  const model = check.plainObject('options.model', value);
  return isLayersModel(model) ? layersNetwork(model, pass) : functionNetwork(model, pass.frozen);
}

function layersNetwork(model: TfjsLayersModel, pass: PassOptions): Network<unknown> {
  checkLayers(model, pass);
  return {
    features(input, seed) {
      // anew: a layer may have been frozen or released since
      checkLayers(model, pass);
      return checkResult(applyModel(model, input, { training: pass.training, seed }));
    },
    variables: () => trainedVariables(model),
  };
}

function functionNetwork<Input>(model: Record<string, unknown>, frozen: boolean): Network<Input> {
  const apply = check.callback<(...args: unknown[]) => unknown>('options.model.apply', model.apply);
  const variables = checkVariables(model.variables, frozen);
  return {
    features: (input, seed) => checkResult(Reflect.apply(apply, model, [input, seed])),
    variables: () => variables.filter(({ trainable }) => trainable),
  };
}

function checkVariables(value: unknown, frozen: boolean): TfjsVariable[] {
  const name = 'options.model.variables';
  if (value === undefined && frozen) return [];
  if (!isArray(value)) {
    const hint = '; options.model is a tf.LayersModel, or { apply, variables }';
    throw check.invalid('ERR_TYPE', name, 'array of tf.Variable', value, hint);
  }
  const variables = [...new Set(value)];
  variables.forEach((variable, i) => {
    const { name: given, assign } = Object(variable) as { name?: unknown; assign?: unknown };
    if (isTensor(variable) && typeof given === 'string' && typeof assign === 'function') return;
    throw check.invalid('ERR_TYPE', `${name}[${i}]`, 'tf.Variable', variable);
  });
  return variables as TfjsVariable[];
}

function checkResult(value: unknown): TfjsTensor {
  if (isTensor(value)) return checkFeatures('the result of options.model.apply()', value);
  if (isThenable(value)) ignoreRejection(value);
  const hint = isThenable(value) ? '; apply must not be async' : '';
  throw check.invalid(
    'ERR_ENCODER',
    'the result of options.model.apply()',
    'a tf.Tensor [rows, dim]',
    value,
    hint,
  );
}
