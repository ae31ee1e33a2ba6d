/**
 * One update of all parameters by an optimiser of TensorFlow.js.
 *
 * Most optimisers of tfjs, such as Adam and RMSProp, keep their moments by position in the list of gradients, not by
 * the name of a variable. Two calls a step, or lists in another order, would mix the
 * moments of different variables without an error. So this file gives each variable one position for as long as
 * the optimiser lives, and refuses calls that would break the positions.
 */

import { isArray } from '../../describe';
import { codedError } from '../../errors';
import * as check from '../../validate';
import { type EncoderParts, partsOf, type TfjsEncoder } from './encoder';
import { checkFloat, type Tf, type TfjsTensor } from './module';

/** The part of a `tf.Optimizer` that the adapter uses. */
export interface TfjsOptimizer {
  applyGradients: CallableFunction;
}

/** Gradients that no encoder has: a number for a variable of one element, or a tensor, which stays the caller's. */
export type TfjsExtraGradients = Record<string, number | TfjsTensor>;

/** What is known of an optimiser since its first call. */
interface Positions {
  encoders: ReadonlySet<object>;
  /** The variables in the order of their moments. */
  names: string[];
  /** The optimiser's own count of its calls. */
  iterations: unknown;
}

const positionsOf = new WeakMap<object, Positions>();

const trap =
  "tfjs's optimisers keep their moments by position in the list of gradients, not by name, so one call must update " +
  'all encoders';

/** A checked encoder. */
type Part = EncoderParts & Pick<TfjsEncoder<never>, 'takeGradients'>;

/**
 * Calls `optimizer.applyGradients` once for the gradients of all encoders, then disposes of them. An encoder
 * that serves both towers may be named twice. Gradients of a variable that two encoders use are added.
 *
 * @param optimizer An optimiser of tfjs. It serves these encoders alone, and only through this function.
 * @param encoders All encoders of the step. Call this function once after each step.
 * @param extra Gradients of other variables by their names, such as that of the logarithm of the scale.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_SHAPE, ERR_DTYPE or ERR_DISPOSED for wrong arguments. Throws ERR_ENCODER for an encoder
 * without gradients, as in a second call of one step. The same for other encoders than in the first call of this
 * optimiser, and where another part of the program has used the optimiser since. Gradients then stay in the encoders.
 */
export function applyGradients(
  optimizer: TfjsOptimizer,
  encoders: readonly TfjsEncoder<never, unknown>[],
  extra: TfjsExtraGradients = {},
): void {
  checkOptimizer(optimizer);
  const parts = checkEncoders(encoders);
  const { tf } = parts.values().next().value!;
  const known = checkPositions(optimizer, parts);
  const others = checkExtra(tf, extra, parts);

  const owned: TfjsTensor[] = [];
  try {
    const sums = new Map<string, TfjsTensor>();
    for (const part of parts.values()) {
      const taken = Object.entries(part.takeGradients());
      owned.push(...taken.map(([, gradient]) => gradient));
      for (const [name, gradient] of taken) addTo(tf, sums, { name, gradient, owned });
    }
    for (const [name, value] of others) {
      const gradient = typeof value === 'number' ? scalarLike(tf, name, value) : value;
      if (gradient !== value) owned.push(gradient);
      sums.set(name, gradient);
    }
    for (const name of sums.keys()) if (!known.names.includes(name)) known.names.push(name);
    // null keeps the position of a variable without a gradient in this step
    const list = known.names.map((name) => ({ name, tensor: sums.get(name) ?? null }));
    Reflect.apply(optimizer.applyGradients, optimizer, [list]);
    known.iterations = (optimizer as { iterations?: unknown }).iterations;
    positionsOf.set(optimizer, known);
  } finally {
    for (const tensor of owned) tensor.dispose();
  }
}

function addTo(
  tf: Tf,
  sums: Map<string, TfjsTensor>,
  { name, gradient, owned }: { name: string; gradient: TfjsTensor; owned: TfjsTensor[] },
): void {
  const before = sums.get(name);
  if (before === undefined) {
    sums.set(name, gradient);
    return;
  }
  const sum = tf.tidy(() => tf.add(before, gradient));
  owned.push(sum);
  sums.set(name, sum);
}

function scalarLike(tf: Tf, name: string, value: number): TfjsTensor {
  return tf.tensor(Float32Array.of(value), [...tf.engine().registeredVariables[name]!.shape]);
}

function checkOptimizer(value: unknown): void {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && typeof (value as TfjsOptimizer).applyGradients === 'function') return;
  const hint = '; applyGradients takes (optimizer, encoders, extra)';
  throw check.invalid('ERR_TYPE', 'optimizer', 'optimiser of tfjs, such as tf.train.adam(),', value, hint);
}

function checkEncoders(value: unknown): Map<object, Part> {
  if (!isArray(value) || value.length === 0) {
    throw check.invalid('ERR_TYPE', 'encoders', 'non-empty array of encoders', value);
  }
  const parts = new Map<object, Part>();
  Array.from(value).forEach((encoder, i) => {
    const known = partsOf(encoder);
    if (known === undefined)
      throw check.invalid('ERR_TYPE', `encoders[${i}]`, 'encoder of tfjsEncoder', encoder);
    const { takeGradients } = encoder as Part;
    if (known.frozen) {
      throw codedError(
        'ERR_ENCODER',
        `Expected a trained encoder for encoders[${i}] but received a frozen one: leave it out`,
      );
    }
    if (!known.hasGradients()) {
      throw codedError(
        'ERR_ENCODER',
        `Expected gradients of a step in encoders[${i}] but received none: call applyGradients once after each ` +
          `chunkedStep, with all its encoders; ${trap}`,
      );
    }
    parts.set(encoder as object, { ...known, takeGradients });
  });
  return parts;
}

/** The positions of the optimiser's earlier calls, or those for a first call. */
function checkPositions(optimizer: object, parts: ReadonlyMap<object, Part>): Positions {
  const known = positionsOf.get(optimizer);
  if (known === undefined) {
    const names = [...parts.values()].flatMap((part) => part.variables().map(({ name }) => name));
    return { encoders: new Set(parts.keys()), names: [...new Set(names)], iterations: undefined };
  }
  const { encoders, iterations } = known;
  if (encoders.size !== parts.size || ![...parts.keys()].every((encoder) => encoders.has(encoder))) {
    throw codedError(
      'ERR_ENCODER',
      `Expected the ${encoders.size} encoders of the first call with this optimiser but received others: ${trap}. ` +
        'Other encoders need an optimiser of their own',
    );
  }
  if ((optimizer as { iterations?: unknown }).iterations !== iterations) {
    throw codedError(
      'ERR_ENCODER',
      `Expected an optimiser that applyGradients alone uses but received one that was called in between: ${trap}. ` +
        'Give further gradients as extra',
    );
  }
  return known;
}

/** A copy of the extra gradients, each read once and checked against its variable. */
function checkExtra(
  tf: Tf,
  value: unknown,
  parts: ReadonlyMap<object, Part>,
): [string, number | TfjsTensor][] {
  const taken = new Set([...parts.values()].flatMap((part) => part.variables().map(({ name }) => name)));
  const { registeredVariables } = tf.engine();
  return Object.entries(check.plainObject('extra', value)).map(([name, gradient]) => {
    const variable = Object.hasOwn(registeredVariables, name) ? registeredVariables[name] : undefined;
    const where = `extra.${name}`;
    if (variable === undefined) {
      throw codedError(
        'ERR_VALUE',
        `Expected the name of a tf.Variable but received ${where}; use [variable.name]`,
      );
    }
    if (taken.has(name)) {
      throw codedError(
        'ERR_VALUE',
        `Expected no ${where}: an encoder has the gradient of this variable already`,
      );
    }
    const shape = typeof gradient === 'number' ? [] : checkFloat(where, gradient).shape;
    if (typeof gradient === 'number') check.finiteNumber(where, gradient);
    const fits =
      typeof gradient === 'number'
        ? variable.size === 1
        : shape.length === variable.shape.length && shape.every((n, i) => n === variable.shape[i]);
    if (fits) return [name, gradient as number | TfjsTensor];
    throw codedError(
      'ERR_SHAPE',
      `Expected a gradient of shape [${variable.shape}], as the variable has, for ${where} but received [${shape}]`,
    );
  });
}
