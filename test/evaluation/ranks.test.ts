/** ranks against their oracle: positives, ids, ties, element types, any number of threads. */
import { type RanksOptions, ranks, retrievalMetrics } from '../../lib';
import type { FloatMatrix } from '../reference/inputs';
import { narrow } from '../reference/narrow';
import { compressed } from '../reference/retrieval';
import {
  coarsePair,
  exactScores,
  plainRanks,
  randomIds,
  randomPositives,
  type SearchRules,
  type SearchShape,
} from '../reference/search';

const shapes: SearchShape[] = [
  { rows: 1, keys: 1, dim: 1, seed: 1 },
  { rows: 3, keys: 31, dim: 5, seed: 2 },
  { rows: 33, keys: 449, dim: 17, seed: 3 },
  { rows: 230, keys: 463, dim: 3, seed: 5 },
  { rows: 2, keys: 9001, dim: 4, seed: 6 },
  { rows: 30, keys: 2000, dim: 6, seed: 7 },
];

describe.each(shapes)('$rows × $keys × $dim', (shape) => {
  const { queries, keys } = coarsePair(shape);
  const scores = exactScores(queries, keys);
  const itself = scores.map((_, i) => [i]);
  const one = randomPositives(shape.rows, shape.keys, 1, 30);
  const several = randomPositives(shape.rows, shape.keys, 9, 31);
  const positives: [string, RanksOptions['positives'], number[][]][] = [
    ['key i', undefined, itself],
    ['one key', Int32Array.from(one.flat()), one],
    ['several keys', compressed(several), several],
  ];
  const queryIds = randomIds(shape.rows, 20, 70);
  const idsOfKeys: [string, Int32Array][] = [
    ['many keys of one id', randomIds(shape.keys, 20, 71)],
    ['few keys of one id', randomIds(shape.keys, Math.ceil(shape.keys / 2), 72)],
    ['ids of 3 tiles and more', Int32Array.from({ length: shape.keys }, (_, i) => Math.floor(i / 1500) % 2)],
    ['one id for all', new Int32Array(shape.keys).fill(-5)],
    ['an id each', Int32Array.from({ length: shape.keys }, (_, i) => -i)],
  ];

  describe.each(positives)('positives: %s', (_, given, lists) => {
    const check = async (options: RanksOptions, rules: SearchRules) => {
      const expected = plainRanks(scores, lists, rules);
      for (const threads of [1, 3, 7])
        expect(await ranks(queries, keys, { positives: given, ...options, threads })).toEqual(expected);
    };

    it('without ids', () => check({}, {}));
    it.each(idsOfKeys)('keyIds: %s', (__, keyIds) => check({ keyIds }, { groups: keyIds }));
    it.each(idsOfKeys)('queryIds and keyIds: %s', (__, keyIds) =>
      check({ queryIds, keyIds }, { queryIds, keyIds, groups: keyIds }),
    );
  });
});

it('a collapsed model over 1,000 keys has the ranks 1, 500.5 and 1,000', async () => {
  const one: FloatMatrix = { data: new Float32Array(3000).fill(0.5), shape: [1000, 3] };
  const found = await ranks(one, one);
  expect(found.rank.every((rank) => rank === 500.5)).toBe(true);
  expect(found.optimistic.every((rank) => rank === 1)).toBe(true);
  expect(found.pessimistic.every((rank) => rank === 1000)).toBe(true);
});

it('the copies of a positive do not push it down, by their id', async () => {
  const { queries, keys } = coarsePair({ rows: 30, keys: 300, dim: 8, seed: 8 });
  const row = (i: number) => keys.data.subarray(i * 8, (i + 1) * 8);
  for (let i = 1; i < 145; i++) row(i).set(row(0));
  const keyIds = Int32Array.from({ length: 300 }, (_, i) => (i < 145 ? 7 : 1000 + i));
  const positives = new Int32Array(30);
  const counted = await ranks(queries, keys, { positives, keyIds });
  const plain = await ranks(queries, keys, { positives });
  counted.optimistic.forEach((rank, i) => {
    expect(rank).toBe(plain.optimistic[i]);
    expect(counted.pessimistic[i]).toBe(plain.pessimistic[i]! - 144);
  });
});

it('the score of a positive has the bits of its score among the keys, for any number of features', async () => {
  for (const dim of [1, 7, 16, 33, 200, 513]) {
    const { queries, keys } = coarsePair({ rows: 40, keys: 40, dim, seed: dim });
    const uneven = (m: FloatMatrix): FloatMatrix => ({
      ...m,
      data: m.data.map((v, i) => v * (1 + (i % 7) / 13)),
    });
    // every key twice: the copy must be a tie, neither above nor below
    const once = uneven(keys);
    const twice = { data: new Float32Array([...once.data, ...once.data]), shape: [80, dim] as const };
    for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
      const as = (m: FloatMatrix) => (dtype === 'float32' ? m : narrow(m, dtype).bits);
      const found = await ranks(as(uneven(queries)), as({ ...twice, shape: [80, dim] }));
      const ties = found.pessimistic.map((worst, i) => worst - found.optimistic[i]!);
      expect(Math.min(...ties)).toBeGreaterThanOrEqual(1);
    }
  }
});

it('has equal bits with the smallest workspace', async () => {
  const { queries, keys } = coarsePair({ rows: 100, keys: 1200, dim: 20, seed: 14 });
  const keyIds = randomIds(1200, 300, 15);
  const run = (workspaceBytes?: number) => ranks(queries, keys, { keyIds, threads: 3, workspaceBytes });
  const message = await run(1).catch((error) => error.message);
  const least = Number(/at least (\d+)/.exec(message)![1]);
  expect(await run(least)).toEqual(await run());
});

it('retrievalMetrics takes the result', async () => {
  const { queries, keys } = coarsePair({ rows: 30, keys: 300, dim: 8, seed: 16 });
  const found = await ranks(queries, keys);
  const { accuracyAt, meanRank } = retrievalMetrics(found, { at: [1] });
  expect(accuracyAt[1]).toBe(found.rank.filter((rank) => rank === 1).length / 30);
  expect(meanRank).toBeCloseTo(found.rank.reduce((sum, rank) => sum + rank, 0) / 30, 12);
});
