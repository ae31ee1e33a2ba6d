/**
 * Cases of the conformance suite: random numbers. Weights are the identity and the bias is zero, so each feature shows
 * the input that dropout left: tanh(0) where the input was dropped. The gradient then follows from the features alone.
 */
import { chunkedStep } from '../../../lib/trainer';
import { decodeFeatures } from './decode-features';
import type { CaseName } from './host';
import { featureDim, inputDim, numbers, type Parameters } from './network';
import {
  type AnyHost,
  expectClose,
  logitScale,
  type Pair,
  rows,
  type Side,
  type SideOptions,
  withPair,
} from './pair';

const identity: Parameters = {
  weights: Float32Array.from({ length: inputDim * featureDim }, (_, i) =>
    Math.floor(i / featureDim) === i % featureDim ? 1 : 0,
  ),
  bias: new Float32Array(featureDim),
};

/** Inputs away from zero; the last one of each row is zero, since no feature shows it. */
function visibleInputs(seed: number, count = rows): Float32Array {
  return numbers(count * inputDim, seed).map((x, i) =>
    i % inputDim === inputDim - 1 ? 0 : 0.1 + 0.2 * (x + 1),
  );
}

const side = (more: SideOptions = {}): SideOptions => ({
  tower: { parameters: identity, dropout: 0.5, seed: 7 },
  inputs: visibleInputs(3),
  sizes: [10, 14],
  ...more,
});

const featuresSeen = ({ encoded }: Side, from = 0, to = encoded.length) =>
  Float64Array.from(encoded.slice(from, to).flatMap((chunk) => decodeFeatures(chunk)));

/** Which inputs were dropped, as a string of 0 and 1. */
const mask = (features: Float64Array) => features.map((feature) => (feature === 0 ? 0 : 1)).join('');

/** The gradient of the weights whose inputs can be seen: x = artanh(y), dW = x' (g (1 - y^2)). */
function visibleGrads(features: Float64Array, featureGrads: ArrayLike<number>): Float64Array {
  const grads = new Float64Array(featureDim * featureDim);
  for (let row = 0; row < features.length; row += featureDim) {
    for (let o = 0; o < featureDim; o++) {
      const grad = featureGrads[row + o]! * (1 - features[row + o]! ** 2);
      for (let i = 0; i < featureDim; i++)
        grads[i * featureDim + o]! += Math.atanh(features[row + i]!) * grad;
    }
  }
  return grads;
}

/** The step with its feature gradients, which the loss writes into arrays of ours. */
async function stepWithGrads(pair: Pair) {
  const out = {
    queryGrads: new Float32Array(rows * featureDim),
    keyGrads: new Float32Array(rows * featureDim),
  };
  await pair.step({ loss: { out } });
  return [out.queryGrads, out.keyGrads] as const;
}

export const dropoutCases = {
  dropoutReplay: (host) =>
    withPair(host, { queries: side(), keys: side({ inputs: visibleInputs(4) }) }, async (pair) => {
      // the second step shows that the random state goes on after the backward phase
      for (const step of [0, 1]) {
        const featureGrads = await stepWithGrads(pair);
        for (const [i, one] of pair.sides.entries()) {
          const features = featuresSeen(one, 2 * step, 2 * step + 2);
          expect(new Set(mask(features))).toEqual(new Set('01'));
          const { weights } = await one.tower.takeGradients();
          const visible = weights.slice(0, featureDim * featureDim);
          expectClose(visible, visibleGrads(features, featureGrads[i]!));
        }
      }
    }),

  dropoutOfThree: (host) =>
    withPair(
      host,
      { queries: side(), keys: side({ inputs: visibleInputs(4) }) },
      async ({ queries, keys }) => {
        const out = {
          queryGrads: new Float32Array(rows * featureDim),
          keyGrads: new Float32Array(rows * featureDim),
          hardNegativeGrads: new Float32Array(rows * featureDim),
        };
        const { encoder } = queries;
        const tower = { encoder, chunks: queries.chunks };
        await chunkedStep({
          queries: tower,
          keys: { encoder, chunks: keys.chunks },
          hardNegatives: { ...tower, perQuery: 1 },
          loss: { logitScale, out },
        });
        const features = featuresSeen(queries);
        expect(new Set(mask(features))).toEqual(new Set('01'));
        const grads = [...out.queryGrads, ...out.keyGrads, ...out.hardNegativeGrads];
        const { weights } = await queries.tower.takeGradients();
        expectClose(weights.slice(0, featureDim * featureDim), visibleGrads(features, grads));
      },
    ),

  async dropoutAnew(host) {
    const half = visibleInputs(5, rows / 2);
    const twice = Float32Array.from([...half, ...half]);
    const masks: string[] = [];
    for (const _ of [0, 1]) {
      const sizes = [rows / 2, rows / 2];
      await withPair(host, { queries: side({ inputs: twice, sizes }), keys: side() }, async ({ queries }) => {
        const tower = { encoder: queries.encoder, chunks: queries.chunks };
        for (const _ of [0, 1]) await chunkedStep({ queries: tower, keys: tower, loss: { logitScale } });
        // two chunks, two towers, two steps, always of the same rows
        const drawn = queries.encoded.map((_, i) => mask(featuresSeen(queries, i, i + 1)));
        expect(drawn).toHaveLength(8);
        expect(new Set(drawn).size).toBe(8);
        masks.push(drawn.join(' '));
        queries.tower.discardGradients();
      });
    }
    // a seed draws the same masks in a new tower
    expect(masks[1]).toBe(masks[0]);
  },

  encodeTwice: (host) =>
    withPair(host, { queries: side() }, async ({ queries }) => {
      const { encoder, tower } = queries;
      const begin = encoder.randomState?.();
      await encoder.encode(queries.makeChunk(0, 10));
      const second = encoder.randomState?.();
      await encoder.encode(queries.makeChunk(10, 14));
      const states = [begin, second];
      // the first chunk goes last
      for (const [index, row, size] of [[1, 10, 14] as const, [0, 0, 10] as const]) {
        const data = numbers(size * featureDim, 9 + index);
        encoder.restoreRandomState?.(states[index]);
        const grads = { data: data.slice(), shape: [size, featureDim], dtype: 'float32' } as const;
        await encoder.backward!(queries.makeChunk(row, size), grads);
        const { weights } = await tower.takeGradients();
        const expected = visibleGrads(featuresSeen(queries, index, index + 1), data);
        expectClose(weights.slice(0, featureDim * featureDim), expected);
      }
    }),
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
