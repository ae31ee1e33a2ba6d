/**
 * `infcl/jax`: makes an Encoder for chunked training out of a pure jax-js function.
 *
 * jax-js comes in as an argument and is never imported here: an ES module and a CommonJS module of it are two
 * libraries with two memories, and only the caller knows which one made the parameters. For the same reason the
 * types are structural. Refuses to initialise a device, to own parameters, or to update them.
 */

import { codedError } from '../errors';
import type { MatrixLike } from '../matrix';
import type { Encoder, FeatureGrads } from '../trainer/encoder';

/** What the adapter needs of a jax-js array. */
export interface JaxArray {
  readonly shape: number[];
  readonly ref: this;
  dispose(): void;
  /** Reads the array out and consumes it. */
  data(): Promise<ArrayBufferView>;
}

/** The part of `import * as jax from '@jax-js/jax'` in use; loose, because jax-js's own signatures are nominal. */
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
   * The network: features [rows x dim], float32, from parameters and one chunk. Pure, differentiable in `params`,
   * and by the move rules of jax-js it consumes all its arguments. `key` comes only with {@link seed}.
   */
  apply(params: Params, input: Input, key: JaxArray): JaxArray;
  /** The parameters as they are now, a tree of arrays. Borrowed: the adapter takes references of its own. */
  params(): Params;
  /**
   * Gives `apply` a fresh random key for each chunk, derived from this 32-bit integer and a count of chunks; the
   * count is the encoder's random state, so that the second pass draws the same dropout as the first.
   */
  seed?: number;
  /**
   * Compiles the pass without a graph. Off by default: it gains up to a fifth on small chunks but makes input
   * dropout slower. The pass with a graph is never compiled: jit around or inside `vjp` costs 2 to 40 times more.
   */
  jit?: boolean;
  /** No gradients and no second pass for this tower. */
  frozen?: boolean;
}

export interface JaxEncoder<Params, Input> extends Encoder<Input> {
  /**
   * Hands over the gradients added up since the last call, a tree like the parameters, now the caller's to consume.
   * Throws ERR_ENCODER if there are none.
   */
  takeGradients(): Params;
  /** Frees gradients not taken, as after a step that failed. The encoder stays usable. */
  discardGradients(): void;
  /** Frees all that the encoder holds on the device. */
  dispose(): void;
}

/** The chunk is consumed by `encode` and by `backward`: yield fresh arrays, or `x.ref` to keep `x`. */
export function jaxEncoder<Params, Input>(
  options: JaxEncoderOptions<Params, Input>,
): JaxEncoder<Params, Input> {
  const { jax, seed } = options;
  const apply: Apply<Params, Input> = (...args) => options.apply(...(args as Required<typeof args>));
  const forward = options.jit ? (jax.jit(apply) as Apply<Params, Input> & { dispose(): void }) : undefined;
  let draws = 0;
  let gradients: Params | undefined;

  /** Seeds step through a Weyl sequence: no key comes twice within 2^32 chunks. */
  const nextKey = (): [JaxArray?] => {
    const count = draws++;
    return seed === undefined
      ? []
      : [jax.random.key((seed + Math.imul(count, 0x9e3779b9)) >>> 0) as JaxArray];
  };

  async function encode(input: Input): Promise<MatrixLike> {
    const features = (forward ?? apply)(jax.tree.ref(options.params()), input, ...nextKey());
    const [rows, dim] = features.shape;
    return { data: (await features.data()) as Float32Array, shape: [rows!, dim!] };
  }

  async function backward(input: Input, featureGrads: FeatureGrads): Promise<void> {
    const key = nextKey();
    // the chunk is a constant of the closure, so that no gradient with respect to it is computed
    const [features, pullBack] = jax.vjp(
      (params: Params) => apply(params, input, ...key),
      [jax.tree.ref(options.params())],
    ) as [JaxArray, PullBack<Params>];
    const { shape } = features;
    features.dispose();
    try {
      checkSameShape(shape, featureGrads.shape);
      const [chunk] = pullBack(jax.numpy.array(featureGrads.data, { shape: [...shape] }));
      gradients = gradients === undefined ? chunk : jax.tree.map(jax.numpy.add, gradients, chunk);
    } finally {
      pullBack.dispose();
    }
    // arrays are lazy: without this the chunk's activations would wait for the optimiser
    await jax.blockUntilReady(gradients);
  }

  function discardGradients(): void {
    if (gradients !== undefined) jax.tree.dispose(gradients);
    gradients = undefined;
  }

  return {
    encode,
    ...(options.frozen ? {} : { backward }),
    randomState: () => draws,
    restoreRandomState: (state) => {
      draws = state as number;
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

function checkSameShape(received: readonly number[], expected: readonly number[]): void {
  if (received.length === expected.length && received.every((n, i) => n === expected[i])) return;
  throw codedError(
    'ERR_CHUNKS',
    `Expected features of shape [${expected}] from the second pass over a chunk, as from the first, but received [${received}]`,
  );
}
