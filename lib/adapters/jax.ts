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
import type { Encoder, FeatureGrads } from '../trainer/encoder';
import * as check from '../validate';
import {
  type Apply,
  checkOptions,
  checkScale,
  type JaxArray,
  type JaxEncoderOptions,
  type JaxModule,
  type TakeGradientsOptions,
} from './jax/options';

export type { JaxArray, JaxEncoderOptions, JaxModule, TakeGradientsOptions } from './jax/options';

export interface JaxEncoder<Params, Input> extends Encoder<Input> {
  encode(input: Input): Promise<MatrixLike>;
  /**
   * Gives the caller the gradients added up since the last call, a tree like the parameters. The caller
   * consumes the tree.
   *
   * Throws ERR_ENCODER if there are none, and ERR_TYPE, ERR_VALUE or ERR_OPTION for bad options. The
   * gradients then stay in the encoder.
   */
  takeGradients(options?: TakeGradientsOptions): Params;
  /** Frees gradients that were not taken, as after a step that failed. The encoder stays usable. */
  discardGradients(): void;
  /** Frees all memory of the encoder on the device. */
  dispose(): void;
}

/**
 * `encode` and `backward` consume the chunk, also if they fail: yield fresh arrays, or `x.ref` to keep `x`.
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

  /** Runs the network on one chunk. A failure frees the chunk, the key and the reference to the parameters. */
  function onChunk<T>(input: Input, work: (own: Params, key: [JaxArray?]) => T): T {
    const key = nextKey();
    return consuming([input, key], undefined, () => {
      const borrowed = params();
      return consuming(undefined, borrowed, () => work(jax.tree.ref(borrowed) as Params, key));
    });
  }

  async function encode(input: Input): Promise<MatrixLike> {
    const features = onChunk(input, (own, key) => (forward ?? apply)(own, input, ...key));
    // the whole shape, of any length: the step refuses features that are not [rows, dim]
    const { shape } = features;
    return { data: (await features.data()) as Float32Array, shape };
  }

  async function backward(input: Input, featureGrads: FeatureGrads): Promise<void> {
    const chunk = onChunk(input, (own, key) =>
      // the chunk is a constant of the closure, so that no gradient with respect to the chunk is computed
      pullBack(jax, (params: Params) => apply(params, input, ...key), own, featureGrads),
    );
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
    takeGradients(options) {
      const scale = checkScale(options);
      if (gradients === undefined) {
        throw codedError(
          'ERR_ENCODER',
          'Expected gradients of at least one chunk but received none since the last call',
        );
      }
      const taken = gradients;
      gradients = undefined;
      return scale === 1 ? taken : jax.tree.map((g: JaxArray) => jax.numpy.multiply(g, scale), taken);
    },
    discardGradients,
    dispose() {
      discardGradients();
      forward?.dispose();
    },
  };
}

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

/**
 * Runs `work`. If `work` throws, frees the references that it should have consumed and did not: one for each
 * place of an array in the `owned` trees, and those added to the `borrowed` trees meanwhile. Arrays that a
 * failed network made for itself are out of reach.
 */
function consuming<T>(owned: unknown, borrowed: unknown, work: () => T): T {
  const left = new Map<JaxArray, number>();
  for (const array of arraysIn(borrowed)) left.set(array, array.refCount);
  for (const array of arraysIn(owned)) left.set(array, (left.get(array) ?? array.refCount) - 1);
  try {
    return work();
  } catch (error) {
    for (const [array, count] of left) while (array.refCount > count) array.dispose();
    throw error;
  }
}

/**
 * The arrays of jax-js in a tree of lists and plain objects. A chunk may hold anything else too: lists that do
 * not begin with an object are not searched, and no list or object is searched twice.
 */
function* arraysIn(tree: unknown, searched = new Set<object>()): Generator<JaxArray> {
  if (typeof tree !== 'object' || tree === null) return;
  const { refCount, dispose } = tree as Partial<JaxArray>;
  if (typeof refCount === 'number' && typeof dispose === 'function') {
    yield tree as JaxArray;
    return;
  }
  const isBranch = isArray(tree)
    ? typeof tree[0] === 'object'
    : [Object.prototype, null].includes(Object.getPrototypeOf(tree));
  if (!isBranch || searched.has(tree)) return;
  searched.add(tree);
  for (const branch of Object.values(tree)) yield* arraysIn(branch, searched);
}

function checkSameShape(received: readonly number[], expected: readonly number[]): void {
  if (received.length === expected.length && received.every((n, i) => n === expected[i])) return;
  throw codedError(
    'ERR_CHUNKS',
    `Expected features of shape [${expected}] from the second pass over a chunk, as from the first, but received [${received}]`,
  );
}
