/** Cases of the conformance suite: numbers. Every gradient is compared with the dense loss in float64. */
import { chunkedStep } from '../../../lib/trainer';
import { decodeFeatures } from './decode-features';
import type { CaseName } from './host';
import { Adam, denseStep, featuresOf, pullBack } from './network';
import { type AnyHost, expectClose, expectDense, expectParameters, logitScale, withPair } from './pair';

export const gradientCases = {
  denseLoss: (host) =>
    withPair(host, {}, async (pair) => {
      const { loss, logitScaleGrad } = await pair.step();
      const dense = pair.dense();
      expectClose([logitScaleGrad], [dense.logitScaleGrad]);
      await expectDense(pair, loss, dense);
    }),

  autodiff: (host) =>
    withPair(host, { queries: { sizes: [10, 14] } }, async (pair) => {
      await pair.step();
      const [queries, keys] = await pair.takeGradients();
      const dense = await host.denseGradients!(pair.queries.dense(), pair.keys.dense(), logitScale);
      expectParameters(queries, dense[0]);
      expectParameters(keys, dense[1]);
    }),

  unevenChunk: (host) =>
    withPair(host, { queries: { sizes: [10, 10, 4] }, keys: { sizes: [10, 10, 4] } }, async (pair) => {
      await expectDense(pair, (await pair.step()).loss);
    }),

  chunkSizes: (host) =>
    withPair(host, { queries: { sizes: [24] }, keys: { sizes: [7, 1, 16] } }, async (pair) => {
      await expectDense(pair, (await pair.step()).loss);
    }),

  sharedEncoder: (host) =>
    withPair(host, { queries: { sizes: [12, 12] }, keys: { sizes: [5, 19] } }, async ({ queries, keys }) => {
      const { loss } = await chunkedStep({
        queries: { encoder: queries.encoder, chunks: queries.chunks },
        keys: { encoder: queries.encoder, chunks: keys.chunks },
        loss: { logitScale },
      });
      const dense = denseStep(queries.dense(), { ...keys.dense(), parameters: queries.initial }, logitScale);
      expectClose([loss], [dense.loss]);
      const [ofQueries, ofKeys] = dense.gradients;
      expectParameters(await queries.tower.takeGradients(), {
        weights: ofQueries.weights.map((g, i) => g + ofKeys.weights[i]!),
        bias: ofQueries.bias.map((g, i) => g + ofKeys.bias[i]!),
      });
    }),

  accumulation: (host) =>
    withPair(host, { queries: { sizes: [10, 14] } }, async (pair) => {
      await pair.step();
      await pair.step();
      const dense = pair.dense().gradients;
      for (const [i, taken] of (await pair.takeGradients()).entries()) {
        const { weights, bias } = dense[i]!;
        expectParameters(taken, { weights: weights.map((g) => 2 * g), bias: bias.map((g) => 2 * g) });
      }
      for (const { tower } of pair.sides) {
        await expect(tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
      }
    }),

  async frozenTower(host) {
    await withPair(host, { keys: { tower: { frozen: true }, sizes: [10, 14] } }, async (pair) => {
      const { loss } = await pair.step();
      expect(pair.keys.tower.encoder.backward).toBeUndefined();
      expect([pair.queries.opened, pair.keys.opened]).toEqual([2, 1]);
      await expectDense(pair, loss);
    });
    if (!host.trains) return;
    await withPair(host, { keys: { sizes: [10, 14] } }, async (pair) => {
      await pair.step({ loss: { grad: { keys: false } } });
      expect([pair.queries.opened, pair.keys.opened]).toEqual([2, 1]);
      await expect(pair.keys.tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
      expectParameters(await pair.queries.tower.takeGradients(), pair.dense().gradients[0]);
    });
  },

  optimiser: (host) =>
    withPair(host, { queries: { sizes: [10, 14] } }, async (pair) => {
      const optimiser = host.makeOptimiser!(pair.sides.map(({ tower }) => tower));
      const oracle = pair.sides.map(({ initial }) => ({
        weights: new Adam(initial.weights),
        bias: new Adam(initial.bias),
      }));
      for (let step = 0; step < 3; step++) {
        await pair.step();
        await optimiser.step();
        const [queries, keys] = oracle.map(({ weights, bias }, i) => ({
          parameters: { weights: weights.values, bias: bias.values },
          inputs: pair.sides[i]!.inputs,
        }));
        for (const [i, gradient] of denseStep(queries!, keys!, logitScale).gradients.entries()) {
          oracle[i]!.weights.step(gradient.weights);
          oracle[i]!.bias.step(gradient.bias);
        }
      }
      for (const [i, { tower, initial }] of pair.sides.entries()) {
        const { weights, bias } = oracle[i]!;
        const expected = { weights: weights.values, bias: bias.values };
        expectParameters(await tower.parameters(), expected);
        expect(() => expectParameters(initial, expected)).toThrow();
        await expect(tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
      }
      optimiser.dispose();
    }),

  async nestedGradient(host) {
    const before = host.live?.();
    const nested = async () => host.nestedGradient!();
    await expect(nested()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
    expect(host.live?.()).toBe(before);
  },

  halfFeatures: (host) =>
    withPair(
      host,
      { queries: { tower: { half: host.trains } }, keys: { tower: { half: true }, sizes: [10, 14] } },
      async (pair) => {
        const { loss } = await pair.step();
        const [queries, keys] = pair.sides.map((side) => {
          const half = Float64Array.from(side.encoded.flatMap(decodeFeatures));
          // half of the distance between two neighbours of float16 below 1
          const exact = featuresOf(side.dense());
          expect(Math.max(...exact.map((feature, i) => Math.abs(feature - half[i]!)))).toBeLessThan(2 ** -11);
          return { parameters: side.initial, inputs: side.inputs, features: half };
        });
        const kinds = pair.keys.encoded.map(({ data }) => data.BYTES_PER_ELEMENT);
        expect(kinds).toEqual([2, 2]);
        const dense = denseStep(queries!, keys!, logitScale);
        expect(Math.abs(loss - dense.loss)).toBeLessThan(1e-5);
        for (const [i, taken] of (await pair.takeGradients()).entries()) {
          // the network is differentiated at its float32 features or at its rounded ones
          if (taken) expectParameters(taken, pullBack([queries, keys][i]!, dense.featureGrads[i]!), 2e-3);
        }
      },
    ),
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
