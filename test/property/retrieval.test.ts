/** retrievalMetrics against its oracle, and what holds between the metrics, on random scores with many ties. */
import fc from 'fast-check';
import { retrievalMetrics, type TopKMetrics } from '../../lib';
import { bestOf, compressed, metricsAt, ranking, ranksOf } from '../reference/retrieval';

/** Scores are few integers, so that ties are frequent. At least one query has a relevant key. */
const searches = fc
  .record({ queries: fc.integer({ min: 1, max: 12 }), keys: fc.integer({ min: 1, max: 30 }) })
  .chain(({ queries, keys }) =>
    fc.record({
      scores: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: keys, maxLength: keys }), {
        minLength: queries,
        maxLength: queries,
      }),
      relevant: fc
        .array(fc.uniqueArray(fc.integer({ min: 0, max: keys - 1 }), { maxLength: 6 }), {
          minLength: queries,
          maxLength: queries,
        })
        .filter((lists) => lists.some((list) => list.length > 0)),
      k: fc.integer({ min: 1, max: keys }),
    }),
  );

const run = (property: fc.IProperty<[typeof searches extends fc.Arbitrary<infer T> ? T : never]>) =>
  fc.assert(property, { numRuns: 300, seed: 20_261_130 });

it('every metric equals the oracle', () => {
  run(
    fc.property(searches, ({ scores, relevant, k }) => {
      const at = [...new Set([1, Math.ceil(k / 2), k])];
      const metrics = retrievalMetrics(bestOf(scores, k), { relevant: compressed(relevant), at });
      for (const each of at) {
        const expected = metricsAt(each, scores.map(ranking), relevant);
        for (const name of Object.keys(expected) as (keyof TopKMetrics)[]) {
          expect(metrics[name][each]).toBeCloseTo(expected[name], 12);
        }
      }
    }),
  );
});

it('metrics are from 0 to 1, those that count hits grow with k, and MRR is at most accuracy', () => {
  run(
    fc.property(searches, ({ scores, relevant, k }) => {
      const at = Array.from({ length: k }, (_, i) => i + 1);
      const metrics = retrievalMetrics(bestOf(scores, k), { relevant: compressed(relevant), at });
      for (const byK of Object.values(metrics) as TopKMetrics[keyof TopKMetrics][]) {
        for (const each of at) {
          expect(byK[each]).toBeGreaterThanOrEqual(0);
          expect(byK[each]).toBeLessThanOrEqual(1 + 1e-12);
        }
      }
      for (const each of at) {
        expect(metrics.mrrAt[each]).toBeLessThanOrEqual(metrics.accuracyAt[each]! + 1e-12);
        for (const name of ['accuracyAt', 'recallAt', 'mrrAt'] as const) {
          expect(metrics[name][each]).toBeGreaterThanOrEqual((metrics[name][each - 1] ?? 0) - 1e-12);
        }
      }
    }),
  );
});

it('with one relevant key and no ties, ranks and the best keys agree', () => {
  run(
    fc.property(searches, ({ scores, k }) => {
      const distinct = scores.map((row) => row.map((score, key) => score * 100 + key));
      const positives = scores.map((row, query) => (query * 7) % row.length);
      const at = [1, k];
      const options = { relevant: compressed(positives.map((key) => [key])), at };
      const ofKeys = retrievalMetrics(bestOf(distinct, k), options);
      const ofRanks = retrievalMetrics(ranksOf(distinct, positives), { at });
      for (const each of at) {
        expect(ofRanks.accuracyAt[each]).toBeCloseTo(ofKeys.accuracyAt[each]!, 12);
        expect(ofRanks.mrrAt[each]).toBeCloseTo(ofKeys.mrrAt[each]!, 12);
        expect(ofKeys.mapAt[each]).toBeCloseTo(ofKeys.mrrAt[each]!, 12);
        expect(ofKeys.recallAt[each]).toBeCloseTo(ofKeys.accuracyAt[each]!, 12);
      }
    }),
  );
});
