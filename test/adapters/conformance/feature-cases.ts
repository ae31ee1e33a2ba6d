/** Cases of the conformance suite: features without a step, and features of earlier steps. */
import { bankLoss, chunkedStep, encodeFeatures, FeatureBank } from '../../../lib/trainer';
import { denseLossAndGrad } from '../../reference/dense';
import type { CaseName } from './host';
import { featureDim, featuresOf, numbers, pullBack } from './network';
import { type AnyHost, expectClose, expectParameters, logitScale, rows, withPair } from './pair';

export const featureCases = {
  featuresAlone: async (host) => {
    const before = host.live?.();
    await withPair(host, { keys: { sizes: [10, 14] } }, async ({ keys }) => {
      const { data, shape } = await encodeFeatures({ encoder: keys.encoder, chunks: keys.chunks });
      expectClose(data, featuresOf(keys.dense()));
      expect(shape).toEqual([24, 4]);
      expect([keys.opened, keys.closed]).toEqual([1, 1]);
      await expect(keys.tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
    });
    expect(host.live?.()).toBe(before);
    if (host.cannot.dropoutAnew !== undefined) return;
    await withPair(host, { queries: { tower: { dropout: 0.5, seed: 7 } } }, async ({ queries }) => {
      const tower = { encoder: queries.encoder, chunks: queries.chunks };
      const [first, second] = [await encodeFeatures(tower), await encodeFeatures(tower)];
      // the call gives back the random state, so both draw the same noise
      expect([...second.data]).toEqual([...first.data]);
      expect(() => expectClose(first.data, featuresOf(queries.dense()))).toThrow('expect(');
    });
  },

  bank: (host) =>
    withPair(host, { queries: { sizes: [10, 14] } }, async (pair) => {
      const { queries, keys } = pair;
      const stored = { data: numbers(6 * featureDim, 77), shape: [6, featureDim] as const };
      const ids = Int32Array.from({ length: rows }, (_, i) => i);
      const bank = new FeatureBank({ capacity: 40, dim: featureDim });
      // the first row of the bank is the key of query 3
      bank.push(stored, Int32Array.of(3, 101, 102, 103, 104, 105));
      const { loss, bankRows } = await chunkedStep({
        queries: { encoder: queries.encoder, chunks: queries.chunks },
        keys: { encoder: keys.encoder, chunks: keys.chunks },
        loss: bankLoss({ keys: bank, ids, loss: { logitScale } }),
      });
      expect([bankRows, bank.size]).toEqual([6, 6 + rows]);
      const [q, k] = [featuresOf(queries.dense()), featuresOf(keys.dense())];
      const all = { data: Float64Array.of(...k, ...stored.data), shape: [rows + 6, featureDim] as const };
      const keyIds = Int32Array.of(...ids, 3, 101, 102, 103, 104, 105);
      const options = { objective: 'infonce', logitScale, queryIds: ids, keyIds } as const;
      const dense = denseLossAndGrad({ data: q, shape: [rows, featureDim] }, all, options);
      expect(Math.abs(loss - dense.loss)).toBeLessThan(1e-5);
      const grads = [dense.queryGrads, dense.keyGrads.subarray(0, rows * featureDim)];
      for (const [i, taken] of (await pair.takeGradients()).entries()) {
        if (taken) expectParameters(taken, pullBack(pair.sides[i]!.dense(), grads[i]!));
      }
    }),
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
