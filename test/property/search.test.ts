/** topK and ranks against their oracle, and what holds between them, on random shapes, ids and scores with many ties. */
import fc from 'fast-check';
import { ranks, topK } from '../../lib';
import { compressed } from '../reference/retrieval';
import {
  coarsePair,
  exactScores,
  plainRanks,
  plainTopK,
  randomIds,
  randomPositives,
} from '../reference/search';

const searches = fc
  .record({
    rows: fc.integer({ min: 1, max: 70 }),
    keys: fc.integer({ min: 1, max: 600 }),
    dim: fc.integer({ min: 1, max: 12 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    ids: fc.integer({ min: 1, max: 300 }),
    threads: fc.integer({ min: 1, max: 4 }),
  })
  .chain((shape) => fc.record({ shape: fc.constant(shape), k: fc.integer({ min: 1, max: shape.keys }) }));

type Search = typeof searches extends fc.Arbitrary<infer T> ? T : never;

function prepare({ rows, keys, dim, seed, ids }: Search['shape']) {
  const pair = coarsePair({ rows, keys, dim, seed });
  return {
    ...pair,
    scores: exactScores(pair.queries, pair.keys),
    queryIds: randomIds(rows, ids, seed + 1),
    keyIds: randomIds(keys, ids, seed + 2),
    positives: randomPositives(rows, keys, 4, seed + 3),
  };
}

const run = (check: (search: Search) => Promise<void>) =>
  fc.assert(fc.asyncProperty(searches, check), { numRuns: 60, seed: 20_261_130 });

it('topK equals the oracle', () =>
  run(async ({ shape, k }) => {
    const { queries, keys, scores, queryIds, keyIds } = prepare(shape);
    const { threads } = shape;
    expect(await topK(queries, keys, k, { threads })).toEqual(plainTopK(scores, k));
    expect(await topK(queries, keys, k, { keyIds, threads })).toEqual(
      plainTopK(scores, k, { groups: keyIds }),
    );
    expect(await topK(queries, keys, k, { excludeIds: true, queryIds, keyIds, threads })).toEqual(
      plainTopK(scores, k, { queryIds, keyIds }),
    );
  }));

it('ranks equal the oracle', () =>
  run(async ({ shape }) => {
    const { queries, keys, scores, queryIds, keyIds, positives } = prepare(shape);
    const options = { positives: compressed(positives), threads: shape.threads };
    expect(await ranks(queries, keys, options)).toEqual(plainRanks(scores, positives));
    expect(await ranks(queries, keys, { ...options, queryIds, keyIds })).toEqual(
      plainRanks(scores, positives, { queryIds, keyIds, groups: keyIds }),
    );
  }));

it('a smaller k is the beginning of a larger one, and the rank of a key says where topK has it', () =>
  run(async ({ shape, k }) => {
    const { queries, keys, positives } = prepare(shape);
    const all = await topK(queries, keys, shape.keys);
    const some = await topK(queries, keys, k, { threads: shape.threads });
    const one = Int32Array.from(positives, ([first]) => first!);
    const { optimistic, pessimistic } = await ranks(queries, keys, { positives: one });
    for (let i = 0; i < shape.rows; i++) {
      const row = all.indices.subarray(i * shape.keys, (i + 1) * shape.keys);
      expect(some.indices.subarray(i * k, (i + 1) * k)).toEqual(row.subarray(0, k));
      const place = row.indexOf(one[i]!) + 1;
      expect(place).toBeGreaterThanOrEqual(optimistic[i]!);
      expect(place).toBeLessThanOrEqual(pessimistic[i]!);
    }
  }));
