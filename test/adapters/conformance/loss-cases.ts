/**
 * Cases of the conformance suite: what a step can do beside two towers and one loss. Gradients are compared with
 * finite differences of the dense loss in float64.
 */
import type { Stats } from '../../../lib';
import { chunkedStep, encodeFeatures, type StepFeatures } from '../../../lib/trainer';
import type { CaseName } from './host';
import { featureDim } from './network';
import { type AnyHost, expectDense, logitScale, rows, withPair } from './pair';
import { denseLoss, expectSlopes, pairStep, towersOf, unitFeatures, withTrio } from './trio';

const pairOf = ['queries', 'keys'] as const;

/** L = 1/M sum_i |q_i - k_i|^2, and its gradients. */
function squares(queries: StepFeatures, keys: StepFeatures) {
  const apart = (queries.data as Float32Array).map((x, i) => x - keys.data[i]!);
  return {
    loss: apart.reduce((sum, x) => sum + x * x, 0) / rows,
    queryGrads: apart.map((x) => (2 * x) / rows),
    keyGrads: apart.map((x) => (-2 * x) / rows),
  };
}

export const lossCases = {
  hardNegatives: (host) =>
    withTrio(host, {}, async (trio) => {
      const { loss } = await chunkedStep({ ...towersOf(trio), loss: { logitScale } });
      await expectSlopes(trio, loss, denseLoss, { of: ['queries', 'keys', 'hardNegatives'] });
    }),

  async hardNegativesFail(host) {
    for (const failingPass of host.trains ? [1, 2] : [1]) {
      const error = new Error('a failure of the test');
      let armed = false;
      const beforeRun = () => {
        if (armed) throw error;
      };
      const tower = { beforeRun, frozen: !host.trains };
      await withTrio(host, { hardNegatives: { tower } }, async (trio) => {
        const step = () => chunkedStep({ ...towersOf(trio), loss: { logitScale } });
        const sides = Object.values(trio);
        // whatever a framework makes once exists after a first step
        await step();
        for (const side of sides) side.tower.discardGradients();
        const live = host.live?.();
        const begun = trio.hardNegatives.opened;
        trio.hardNegatives.beforeChunk = (pass, index) => {
          armed = pass === begun + failingPass && index === 1;
        };
        await expect(step()).rejects.toBe(error);
        armed = false;
        for (const side of sides) {
          expect(side.closed).toBe(side.opened);
          if (failingPass === 2) side.tower.discardGradients();
          await expect(side.tower.takeGradients()).rejects.toMatchObject({ code: 'ERR_ENCODER' });
        }
        expect(host.live?.()).toBe(live);
        await expectSlopes(trio, (await step()).loss, denseLoss, {
          of: ['queries', 'keys', 'hardNegatives'],
        });
      });
    }
  },

  sharedByThree: (host) =>
    withTrio(host, {}, async (trio) => {
      const shared = trio.queries;
      const loss = { objective: 'infonce', logitScale } as const;
      const result = await chunkedStep({ ...towersOf(trio, shared), loss });
      const dense = (features: Parameters<typeof denseLoss>[0]) =>
        denseLoss(features, { objective: 'infonce' });
      await expectSlopes(trio, result.loss, dense, { of: pairOf, shared });
    }),

  lists: (host) =>
    withTrio(host, {}, async (trio) => {
      // key i and key i + 5 belong to query i; every third query has six hard negatives, the others have none
      const labels = {
        offsets: Int32Array.from({ length: rows + 1 }, (_, i) => 2 * i),
        keys: Int32Array.from({ length: 2 * rows }, (_, at) => (Math.floor(at / 2) + 5 * (at % 2)) % rows),
      };
      const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => 6 * Math.floor(i / 3));
      const { queries, keys, hardNegatives } = towersOf(trio);
      const { encoder, chunks } = hardNegatives;
      const result = await chunkedStep({
        queries,
        keys,
        hardNegatives: { encoder, chunks, offsets },
        loss: { labels, logitScale },
      });
      await expectSlopes(
        trio,
        result.loss,
        (features) => denseLoss(features, { labels }, featureDim, { offsets }),
        { of: ['queries', 'keys', 'hardNegatives'] },
      );
    }),

  normalizedRows: (host) =>
    withTrio(host, {}, async (trio) => {
      const { loss } = await pairStep(trio, { normalize: true });
      const dense = (features: Parameters<typeof unitFeatures>[0]) => {
        const { queries, keys } = unitFeatures(features);
        return denseLoss({ queries, keys });
      };
      await expectSlopes(trio, loss, dense, { of: pairOf });
    }),

  ownLoss: (host) =>
    withTrio(host, {}, async (trio) => {
      const { loss } = await pairStep(trio, { loss: squares });
      await expectSlopes(
        trio,
        loss,
        ({ queries, keys }) => queries.reduce((sum, x, i) => sum + (x - keys[i]!) ** 2, 0) / rows,
        { of: pairOf },
      );
    }),

  matryoshka: (host) =>
    withTrio(host, {}, async (trio) => {
      const matryoshka = { dims: [4, 2], weights: [1, 0.5] };
      const { loss } = await pairStep(trio, { normalize: true, matryoshka });
      const at = (features: Parameters<typeof unitFeatures>[0], dim: number) => {
        const { queries, keys } = unitFeatures(features, dim);
        return denseLoss({ queries, keys }, {}, dim);
      };
      await expectSlopes(trio, loss, (features) => at(features, 4) + 0.5 * at(features, 2), { of: pairOf });
    }),

  frozenModels: (host) =>
    withTrio(host, {}, async (trio) => {
      // the third tower stands for the other model: its first rows are queries, and its next rows are keys
      const { encoder, chunks } = trio.hardNegatives;
      const { data, shape } = await encodeFeatures({ encoder, chunks });
      const half = (begin: number) => ({
        data: Float32Array.from(data).slice(begin * shape[1], (begin + rows) * shape[1]),
        shape: [rows, shape[1]] as const,
      });
      const guide = { queries: half(0), keys: half(rows), margin: 0.25, relative: true };
      const teacher = { queries: half(0), keys: half(rows), logitScale: 3, weight: 2 };
      const { loss, stats } = await pairStep(trio, { loss: { logitScale, guide, teacher } });
      expect((stats as Stats).maskedPairs).toBeGreaterThan(0);
      const dense = ({ queries, keys }: Parameters<typeof denseLoss>[0]) =>
        denseLoss({ queries, keys }, { guide, teacher });
      await expectSlopes(trio, loss, dense, { of: pairOf });
    }),

  oneTower: (host) =>
    withTrio(host, { queries: { sizes: [10, 14] } }, async (trio) => {
      const labels = Int32Array.from({ length: rows }, (_, i) => i % 5);
      const loss = { objective: 'supcon', labels, logitScale } as const;
      const result = await chunkedStep({ queries: towersOf(trio).queries, loss });
      await expectSlopes(
        trio,
        result.loss,
        ({ queries }) => denseLoss({ queries, keys: null }, { objective: 'supcon', labels }),
        { of: ['queries'] },
      );
    }),

  gradScale: (host) =>
    withPair(host, { queries: { sizes: [10, 14] } }, async (pair) => {
      const tower = (side: (typeof pair.sides)[number]) => ({ encoder: side.encoder, chunks: side.chunks });
      const step = () =>
        chunkedStep({
          queries: tower(pair.queries),
          keys: tower(pair.keys),
          loss: { logitScale },
          gradScale: 0.5,
        });
      await step();
      await expectDense(pair, (await step()).loss);
    }),
} satisfies Partial<Record<CaseName, (host: AnyHost) => Promise<void>>>;
