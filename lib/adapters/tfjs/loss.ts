/**
 * The loss as an operation of TensorFlow.js: a scalar that `variableGrads`, `minimize` and `tf.grad`
 * differentiate. infcl computes loss and gradients in one blocking call, and `tf.customGrad` hands the
 * gradients to tfjs.
 *
 * Refuses second derivatives, and options whose results are not tensors.
 */

import { codedError } from '../../errors';
import { contrastiveLossAndGradSync, contrastiveLossSync } from '../../loss/contrastive-loss';
import { readHardNegativeRows } from '../../loss/hard-negative-rows';
import type { LossAndGradResult } from '../../loss/loss-functions';
import { optionNames } from '../../loss/objectives';
import type { AnyContrastiveOptions, HardNegativeRows, Objective, WantedGradients } from '../../loss/options';
import type { OptionsFor } from '../../loss/typed-options';
import type { Features } from '../../matrix/features';
import type { MatrixLike } from '../../matrix/host-matrix';
import { readNames } from '../../read-names';
import {
  checkFeatures,
  checkFloat,
  checkModule,
  checkTensor,
  isRecording,
  isTensor,
  secondDerivative,
  type Tf,
  type TfjsModule,
  type TfjsTensor,
} from './module';

/** Options that may be tensors as well. */
const scalarNames = ['logitScale', 'logitBias'] as const satisfies TensorOption[];
const rowNames = ['labels', 'queryIds', 'keyIds', 'queryWeights'] as const satisfies TensorOption[];
type TensorOption = 'logitScale' | 'logitBias' | 'labels' | 'queryIds' | 'keyIds' | 'queryWeights';

/**
 * `hardNegatives` with a tensor of their keys [rows × D], which gets a gradient, or with features that stay
 * constant.
 */
export type TfjsHardNegatives = HardNegativeRows & {
  keys: TfjsTensor | Features;
  ids?: Int32Array | undefined;
};

type WithTensors<T> = T extends unknown
  ? {
      [Name in keyof T as Name extends 'perRow' | 'out' ? never : Name]: [T[Name]] extends [undefined]
        ? T[Name]
        : Name extends TensorOption
          ? T[Name] | TfjsTensor
          : Name extends 'hardNegatives'
            ? TfjsHardNegatives | undefined
            : T[Name];
    }
  : never;

/**
 * The options of `contrastiveLoss` of `infcl`, without `perRow` and `out`. `logitScale` and `logitBias` may
 * be float32 tensors of one element, which get a gradient. `labels` and ids may be int32 tensors,
 * `queryWeights` a float32 tensor: constants.
 */
export type TfjsLossOptions<O extends Objective = 'clip'> = WithTensors<OptionsFor<O>>;

/** A tensor that gets a gradient, and where the result has it. */
interface Input {
  tensor: TfjsTensor;
  gradient(result: LossAndGradResult): Float32Array;
}

/** The arguments, checked. Values are not read yet. */
interface CheckedLoss {
  queries: TfjsTensor;
  keys: TfjsTensor | null;
  hardNegatives: TfjsHardNegatives | undefined;
  options: Record<string, unknown>;
}

/**
 * The loss of `queries` [M × D] against `keys` [N × D], float32 tensors, as a `tf.Scalar`. `keys` may be null
 * for `objective: 'supcon'`. Formulas and their sources: `contrastiveLoss` of `infcl`. Features are used as
 * they are: normalise them first if the model does.
 *
 * Differentiable in queries and keys, in `hardNegatives.keys`, and in `logitScale` and `logitBias`, where
 * these are tensors. `options.grad` leaves gradients out: such features are constants. Outside of a gradient
 * it computes the loss alone. Blocks while it computes, and reads tensors by `dataSync`.
 *
 * Throws ERR_TYPE, ERR_DISPOSED, ERR_DTYPE, ERR_SHAPE or ERR_OPTION for wrong arguments, ERR_ENCODER inside
 * nested gradients, and the codes of `contrastiveLossAndGradSync`. Makes no tensor but its result.
 */
export function contrastiveLoss<Tf extends TfjsModule, O extends Objective = 'clip'>(
  tf: Tf,
  queries: TfjsTensor,
  keys: TfjsTensor | null,
  options?: TfjsLossOptions<O>,
): ReturnType<Tf['scalar']> {
  const ops = checkModule('tf', tf);
  const checked = checkArguments(queries, keys, options);
  return lossTensor(ops, checked, isRecording(ops, 'contrastiveLoss')) as ReturnType<Tf['scalar']>;
}

function lossTensor(tf: Tf, checked: CheckedLoss, recording: boolean): TfjsTensor {
  const features = [matrixOf(checked.queries), checked.keys && matrixOf(checked.keys)] as const;
  const { options, inputs } = readValues(checked);
  if (!recording || inputs.length === 0) return tf.scalar(contrastiveLossSync(...features, options).loss);

  const result = contrastiveLossAndGradSync(...features, options);
  const { loss } = result;
  // not `result`: the closure would keep gradients that no input needs
  const gradients = inputs.map(({ gradient }) => gradient(result));
  return tf.customGrad(() => ({
    value: tf.scalar(loss),
    gradFunc: (upstream) => {
      // tfjs is recording the gradient itself, which only a second derivative needs
      if (tf.engine().state.gradientDepth > 0) throw secondDerivative('contrastiveLoss');
      const [factor] = upstream.dataSync() as Float32Array;
      return inputs.map(({ tensor }, i) => tf.tensor(scaled(gradients[i]!, factor!), [...tensor.shape]));
    },
  }))(...inputs.map(({ tensor }) => tensor));
}

/** The array itself, each element multiplied. The factor is 1 except where the loss is part of a larger one. */
function scaled(array: Float32Array, factor: number): Float32Array {
  if (factor !== 1) {
    for (let i = 0; i < array.length; i++) array[i]! *= factor;
  }
  return array;
}

function checkArguments(queries: unknown, keys: unknown, options: unknown = {}): CheckedLoss {
  const given = readNames('options', options, optionNames);
  for (const name of ['perRow', 'out'] as const) {
    if (given[name] === undefined) continue;
    throw codedError(
      'ERR_OPTION',
      `Expected no options.${name}: this loss is a tf.Scalar, and tfjs owns its gradients; contrastiveLossAndGrad of ` +
        'infcl takes this option',
    );
  }
  for (const name of scalarNames) {
    if (typeof given[name] === 'object' && given[name] !== null) checkSingle(`options.${name}`, given[name]);
  }
  for (const name of rowNames) {
    if (isTensor(given[name])) checkRows(name, given[name]);
  }
  return {
    queries: checkFeatures('queries', queries),
    keys: keys === null ? null : checkFeatures('keys', keys),
    hardNegatives: given.hardNegatives === undefined ? undefined : checkNegatives(given.hardNegatives),
    options: given,
  };
}

function checkSingle(name: string, value: unknown): void {
  const { size, shape } = checkFloat(name, value);
  if (size !== 1) {
    throw codedError(
      'ERR_SHAPE',
      `Expected a tensor of one element for ${name} but received shape [${shape}]`,
    );
  }
}

function checkRows(name: string, value: TfjsTensor): void {
  const expected = name === 'queryWeights' ? 'float32' : 'int32';
  const { dtype } = checkTensor(`options.${name}`, value);
  if (dtype === expected) return;
  throw codedError(
    'ERR_DTYPE',
    `Expected a tensor of ${expected} for options.${name} but received ${dtype}; tf.cast(x, '${expected}') converts`,
  );
}

function checkNegatives(value: unknown): NonNullable<CheckedLoss['hardNegatives']> {
  const name = 'options.hardNegatives';
  const { keys, perQuery, offsets, ids } = readNames(name, value, ['keys', 'perQuery', 'offsets', 'ids']);
  return {
    keys: isTensor(keys) ? checkFeatures(`${name}.keys`, keys) : (keys as Features),
    ...readHardNegativeRows(name, { perQuery, offsets }),
    ids: ids as Int32Array | undefined,
  };
}

/** Reads the values of all tensors among the options, and lists the tensors that get a gradient. */
function readValues(checked: CheckedLoss): { options: AnyContrastiveOptions; inputs: Input[] } {
  const { queries, keys, hardNegatives } = checked;
  const read = { ...checked.options };
  for (const name of scalarNames) {
    const given = read[name];
    if (isTensor(given)) [read[name]] = given.dataSync() as Float32Array;
  }
  for (const name of rowNames) {
    const given = read[name];
    if (isTensor(given)) read[name] = given.dataSync();
  }
  // the loss functions check all that is left
  const options = read as AnyContrastiveOptions;
  const grad = wantedGradients(options.grad, hardNegatives);
  options.grad = grad;
  const inputs: Input[] = [];
  if (grad.queries !== false) inputs.push({ tensor: queries, gradient: ({ queryGrads }) => queryGrads });
  if (keys !== null && grad.keys !== false) {
    inputs.push({ tensor: keys, gradient: ({ keyGrads }) => padded(keyGrads, keys.size) });
  }
  if (hardNegatives !== undefined) {
    const tensor = hardNegatives.keys;
    options.hardNegatives = { ...hardNegatives, keys: isTensor(tensor) ? matrixOf(tensor) : tensor };
    if (isTensor(tensor) && (grad.hardNegatives ?? grad.keys !== false)) {
      inputs.push({ tensor, gradient: ({ hardNegativeGrads }) => hardNegativeGrads! });
    }
  }
  const { logitScale, logitBias } = checked.options;
  if (isTensor(logitScale)) {
    inputs.push({ tensor: logitScale, gradient: ({ logitScaleGrad }) => Float32Array.of(logitScaleGrad) });
  }
  if (isTensor(logitBias)) {
    inputs.push({ tensor: logitBias, gradient: ({ logitBiasGrad }) => Float32Array.of(logitBiasGrad) });
  }
  return { options, inputs };
}

/** A copy of `options.grad`, each property read once. Throws ERR_VALUE where it asks for the gradient of a constant. */
function wantedGradients(grad: unknown, negatives: CheckedLoss['hardNegatives']): WantedGradients {
  const names = ['queries', 'keys', 'hardNegatives'] as const;
  const wanted = (grad === undefined ? {} : readNames('options.grad', grad, names)) as WantedGradients;
  if (negatives === undefined || isTensor(negatives.keys)) return wanted;
  if (wanted.hardNegatives === true) {
    throw codedError(
      'ERR_VALUE',
      'Expected a tensor for options.hardNegatives.keys, as options.grad.hardNegatives is true, but received constant features',
    );
  }
  return { ...wanted, hardNegatives: false };
}

/** The gradient of all keys: 0 for the keys of a bank, which have none. */
function padded(gradient: Float32Array, size: number): Float32Array {
  if (gradient.length === size) return gradient;
  const whole = new Float32Array(size);
  whole.set(gradient);
  return whole;
}

/** Without a copy where the backend keeps its values in typed arrays, as `cpu` does. */
function matrixOf(tensor: TfjsTensor): MatrixLike {
  return { data: tensor.dataSync() as Float32Array, shape: tensor.shape };
}
