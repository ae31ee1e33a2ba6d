/** AdamW on trees of jax-js arrays against AdamW in float64, number by number. */

import * as jax from '@jax-js/jax';
import { type AdamWOptions, adamW } from '../src/train/adamw-jax.js';

const { numpy: np, tree } = jax;
type Tree = { layer: { weights: jax.Array }; bias: jax.Array };

const rate = 0.01;
const values = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i + 7 * seed));
const treeOf = (weights: Float32Array, bias: Float32Array): Tree => ({
  layer: { weights: np.array(weights, { shape: [4, 3] }) },
  bias: np.array(bias),
});
/** Gradients that differ in size from step to step, and are of any size. */
const gradientOf = (size: number, step: number) =>
  values(size, step + 5).map((g, i) => g * 10 ** ((i % 5) - 3));

/** Consumes the tree. */
const read = ({ layer, bias }: Tree) => [layer.weights, bias].map((array) => Array.from(array.dataSync()));

/** Decoupled weight decay (arXiv 1711.05101, algorithm 2), in float64. */
function plainAdamW(initial: Float32Array, steps: number, options: Required<AdamWOptions>): number[] {
  const { b1, b2, eps, weightDecay } = options;
  return Array.from(initial, (start, i) => {
    let [p, m, v] = [start, 0, 0];
    for (let step = 1; step <= steps; step++) {
      const g = gradientOf(initial.length, step)[i]!;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const direction = m / (1 - b1 ** step) / (Math.sqrt(v / (1 - b2 ** step)) + eps);
      p -= rate * (direction + weightDecay * p);
    }
    return p;
  });
}

beforeAll(async () => {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
});

const defaults = { b1: 0.9, b2: 0.999, eps: 1e-8, weightDecay: 1e-4 }; // those of adamw in optax

test.each<[what: string, options: AdamWOptions]>([
  ['the defaults of optax', {}],
  ['other decays', { b1: 0.5, b2: 0.98 }],
  ['a large eps', { eps: 0.1 }],
  ['weight decay', { weightDecay: 0.5 }],
  ['no weight decay', { weightDecay: 0 }],
])('equals AdamW in float64 with %s', (_, options) => {
  const initial = [values(12, 1), values(3, 2)] as const;
  const optimiser = adamW(jax, rate, options);
  let params = treeOf(...initial);
  let state = optimiser.init(tree.ref(params));
  for (const steps of [1, 2, 3, 4, 5, 6]) {
    const gradients = treeOf(gradientOf(12, steps), gradientOf(3, steps));
    let updates: Tree;
    [updates, state] = optimiser.update(gradients, state, tree.ref(params));
    params = tree.map((p: jax.Array, u: jax.Array) => p.add(u), params, updates);
    // all arguments are consumed, and one reference to each result is the caller's
    for (const { layer, bias } of [params, state.mean, state.square]) {
      expect([layer.weights.refCount, bias.refCount]).toEqual([1, 1]);
    }
    expect([gradients.layer.weights.refCount, gradients.bias.refCount]).toEqual([0, 0]);
    read(tree.ref(params)).forEach((array, at) => {
      const expected = plainAdamW(initial[at]!, steps, { ...defaults, ...options });
      array.forEach((p, i) => {
        expect(Math.abs(p - expected[i]!)).toBeLessThan(2e-6);
      });
      expect(Math.hypot(...expected.map((p, i) => p - initial[at]![i]!))).toBeGreaterThan(0.003);
    });
  }
  expect(state.steps).toBe(6);
  tree.dispose([params, state]);
});
