/** Cases of the conformance suite: features without a step. */
import { encodeFeatures } from '../../../lib/trainer';
import type { CaseName } from './host';
import { featuresOf } from './network';
import { type AnyHost, expectClose, withPair } from './pair';

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
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
