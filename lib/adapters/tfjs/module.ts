/**
 * The part of TensorFlow.js that the adapter uses: structural types, and the checks of values that come from
 * a caller. Also knows the tape on which tfjs records operations for a gradient.
 *
 * Refuses to know models, encoders and the loss.
 */

import { describe, describeList, isArray } from '../../describe';
import { codedError } from '../../errors';
import * as check from '../../validate';

/** The part of a `tf.Tensor` that the adapter uses. */
export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly size: number;
  readonly isDisposed: boolean;
  data(): Promise<unknown>;
  dataSync(): unknown;
  dispose(): void;
}

/** The part of a `tf.Variable` that the adapter uses. */
export interface TfjsVariable extends TfjsTensor {
  readonly name: string;
  readonly trainable: boolean;
}

/** The part of `import * as tf from '@tensorflow/tfjs'` that the adapter uses. Loose types, as most are generic. */
export interface TfjsModule {
  add: CallableFunction;
  clone: CallableFunction;
  customGrad: CallableFunction;
  engine: CallableFunction;
  keep: CallableFunction;
  mul: CallableFunction;
  scalar: (...args: never[]) => TfjsTensor;
  sum: CallableFunction;
  tensor: (...args: never[]) => TfjsTensor;
  tidy: CallableFunction;
  variableGrads: CallableFunction;
}

/** What `tf.engine()` returns, as far as the adapter looks at it. */
interface Engine {
  readonly registeredVariables: Record<string, TfjsVariable | undefined>;
  readonly state: {
    /** Number of gradients that are being computed, one inside the other. */
    gradientDepth: number;
    /** Number of operations that are running, one inside the other. tfjs records only the outermost one. */
    kernelDepth: number;
    activeTape?: { saved: readonly TfjsTensor[] }[] | null;
  };
}

interface CustomGradient {
  value: TfjsTensor;
  gradFunc(upstream: TfjsTensor): TfjsTensor[];
}

/** The same functions with the types by which the adapter calls them. */
export interface Tf {
  add(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  clone(x: TfjsTensor): TfjsTensor;
  customGrad(f: () => CustomGradient): (...inputs: TfjsTensor[]) => TfjsTensor;
  engine(): Engine;
  keep(x: TfjsTensor): TfjsTensor;
  mul(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  scalar(value: number): TfjsTensor;
  sum(x: TfjsTensor): TfjsTensor;
  tensor(values: Float32Array, shape: number[]): TfjsTensor;
  tidy<T>(f: () => T): T;
  variableGrads(
    f: () => TfjsTensor,
    variables: TfjsVariable[],
  ): { value: TfjsTensor; grads: Record<string, TfjsTensor> };
}

const functionNames = [
  'add',
  'clone',
  'customGrad',
  'engine',
  'keep',
  'mul',
  'scalar',
  'sum',
  'tensor',
  'tidy',
  'variableGrads',
] as const satisfies readonly (keyof TfjsModule)[];

/** Throws ERR_TYPE for an object that is not TensorFlow.js, or whose engine has another form. */
export function checkModule(name: string, value: unknown): Tf {
  const tf = check.plainObject(name, value);
  for (const property of functionNames) {
    if (typeof tf[property] === 'function') continue;
    const hint = `; ${name} is all of the module: import * as tf from '@tensorflow/tfjs'`;
    throw check.invalid('ERR_TYPE', `${name}.${property}`, 'function', tf[property], hint);
  }
  const checked = tf as unknown as Tf;
  const { gradientDepth, kernelDepth } = checked.engine()?.state ?? {};
  if (typeof gradientDepth !== 'number' || typeof kernelDepth !== 'number') {
    throw codedError(
      'ERR_TYPE',
      `Expected an engine that counts its gradients from ${name}.engine(), as in @tensorflow/tfjs 4.22, but received ` +
        describe(checked.engine()),
    );
  }
  return checked;
}

export function isTensor(value: unknown): value is TfjsTensor {
  if (typeof value !== 'object' || value === null) return false;
  const { dataSync, data, shape, dtype } = value as Partial<TfjsTensor>;
  return (
    typeof dataSync === 'function' &&
    typeof data === 'function' &&
    isArray(shape) &&
    typeof dtype === 'string'
  );
}

/** A tensor that still has its values. Throws ERR_TYPE or ERR_DISPOSED. */
export function checkTensor(name: string, value: unknown): TfjsTensor {
  if (!isTensor(value)) {
    // a layer that is applied to a symbolic tensor returns one without values
    const symbolic = typeof value === 'object' && value !== null && 'sourceLayer' in value;
    const hint = symbolic ? '; a symbolic tensor has no values yet: call this inside the training loop' : '';
    throw check.invalid('ERR_TYPE', name, 'tf.Tensor', value, hint);
  }
  if (value.isDisposed) {
    throw codedError(
      'ERR_DISPOSED',
      `Expected a tensor with its values for ${name} but received a disposed one`,
    );
  }
  return value;
}

/** A float32 tensor [rows, dim]. Throws ERR_TYPE, ERR_DISPOSED, ERR_DTYPE or ERR_SHAPE. */
export function checkFeatures(name: string, value: unknown): TfjsTensor {
  const tensor = checkFloat(name, value);
  if (tensor.shape.length !== 2) {
    throw codedError(
      'ERR_SHAPE',
      `Expected a tensor [rows, dim] for ${name} but received one of shape ${describeList(tensor.shape)}`,
    );
  }
  return tensor;
}

/** A float32 tensor. Throws ERR_TYPE, ERR_DISPOSED or ERR_DTYPE. */
export function checkFloat(name: string, value: unknown): TfjsTensor {
  const tensor = checkTensor(name, value);
  if (tensor.dtype === 'float32') return tensor;
  throw codedError(
    'ERR_DTYPE',
    `Expected a float32 tensor for ${name} but received ${tensor.dtype}; tf.cast(x, 'float32') converts`,
  );
}

/** Whether tfjs records the operation that comes next. Throws ERR_ENCODER inside nested gradients. */
export function isRecording(tf: Tf, what: string): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  if (gradientDepth > 1) throw secondDerivative(what);
  return gradientDepth === 1 && kernelDepth === 0;
}

export function secondDerivative(what: string): Error {
  return codedError(
    'ERR_ENCODER',
    `Expected at most one gradient around ${what} but received nested ones: to tfjs the gradients of infcl are ` +
      'constants, so a second derivative would be wrong. Call it outside of the inner tf.grad',
  );
}

/**
 * Disposes what tfjs saved on a tape whose function threw. tfjs itself forgets these tensors, which stay
 * in memory for ever. Does nothing while a gradient is still being computed.
 */
export function disposeAbandonedTape(tf: Tf): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const { saved } of state.activeTape) {
    for (const tensor of saved) tensor.dispose();
  }
  state.activeTape = null;
}
