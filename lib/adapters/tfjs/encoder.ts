/**
 * An Encoder for chunked training from a LayersModel of TensorFlow.js, or from a function and its variables.
 * Counts chunks, so that the backward phase draws the dropout of the encode phase again, and adds up
 * gradients until `applyGradients` takes them.
 *
 * Refuses to own parameters and to update them. Keeps no tensor but the gradients.
 */

import { codedError } from '../../errors';
import type { MatrixLike } from '../../matrix/host-matrix';
import { readNames } from '../../read-names';
import type { Encoder, FeatureGrads } from '../../trainer/encoder';
import * as check from '../../validate';
import { mixed, type TfjsLayersModel } from './layers';
import {
  checkModule,
  disposeAbandonedTape,
  type Tf,
  type TfjsModule,
  type TfjsTensor,
  type TfjsVariable,
} from './module';
import { checkNetwork, type Network, type TfjsFunction } from './network';

export interface TfjsEncoderOptions<Input, Tf extends TfjsModule = TfjsModule> {
  /** All of the module that made the model: `import * as tf from '@tensorflow/tfjs'`. */
  tf: Tf;
  /** The network: a LayersModel with one output [rows x dim], or a function with its variables. */
  model: TfjsLayersModel | TfjsFunction<Input>;
  /**
   * Whether layers work as in training: dropout drops. Default true; false for a frozen encoder. A function
   * decides by itself.
   */
  training?: boolean | undefined;
  /** A 32-bit integer from which all dropout is drawn. Default: a random one. */
  seed?: number | undefined;
  /** The encoder has no `backward`: no gradients and no backward phase for its tower. */
  frozen?: boolean | undefined;
}

/** `Tensor` is the type of the module's tensors. */
export interface TfjsEncoder<Input, Tensor = TfjsTensor> extends Encoder<Input> {
  encode(input: Input): Promise<MatrixLike>;
  /**
   * Gives the caller the gradients added up since the last call, by the names of their variables. The caller
   * disposes of them. Throws ERR_ENCODER if there are none. `applyGradients` calls this.
   */
  takeGradients(): Record<string, Tensor>;
  /** Disposes of gradients that were not taken, as after a step that failed. The encoder stays usable. */
  discardGradients(): void;
  /** Disposes of all tensors of the encoder. The model stays the caller's. */
  dispose(): void;
}

/** What `applyGradients` needs to know of an encoder. */
export interface EncoderParts {
  tf: Tf;
  frozen: boolean;
  hasGradients(): boolean;
  /** All variables that are trained now, in an order that stays the same. */
  variables(): TfjsVariable[];
}

const parts = new WeakMap<object, EncoderParts>();

/** Undefined for an object that is not of `tfjsEncoder`. */
export const partsOf = (encoder: unknown): EncoderParts | undefined => parts.get(encoder as object);

/**
 * Makes an encoder of one tower for `chunkedStep`. A chunk is what the model takes: a tensor, or an array of
 * tensors. It stays the caller's, who disposes of it. `encode` reads features by `await tensor.data()`.
 *
 * Reads the options once. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION for wrong options, and ERR_ENCODER for
 * layers that would not do the same in both passes. The encoder throws ERR_ENCODER within a gradient
 * of tfjs, and for a result that is no tensor. It throws ERR_DTYPE or ERR_SHAPE for wrong features, and
 * ERR_CHUNKS for a chunk of other rows in its second pass. After an error no tensor is left but earlier
 * gradients.
 */
export function tfjsEncoder<Input, Tf extends TfjsModule = TfjsModule>(
  options: TfjsEncoderOptions<Input, Tf>,
): TfjsEncoder<Input, ReturnType<Tf['tensor']>> {
  const { tf, model, seed, frozen } = checkOptions<Input>(options);
  let draws = 0;
  const gradients = new Map<string, TfjsTensor>();

  const nextSeed = () => mixed(seed, draws++);

  async function encode(input: Input): Promise<MatrixLike> {
    refuseGradient(tf, 'encode');
    const draw = nextSeed();
    // a copy of the handle alone: the features may be a tensor of the caller's
    const features = tf.tidy(() => tf.clone(model.features(input, draw)));
    try {
      return { data: (await features.data()) as Float32Array, shape: features.shape };
    } finally {
      features.dispose();
    }
  }

  function backward(input: Input, featureGrads: FeatureGrads): void {
    refuseGradient(tf, 'backward');
    const draw = nextSeed();
    tf.tidy(() => {
      const chunk = pullBack(tf, () => model.features(input, draw), model.variables(), featureGrads);
      for (const [name, gradient] of Object.entries(chunk)) {
        const before = gradients.get(name);
        gradients.set(name, tf.keep(before === undefined ? gradient : tf.add(before, gradient)));
        before?.dispose();
      }
    });
  }

  function discardGradients(): void {
    for (const gradient of gradients.values()) gradient.dispose();
    gradients.clear();
  }

  const encoder = {
    encode,
    ...(frozen ? {} : { backward }),
    randomState: () => draws,
    restoreRandomState: (state: unknown) => {
      draws = check.nonNegativeInteger('the random state', state);
    },
    takeGradients() {
      if (gradients.size === 0) {
        throw codedError(
          'ERR_ENCODER',
          'Expected gradients of at least one chunk but received none since the last call',
        );
      }
      const taken = Object.fromEntries(gradients);
      gradients.clear();
      return taken as Record<string, ReturnType<Tf['tensor']>>;
    },
    discardGradients,
    dispose: discardGradients,
  };
  parts.set(encoder, { tf, frozen, hasGradients: () => gradients.size > 0, variables: model.variables });
  return encoder;
}

/** The gradients of the variables, given that of the features. To be called in `tf.tidy`. */
function pullBack(
  tf: Tf,
  features: () => TfjsTensor,
  variables: TfjsVariable[],
  { data, shape }: FeatureGrads,
): Record<string, TfjsTensor> {
  if (variables.length === 0) {
    throw codedError(
      'ERR_ENCODER',
      'Expected a trainable variable in the model but received none; frozen: true makes an encoder without gradients',
    );
  }
  const surrogate = () => {
    const tensor = features();
    checkSameShape(tensor.shape, shape);
    // its gradient is the one wanted, because the second factor is constant
    return tf.sum(tf.mul(tensor, tf.tensor(data, [...shape])));
  };
  try {
    return tf.variableGrads(surrogate, variables).grads;
  } catch (error) {
    disposeAbandonedTape(tf);
    throw error;
  }
}

function refuseGradient(tf: Tf, method: string): void {
  if (tf.engine().state.gradientDepth === 0) return;
  throw codedError(
    'ERR_ENCODER',
    `Expected ${method} outside of a gradient of tfjs but received a call inside one: an encoder makes its own`,
  );
}

function checkSameShape(received: readonly number[], expected: readonly number[]): void {
  if (received.length === expected.length && received.every((n, i) => n === expected[i])) return;
  throw codedError(
    'ERR_CHUNKS',
    `Expected features of shape [${expected}] from the second pass over a chunk, as from the first, but received [${received}]`,
  );
}

interface CheckedOptions<Input> {
  tf: Tf;
  model: Network<Input>;
  seed: number;
  frozen: boolean;
}

function checkOptions<Input>(options: unknown): CheckedOptions<Input> {
  const given = readNames('options', options, ['tf', 'model', 'training', 'seed', 'frozen']);
  const tf = checkModule('options.tf', given.tf);
  const frozen = given.frozen !== undefined && check.boolean('options.frozen', given.frozen);
  const training = given.training === undefined ? !frozen : check.boolean('options.training', given.training);
  const seed =
    given.seed === undefined
      ? Math.floor(Math.random() * 2 ** 32)
      : check.integer('options.seed', given.seed);
  return {
    tf,
    model: checkNetwork<Input>(given.model, { training, frozen }),
    seed: seed >>> 0,
    frozen,
  };
}
