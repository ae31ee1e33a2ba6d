/**
 * `infcl/jax`: makes an Encoder for chunked training from a pure jax-js function.
 *
 * The caller passes jax-js in; this file never imports it. An ES module and a CommonJS module of jax-js are
 * two libraries with two memories. Only the caller knows which one made the parameters. For the same reason
 * the types are structural.
 *
 * Refuses to initialise a device, to own parameters, to update them, and options that it does not know.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import type { MatrixLike } from '../matrix/host-matrix';
import { readNames } from '../read-names';
import { isThenable } from '../thenable';
import type { Encoder, FeatureGrads } from '../trainer/encoder';
import * as check from '../validate';

/** The part of a jax-js array that the adapter uses. */
export interface JaxArray {
  readonly shape: readonly number[];
  readonly ref: this;
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
  numpy: { add: CallableFunction; array: CallableFunction };
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

export interface JaxEncoder<Params, Input> extends Encoder<Input> {
  encode(input: Input): Promise<MatrixLike>;
  /**
   * Gives the caller the gradients added up since the last call, a tree like the parameters. The caller
   * consumes the tree. Throws ERR_ENCODER if there are none.
   */
  takeGradients(): Params;
  /** Frees gradients that were not taken, as after a step that failed. The encoder stays usable. */
  discardGradients(): void;
  /** Frees all memory of the encoder on the device. */
  dispose(): void;
}

/**
 * `encode` and `backward` consume the chunk: yield fresh arrays, or `x.ref` to keep `x`.
 *
 * Reads the options once. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. The encoder throws ERR_ENCODER where
 * `apply` or `params` returns a value that it cannot use.
 */
export function jaxEncoder<Params, Input>(
  options: JaxEncoderOptions<Params, Input>,
): JaxEncoder<Params, Input> {
  const { jax, seed, jit, frozen, apply, params } = checkOptions(options);
  const forward = jit ? (jax.jit(apply) as Apply<Params, Input> & { dispose(): void }) : undefined;
  let draws = 0;
  let gradients: Params | undefined;

  /** Seeds step through a Weyl sequence: no key comes twice within 2^32 chunks. */
  const nextKey = (): [JaxArray?] => {
    const count = draws++;
    return seed === undefined
      ? []
      : [jax.random.key(((seed >>> 0) + Math.imul(count, 0x9e3779b9)) >>> 0) as JaxArray];
  };

  async function encode(input: Input): Promise<MatrixLike> {
    const features = (forward ?? apply)(jax.tree.ref(params()), input, ...nextKey());
    // the whole shape, of any length: the step refuses features that are not [rows, dim]
    const { shape } = features;
    return { data: (await features.data()) as Float32Array, shape };
  }

  async function backward(input: Input, featureGrads: FeatureGrads): Promise<void> {
    const borrowed = jax.tree.ref(params()) as Params;
    const key = nextKey();
    // the chunk is a constant of the closure, so that no gradient with respect to the chunk is computed
    const chunk = pullBack(jax, (own: Params) => apply(own, input, ...key), borrowed, featureGrads);
    gradients = gradients === undefined ? chunk : jax.tree.map(jax.numpy.add, gradients, chunk);
    // arrays are lazy: without this the chunk's activations would wait for the optimiser
    await jax.blockUntilReady(gradients);
  }

  function discardGradients(): void {
    if (gradients !== undefined) jax.tree.dispose(gradients);
    gradients = undefined;
  }

  return {
    encode,
    ...(frozen ? {} : { backward }),
    randomState: () => draws,
    restoreRandomState: (state) => {
      draws = check.nonNegativeInteger('the random state', state);
    },
    takeGradients() {
      if (gradients === undefined) {
        throw codedError(
          'ERR_ENCODER',
          'Expected gradients of at least one chunk but received none since the last call',
        );
      }
      const taken = gradients;
      gradients = undefined;
      return taken;
    },
    discardGradients,
    dispose() {
      discardGradients();
      forward?.dispose();
    },
  };
}

type Apply<Params, Input> = (params: Params, input: Input, key?: JaxArray) => JaxArray;
type PullBack<Params> = ((cotangent: JaxArray) => [Params]) & { dispose(): void };

/** The gradient of the parameters, given that of the features. Consumes the parameters. */
function pullBack<Params>(
  jax: JaxModule,
  apply: (params: Params) => JaxArray,
  params: Params,
  featureGrads: FeatureGrads,
): Params {
  const [features, pull] = jax.vjp(apply, [params]) as [JaxArray, PullBack<Params>];
  const { shape } = features;
  features.dispose();
  try {
    checkSameShape(shape, featureGrads.shape);
    return pull(jax.numpy.array(featureGrads.data, { shape: [...shape] }))[0];
  } finally {
    pull.dispose();
  }
}

interface CheckedOptions<Params, Input> {
  jax: JaxModule;
  apply: Apply<Params, Input>;
  params: () => Params;
  seed: number | undefined;
  jit: boolean;
  frozen: boolean;
}

const optionNames = ['jax', 'apply', 'params', 'seed', 'jit', 'frozen'] as const;

function checkOptions<Params, Input>(options: unknown): CheckedOptions<Params, Input> {
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

function checkSameShape(received: readonly number[], expected: readonly number[]): void {
  if (received.length === expected.length && received.every((n, i) => n === expected[i])) return;
  throw codedError(
    'ERR_CHUNKS',
    `Expected features of shape [${expected}] from the second pass over a chunk, as from the first, but received [${received}]`,
  );
}
