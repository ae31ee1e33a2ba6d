/**
 * The host jax-js on its WebAssembly device, through `infcl/jax`. Arrays are counted where jax-js allocates them, so
 * that a leak of a single array is seen.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as jax from '@jax-js/jax';
import type * as example from '../../../examples/src/train/adamw-jax.js' with { 'resolution-mode': 'import' };
import { jaxEncoder } from '../../../lib/adapters/jax';
import type { Host, HostTower, TowerOptions } from './host';
import { adamOptions, type DenseTower, featureDim, inputDim, type Parameters } from './network';

// an ES module, which Jest compiles
const { adamW }: typeof example = require('../../../examples/src/train/adamw-jax');
const { numpy: np, random } = jax;
type Array = jax.numpy.Array;
type Network = { weights: Array; bias: Array };

/** What a backend of jax-js has for memory. A slot is the memory of one array or of several. */
interface Backend {
  malloc(...args: unknown[]): number;
  incRef(slot: number): void;
  decRef(slot: number): void;
}

/** References to each slot that exists. */
const slots = new Map<number, number>();

/** Counts the slots of the device from now on. */
function countSlots(): void {
  const entry = require.resolve('@jax-js/jax');
  // jax-js exports no way to its backends: the file that its entry loads has one
  const file = /require\("(\.\/backend-[\w-]+\.cjs)"\)/.exec(readFileSync(entry, 'utf8'))![1]!;
  const backend: Backend = require(join(dirname(entry), file)).getBackend('wasm');
  const { malloc, incRef, decRef } = backend;
  const add = (slot: number, references: number) => {
    const left = (slots.get(slot) ?? 0) + references;
    if (left === 0) slots.delete(slot);
    else slots.set(slot, left);
  };
  backend.malloc = (...args) => {
    const slot = Reflect.apply(malloc, backend, args);
    add(slot, 1);
    return slot;
  };
  backend.incRef = (slot) => {
    Reflect.apply(incRef, backend, [slot]);
    add(slot, 1);
  };
  backend.decRef = (slot) => {
    Reflect.apply(decRef, backend, [slot]);
    add(slot, -1);
  };
}

const upload = ({ weights, bias }: Parameters<ArrayLike<number>>): Network => ({
  weights: np.array(Float32Array.from(weights), { shape: [inputDim, featureDim] }),
  bias: np.array(Float32Array.from(bias), { shape: [featureDim] }),
});

/** Reads a tree out and consumes it. */
const download = async ({ weights, bias }: Network): Promise<Parameters> => ({
  weights: (await weights.data()) as Float32Array,
  bias: (await bias.data()) as Float32Array,
});

const makeChunk = (rows: Float32Array) => np.array(rows, { shape: [rows.length / inputDim, inputDim] });

/** Consumes its arguments. */
const network = ({ weights, bias }: Network, x: Array) => np.tanh(np.matmul(x, weights).add(bias));

class JaxTower implements HostTower<Array> {
  network: Network;
  readonly encoder;

  constructor({ parameters, dropout = 0, seed, frozen, beforeRun }: TowerOptions) {
    this.network = upload(parameters);
    const keep = 1 - dropout;
    this.encoder = jaxEncoder<Network, Array>({
      jax,
      params: () => this.network,
      apply(params, x, key) {
        beforeRun?.();
        if (dropout === 0) return network(params, x);
        const kept = random.bernoulli(key as Array, keep, x.shape);
        return network(params, np.where(kept, x.mul(1 / keep), 0));
      },
      seed: dropout === 0 ? undefined : (seed ?? 1),
      frozen,
    });
  }

  takeGradients = async () => download(this.encoder.takeGradients());
  discardGradients = () => this.encoder.discardGradients();
  parameters = () => download(jax.tree.ref(this.network));

  dispose(): void {
    this.encoder.dispose();
    jax.tree.dispose(this.network);
  }
}

/** Objective `clip` as jax-js users write it. Consumes its arguments. */
function denseLoss(q: Network, k: Network, x: Array, y: Array, logitScale: number): Array {
  const count = x.shape[0]!;
  const logits = np.matmul(network(q, x), network(k, y).transpose()).mul(logitScale);
  const positive = logits.ref.mul(np.eye(count)).sum();
  const lse = (axis: number) => np.log(np.exp(logits.ref).sum(axis)).sum().mul(0.5);
  const total = lse(0)
    .add(lse(1))
    .sub(positive)
    .mul(1 / count);
  logits.dispose();
  return total;
}

async function denseGradients(queries: DenseTower, keys: DenseTower, logitScale: number) {
  const loss = (q: Network, k: Network) =>
    denseLoss(q, k, makeChunk(queries.inputs), makeChunk(keys.inputs), logitScale);
  const gradients = jax.grad(loss, { argnums: [0, 1] })(upload(queries.parameters), upload(keys.parameters));
  const [q, k] = gradients as unknown as [Network, Network];
  return [await download(q), await download(k)] as [Parameters, Parameters];
}

/** One optimiser for the parameters of all towers, as one tree. */
function makeOptimiser(given: readonly HostTower<Array>[]) {
  const towers = given as readonly JaxTower[];
  const { rate, beta1: b1, beta2: b2, epsilon: eps } = adamOptions;
  const optimiser = adamW(jax, rate, { b1, b2, eps, weightDecay: 0 });
  const parameters = () => towers.map((tower) => jax.tree.ref(tower.network));
  let state = optimiser.init(parameters());
  return {
    async step() {
      const gradients = towers.map(({ encoder }) => encoder.takeGradients());
      const [updates, next] = optimiser.update(gradients, state, parameters());
      state = next;
      towers.forEach((tower, i) => {
        tower.network = jax.tree.map((p: Array, u: Array) => p.add(u), tower.network, updates[i]!);
      });
    },
    dispose: () => jax.tree.dispose(state),
  };
}

export const jaxHost: Host<Array> = {
  name: 'jax-js',
  trains: true,
  async start() {
    await jax.init('wasm');
    jax.defaultDevice('wasm');
    countSlots();
  },
  makeTower: (options) => new JaxTower(options),
  makeChunk,
  live: () => slots.size,
  denseGradients,
  makeOptimiser,
  cannot: {
    nestedGradient: 'the adapter has no differentiable function: an encoder is asynchronous',
    halfFeatures: 'the WebAssembly device of jax-js 0.1.25 cannot cast to float16',
  },
};
