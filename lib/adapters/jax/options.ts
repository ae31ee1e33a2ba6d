/**
 * Options of `jaxEncoder`: the parts of jax-js that the adapter needs, and the checks of what the caller gives.
 *
 * Refuses options that it does not know, and modules that lack a function. Never calls jax-js.
 */

import { isArray } from '../../describe';
import { readNames } from '../../read-names';
import { isThenable } from '../../thenable';
import * as check from '../../validate';

/** The part of a jax-js array that the adapter uses. */
export interface JaxArray {
  readonly shape: readonly number[];
  readonly ref: this;
  /** How many references are alive; 0 after the last one was consumed. */
  readonly refCount: number;
  dispose(): void;
  /** Reads the array out and consumes it. */
  data(): Promise<ArrayBufferView>;
}

/**
 * The part of `import * as jax from '@jax-js/jax'` that the adapter uses. Loose types, because those of
 * jax-js are nominal.
 */
export interface JaxModule {
  blockUntilReady: CallableFunction;
  jit: CallableFunction;
  vjp: CallableFunction;
  numpy: { add: CallableFunction; array: CallableFunction; multiply: CallableFunction };
  random: { key: CallableFunction };
  tree: { dispose: CallableFunction; map: CallableFunction; ref: CallableFunction };
}

export interface JaxEncoderOptions<Params, Input> {
  /** The module that made the parameters; the caller has run `init('wasm')` and chosen the default device. */
  jax: JaxModule;
  /**
   * The network: features [rows x dim], float32, from parameters and one chunk. It is pure and
   * differentiable in `params`. By the move rules of jax-js it consumes all its arguments. `key` comes only
   * with {@link seed}.
   */
  apply(params: Params, input: Input, key: JaxArray): JaxArray;
  /** The parameters as they are now, a tree of arrays. Borrowed: the adapter takes references of its own. */
  params(): Params;
  /**
   * Gives `apply` a fresh random key for each chunk, derived from this 32-bit integer and a count of
   * chunks. The count is the encoder's random state, so the backward phase draws the same dropout as the
   * encode phase.
   */
  seed?: number | undefined;
  /**
   * Compiles `apply` for the encode phase, which needs no graph. Off by default: it gains up to a fifth on
   * small chunks but makes input dropout slower. The backward phase is never compiled: jit around or inside
   * `vjp` costs 2 to 40 times more.
   */
  jit?: boolean | undefined;
  /** The encoder has no `backward`: no gradients and no backward phase for its tower. */
  frozen?: boolean | undefined;
}

export interface TakeGradientsOptions {
  /**
   * Multiplies each gradient, default 1. After n steps without an optimiser in between, `1 / n` gives the
   * gradient of their mean loss.
   */
  scale?: number | undefined;
}

export type Apply<Params, Input> = (params: Params, input: Input, key?: JaxArray) => JaxArray;

export interface CheckedOptions<Params, Input> {
  jax: JaxModule;
  apply: Apply<Params, Input>;
  params: () => Params;
  seed: number | undefined;
  jit: boolean;
  frozen: boolean;
}

const optionNames = ['jax', 'apply', 'params', 'seed', 'jit', 'frozen'] as const;

/** Reads each option once. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function checkOptions<Params, Input>(options: unknown): CheckedOptions<Params, Input> {
  const given = readNames('options', options, optionNames);
  const apply = check.callback<(...args: unknown[]) => unknown>('options.apply', given.apply);
  const params = check.callback<() => unknown>('options.params', given.params);
  const flag = (name: 'jit' | 'frozen') =>
    given[name] !== undefined && check.boolean(`options.${name}`, given[name]);
  return {
    jax: checkModule(given.jax),
    apply: (...args) => {
      const features = Reflect.apply(apply, options, args);
      if (!isArray((features as JaxArray | null | undefined)?.shape)) {
        throw unusable('apply', 'a jax-js array [rows, dim]', features);
      }
      return features as JaxArray;
    },
    params: () => {
      const tree = Reflect.apply(params, options, []);
      if (typeof tree !== 'object' || tree === null || isThenable(tree)) {
        throw unusable('params', 'a tree of jax-js arrays', tree);
      }
      return tree as Params;
    },
    seed: given.seed === undefined ? undefined : check.integer('options.seed', given.seed),
    jit: flag('jit'),
    frozen: flag('frozen'),
  };
}

/** The factor of the gradients. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function checkScale(options: unknown): number {
  if (options === undefined) return 1;
  const { scale } = readNames('options', options, ['scale'] as const);
  return scale === undefined ? 1 : check.finiteNumber('options.scale', scale);
}

/**
 * The functions that the adapter uses, by their paths: a wrong object is found here and not in the middle of
 * a step.
 */
const moduleFunctions = [
  ['blockUntilReady'],
  ['jit'],
  ['vjp'],
  ['numpy', 'add'],
  ['numpy', 'array'],
  ['numpy', 'multiply'],
  ['random', 'key'],
  ['tree', 'dispose'],
  ['tree', 'map'],
  ['tree', 'ref'],
];

function checkModule(value: unknown): JaxModule {
  const jax = check.plainObject('options.jax', value);
  for (const path of moduleFunctions) {
    const found = path.reduce<unknown>(
      (at, name) => (at as Record<string, unknown> | null | undefined)?.[name],
      jax,
    );
    if (typeof found === 'function') continue;
    const hint = "; options.jax is all of the module: import * as jax from '@jax-js/jax'";
    throw check.invalid('ERR_TYPE', `options.jax.${path.join('.')}`, 'function', found, hint);
  }
  return jax as unknown as JaxModule;
}

function unusable(name: string, expected: string, received: unknown): Error {
  const hint = isThenable(received) ? `; ${name} must not be async` : '';
  return check.invalid('ERR_ENCODER', `the result of options.${name}()`, expected, received, hint);
}
