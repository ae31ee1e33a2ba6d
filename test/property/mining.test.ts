/**
 * mineHardNegatives against its oracle on random problems with many ties, and what holds for every problem: parts in any
 * order have the bits of the whole, and random negatives are candidates.
 */
import fc from 'fast-check';
import { type KeyPart, type MiningOptions, mineHardNegatives } from '../../lib';
import type { FloatMatrix } from '../reference/inputs';
import { type PlainMining, plainCandidates, plainNegatives } from '../reference/mining';
import { compressed } from '../reference/retrieval';

interface Problem {
  queries: FloatMatrix;
  keys: FloatMatrix;
  options: PlainMining;
  /** Where keys are cut into parts. */
  cuts: number[];
}

/** Few integers, so that ties are frequent and float32 is exact. */
const matrixOf = (rows: number, dim: number) =>
  fc
    .array(fc.integer({ min: -2, max: 2 }), { minLength: rows * dim, maxLength: rows * dim })
    .map((values): FloatMatrix => ({ data: Float32Array.from(values), shape: [rows, dim] }));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const listsOf = (rows: number, keys: number, least: number) =>
  fc.array(fc.uniqueArray(fc.nat(keys - 1), { minLength: least, maxLength: 3 }), {
    minLength: rows,
    maxLength: rows,
  });
const idsOf = (rows: number) => fc.array(fc.nat(3), { minLength: rows, maxLength: rows });

const problems: fc.Arbitrary<Problem> = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    more: fc.nat(25),
    dim: fc.integer({ min: 1, max: 5 }),
    margins: fc.boolean(),
  })
  .chain(({ rows, more, dim, margins }) => {
    const keys = rows + more;
    const options = fc
      .record({
        count: fc.integer({ min: 1, max: Math.min(keys, 6) }),
        min: fc.nat(4),
        room: fc.option(fc.nat(8), { nil: Number.POSITIVE_INFINITY }),
        margin: maybe(fc.constantFrom(-1, 0, 0.5, 1, 2)),
        relativeMargin: maybe(fc.constantFrom(0, 0.05, 0.25, 0.5, 1)),
        maxScore: maybe(fc.integer({ min: 0, max: 5 })),
        minScore: maybe(fc.integer({ min: -6, max: 0 })),
        positives: maybe(listsOf(rows, keys, margins ? 1 : 0)),
        ids: maybe(fc.tuple(idsOf(rows), idsOf(keys))),
      })
      .map(
        ({ count, min, room, margin, relativeMargin, ids, ...rest }): PlainMining => ({
          ...rest,
          count,
          range: [min, min + count + room],
          ...(margins && { margin, relativeMargin }),
          ...(ids && { queryIds: ids[0], keyIds: ids[1] }),
        }),
      );
    const cuts = fc.array(fc.integer({ min: 1, max: Math.max(1, keys - 1) }), { maxLength: 5 });
    return fc.record({ queries: matrixOf(rows, dim), keys: matrixOf(keys, dim), options, cuts });
  });

function given({ positives, queryIds, keyIds, ...plain }: PlainMining): MiningOptions {
  return {
    ...plain,
    ...(positives && { positives: compressed(positives) }),
    ...(queryIds && { queryIds: Int32Array.from(queryIds), keyIds: Int32Array.from(keyIds!) }),
  };
}

/** The last part first. */
function partsOf({ data, shape: [rows, dim] }: FloatMatrix, cuts: readonly number[]): KeyPart[] {
  const bounds = [...new Set([0, ...cuts.filter((cut) => cut < rows), rows])].sort((a, b) => a - b);
  return bounds
    .slice(1)
    .map((end, i) => ({
      firstKey: bounds[i],
      keys: { data: data.slice(bounds[i] * dim, end * dim), shape: [end - bounds[i], dim] },
    }))
    .reverse();
}

const run = (property: fc.IAsyncProperty<[Problem]>) =>
  fc.assert(property, { numRuns: 250, seed: 20_261_130 });

it('the best negatives equal the oracle, of one matrix and of parts', async () => {
  await run(
    fc.asyncProperty(problems, async ({ queries, keys, options, cuts }) => {
      const expected = plainNegatives(queries, keys, options);
      expect(await mineHardNegatives(queries, keys, given(options))).toEqual(expected);
      expect(await mineHardNegatives(queries, partsOf(keys, cuts), given(options))).toEqual(expected);
    }),
  );
});

it('random negatives are candidates, as many as there are up to count, and parts draw the same', async () => {
  await run(
    fc.asyncProperty(problems, async ({ queries, keys, options, cuts }) => {
      const [min, max] = options.range!;
      const finite = { ...options, range: [min, Math.min(max, 1000)] as const };
      const random = { ...given(finite), sampling: 'random', seed: cuts.length } as const;
      const { indices, found } = await mineHardNegatives(queries, keys, random);
      plainCandidates(queries, keys, finite).forEach(({ candidates }, query) => {
        const row = indices.subarray(query * options.count, (query + 1) * options.count);
        const drawn = [...row.subarray(0, found[query])];
        expect(drawn).toEqual(candidates.filter((key) => drawn.includes(key)));
        expect(found[query]).toBe(Math.min(options.count, candidates.length));
      });
      const ofParts = await mineHardNegatives(queries, partsOf(keys, cuts), random);
      expect(ofParts.indices).toEqual(indices);
    }),
  );
});
