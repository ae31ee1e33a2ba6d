/**
 * The host TensorFlow.js through `infcl/tfjs`, on one of its backends. The network is a function with variables, or a
 * LayersModel.
 */
import { applyGradients, contrastiveLoss, type TfjsEncoder, tfjsEncoder } from '../../../lib/adapters/tfjs';
import { denseClip, tf, useBackend, variable } from '../tfjs-host';
import type { Host, HostTower, TowerOptions } from './host';
import { adamOptions, type DenseTower, featureDim, inputDim, type Parameters } from './network';

type Chunk = tf.Tensor2D;

interface Network {
  model: tf.LayersModel | { apply(x: Chunk, seed: number): tf.Tensor; variables: tf.Variable[] };
  weights: tf.Variable;
  bias: tf.Variable;
  dispose(): void;
}

const toWeights = ({ weights }: Parameters<ArrayLike<number>>) =>
  tf.tensor2d(Float32Array.from(weights), [inputDim, featureDim]);
const toBias = ({ bias }: Parameters<ArrayLike<number>>) => tf.tensor1d(Float32Array.from(bias));
const makeChunk = (rows: Float32Array) => tf.tensor2d(rows, [rows.length / inputDim, inputDim]);
const valuesOf = (tensor: tf.Tensor) => Float32Array.from(tensor.dataSync());

const network = (x: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor) =>
  tf.tanh(tf.matMul(x, weights).add(bias));

function makeFunction({ parameters, dropout = 0, beforeRun }: TowerOptions): Network {
  const weights = variable(() => toWeights(parameters));
  const bias = variable(() => toBias(parameters));
  const apply = (x: Chunk, seed: number) => {
    beforeRun?.();
    return network(dropout > 0 ? tf.dropout(x, dropout, undefined, seed) : x, weights, bias);
  };
  const dispose = () => tf.dispose([weights, bias]);
  return { model: { apply, variables: [weights, bias] }, weights, bias, dispose };
}

function makeLayers({ parameters, dropout = 0, beforeRun }: TowerOptions): Network {
  const model = tf.sequential();
  model.add(tf.layers.dropout({ rate: dropout, inputShape: [inputDim] }));
  const dense = tf.layers.dense({ units: featureDim, activation: 'tanh' });
  model.add(dense);
  tf.tidy(() => model.setWeights([toWeights(parameters), toBias(parameters)]));
  const { call } = dense;
  dense.call = (...args) => {
    beforeRun?.();
    return Reflect.apply(call, dense, args);
  };
  const [weights, bias] = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return { model, weights: weights!, bias: bias!, dispose: () => model.dispose() };
}

class TfjsTower implements HostTower<Chunk> {
  readonly encoder: TfjsEncoder<Chunk, tf.Tensor>;
  private readonly network: Network;

  constructor(make: (options: TowerOptions) => Network, options: TowerOptions) {
    this.network = make(options);
    const { seed = 1, frozen } = options;
    this.encoder = tfjsEncoder<Chunk, typeof tf>({ tf, model: this.network.model, seed, frozen });
  }

  async takeGradients(): Promise<Parameters> {
    const { weights, bias } = this.network;
    const taken = this.encoder.takeGradients();
    const gradients = { weights: valuesOf(taken[weights.name]!), bias: valuesOf(taken[bias.name]!) };
    tf.dispose(taken);
    return gradients;
  }

  discardGradients = () => this.encoder.discardGradients();
  parameters = async () => ({
    weights: valuesOf(this.network.weights),
    bias: valuesOf(this.network.bias),
  });

  dispose(): void {
    this.encoder.dispose();
    this.network.dispose();
  }
}

/** The dense loss in operations of tfjs alone, and its gradients by `tf.grads`. */
async function denseGradients(queries: DenseTower, keys: DenseTower, logitScale: number) {
  const loss = (...[q, qBias, k, kBias]: tf.Tensor[]) =>
    denseClip(
      network(makeChunk(queries.inputs), q!, qBias!) as Chunk,
      network(makeChunk(keys.inputs), k!, kBias!) as Chunk,
      tf.scalar(logitScale),
    );
  const parameters = () =>
    [queries, keys].flatMap((tower) => [toWeights(tower.parameters), toBias(tower.parameters)]);
  const gradients = tf.tidy(() => tf.grads(loss)(parameters()));
  const [q, qBias, k, kBias] = gradients.map(valuesOf);
  tf.dispose(gradients);
  const found: [Parameters, Parameters] = [
    { weights: q!, bias: qBias! },
    { weights: k!, bias: kBias! },
  ];
  return found;
}

function makeOptimiser(towers: readonly HostTower<Chunk>[]) {
  const { rate, beta1, beta2, epsilon } = adamOptions;
  const adam = tf.train.adam(rate, beta1, beta2, epsilon);
  const encoders = (towers as readonly TfjsTower[]).map(({ encoder }) => encoder);
  return {
    step: async () => applyGradients(adam, encoders),
    dispose: () => adam.dispose(),
  };
}

/** A gradient of a gradient of the loss. */
function nestedGradient(): void {
  tf.tidy(() => {
    const features = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const gradient = tf.grad((q) => contrastiveLoss(tf, q as Chunk, features));
    tf.grad((q) => gradient(q).sum())(features);
  });
}

export const tfjsHost = (backend: 'cpu' | 'wasm', kind: 'function' | 'LayersModel'): Host<Chunk> => ({
  name: `TensorFlow.js on ${backend}, a ${kind}`,
  trains: true,
  start: () => useBackend(backend),
  makeTower: (options) => new TfjsTower(kind === 'function' ? makeFunction : makeLayers, options),
  makeChunk,
  freeChunk: (chunk) => chunk.dispose(),
  live: () => tf.memory().numTensors,
  denseGradients,
  makeOptimiser,
  nestedGradient,
  cannot: { halfFeatures: 'TensorFlow.js has no 16-bit tensors on these backends' },
});
