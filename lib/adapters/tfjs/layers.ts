/**
 * Layers of a LayersModel in the two passes of chunked training: which layers can repeat a pass, seeds for
 * dropout, and frozen batch normalisation.
 *
 * Refuses layers by name whose second pass would differ from the first one: no error would say so later.
 */

import { isArray } from '../../describe';
import { codedError } from '../../errors';
import type { TfjsVariable } from './module';

/** The part of a `tf.LayersModel` that the adapter uses. */
export interface TfjsLayersModel {
  readonly name: string;
  readonly layers: readonly object[];
  readonly trainableWeights: readonly object[];
  apply: CallableFunction;
}

/** A layer: properties of many kinds of layers, each absent in others. */
interface Layer {
  name: string;
  trainable?: boolean;
  stateful?: boolean;
  /** Weights that may be trained, whether they are or not. */
  _trainableWeights?: readonly { trainable: boolean }[];
  rate?: number;
  stddev?: number;
  dropout?: number;
  recurrentDropout?: number;
  /** The losses of regularizers. */
  losses?: unknown;
  call(inputs: unknown, options: object | undefined): unknown;
}

/** What the passes need to know of a model. */
export interface PassOptions {
  training: boolean;
  /** No second pass will follow. */
  frozen: boolean;
}

export function isLayersModel(value: object): value is TfjsLayersModel {
  if (!isLayer(value)) return false;
  const { layers } = value as Partial<TfjsLayersModel>;
  return isArray(layers) && layers.every(isLayer);
}

function isLayer(value: unknown): value is Layer {
  if (typeof value !== 'object' || value === null) return false;
  const { call, getClassName } = value as Record<string, unknown>;
  return typeof call === 'function' && typeof getClassName === 'function';
}

/**
 * The layers of a model and of the models and layers inside it, whatever property holds them: `layer` of
 * a wrapper, the steps of a recurrent layer, layers that a composed layer keeps for itself.
 */
function layersWithin(model: object): Layer[] {
  const found = new Set<object>([model]);
  for (const layer of found) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(layer))) {
      for (const part of isArray(value) ? value : [value]) {
        if (isLayer(part)) found.add(part);
      }
    }
  }
  found.delete(model);
  return [...found] as Layer[];
}

/** Whether the layer is of this class of tfjs, or of one derived from it. */
function isA(layer: object, className: string): boolean {
  for (let at: object | null = layer; at !== null; at = Object.getPrototypeOf(at)) {
    if ((at.constructor as { className?: unknown } | undefined)?.className === className) return true;
  }
  return false;
}

const isBetween = (rate: number | undefined) => rate !== undefined && rate > 0 && rate < 1;

/** Whether tfjs must not change the layer: neither the averages of the layer nor its weights. */
function isFrozen({ trainable, _trainableWeights: weights = [] }: Layer): boolean {
  return trainable === false || (weights.length > 0 && weights.every((weight) => !weight.trainable));
}

/** Layers that make noise in training from a generator that nobody can seed. */
const noisy: [className: string, makesNoise: (layer: Layer) => boolean][] = [
  ['GaussianNoise', ({ stddev }) => stddev !== 0],
  ['GaussianDropout', ({ rate }) => isBetween(rate)],
  ['AlphaDropout', ({ rate }) => isBetween(rate)],
];
/** Recurrent layers, and the layers that these repeat. */
const recurrent = [
  'SimpleRNN',
  'GRU',
  'LSTM',
  'ConvLSTM2D',
  'SimpleRNNCell',
  'GRUCell',
  'LSTMCell',
  'ConvLSTM2DCell',
];

function refusalOf(layer: Layer, training: boolean): string | undefined {
  const dropOut = 'Dropout, which takes a seed, or training: false, takes its place';
  if (training) {
    for (const [className, makesNoise] of noisy) {
      if (isA(layer, className) && makesNoise(layer)) {
        return `${className} draws its noise without a seed, so a second pass could not repeat it; ${dropOut}`;
      }
    }
    const isRecurrent = recurrent.some((className) => isA(layer, className));
    if (isRecurrent && (isBetween(layer.dropout) || isBetween(layer.recurrentDropout))) {
      return `a recurrent layer draws its dropout without a seed, so a second pass could not repeat it; ${dropOut}`;
    }
    if (isA(layer, 'BatchNormalization') && !isFrozen(layer)) {
      return (
        'BatchNormalization would normalise each chunk by itself and move its averages twice a step; set its trainable ' +
        'to false, use LayerNormalization, or training: false'
      );
    }
  }
  if (isA(layer, 'BaseRandomLayer'))
    return 'it changes images at random in each pass; change them in the function chunks';
  if (layer.stateful === true)
    return 'a stateful layer would go on in the second pass where the first one ended';
  return undefined;
}

/** Throws ERR_ENCODER for the first layer whose second pass would differ, and for the first regularizer. */
export function checkLayers(model: TfjsLayersModel, { training, frozen }: PassOptions): void {
  if (frozen && !training) return;
  for (const layer of layersWithin(model)) {
    const refusal = refusalOf(layer, training);
    if (refusal !== undefined) {
      throw codedError(
        'ERR_ENCODER',
        `Expected layers that can repeat a pass but received ${layer.name}: ${refusal}`,
      );
    }
    if (!frozen && isArray(layer.losses) && layer.losses.length > 0) {
      throw codedError(
        'ERR_ENCODER',
        `Expected layers without regularizers but received one in ${layer.name}: its loss belongs to the step, not to a chunk. ` +
          'Remove it, and let the weights decay after applyGradients',
      );
    }
  }
}

/** The variables that are trained now. */
export function trainedVariables(model: TfjsLayersModel): TfjsVariable[] {
  const weights = model.trainableWeights as { read(): TfjsVariable }[];
  return [...new Set(weights.map((weight) => weight.read()))].filter(({ trainable }) => trainable);
}

/**
 * The model's output for one chunk. Dropout draws from `seed`, another mask at each call of a layer. Frozen
 * batch normalisation uses its averages, as in Keras; tfjs alone would move them. The layers are
 * afterwards as before.
 */
export function applyModel(
  model: TfjsLayersModel,
  input: unknown,
  { training, seed }: { training: boolean; seed: number },
): unknown {
  if (!training) return Reflect.apply(model.apply, model, [input, { training }]);
  let draws = 0;
  const undo: (() => void)[] = [];
  for (const layer of layersWithin(model)) {
    if (isA(layer, 'Dropout')) {
      undo.push(override(layer, 'seed', { get: () => mixed(seed, draws++) }));
    } else if (isA(layer, 'BatchNormalization')) {
      const { call } = layer;
      const value: Layer['call'] = (inputs, options) =>
        Reflect.apply(call, layer, [inputs, { ...options, training: false }]);
      undo.push(override(layer, 'call', { value }));
    }
  }
  try {
    return Reflect.apply(model.apply, model, [input, { training }]);
  } finally {
    for (const restore of undo) restore();
  }
}

/** Defines a property of an object. The returned function brings back what was there. */
function override(object: object, name: string, descriptor: PropertyDescriptor): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { ...descriptor, configurable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, before);
  };
}

/** A 32-bit seed from another one and a count (the finaliser of MurmurHash3). */
export function mixed(seed: number, count: number): number {
  let x = (seed + Math.imul(count, 0x9e3779b9)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
