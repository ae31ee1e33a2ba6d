/** Ranking against a plain double loop, metrics on a toy, and the homophone ceiling. */

import { homophoneCeiling } from '../src/evaluate/homophones.js';
import { metricsOf, rankAll } from '../src/evaluate/retrieval.js';
import { Random } from '../src/random.js';
import { startJax } from '../src/train/jax-side.js';

beforeAll(startJax);

function randomRows(rows: number, dim: number, random: Random) {
  return { rows, dim, data: Float32Array.from({ length: rows * dim }, () => random.normal()) };
}

test('ranks and neighbours equal those of a double loop, over several blocks', async () => {
  const random = new Random(3);
  const dim = 5;
  const candidates = randomRows(9001, dim, random);
  const queries = randomRows(7, dim, random);
  const targets = Int32Array.of(9000, 0, 4096, 17, 4095, 8191, 17);
  const { ranks, nearest } = await rankAll(queries, candidates, { targets, listed: 2, neighbours: 3 });
  for (let q = 0; q < queries.rows; q++) {
    const scores = Array.from({ length: candidates.rows }, (_, c) => {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += queries.data[q * dim + d]! * candidates.data[c * dim + d]!;
      return sum;
    });
    const own = scores[targets[q]!]!;
    expect(ranks[q]).toBe(1 + scores.filter((score) => score > own).length);
    if (q < 2) {
      const best = scores.map((_, c) => c).sort((a, b) => scores[b]! - scores[a]!);
      expect(nearest[q]!.map(({ candidate }) => candidate)).toEqual(best.slice(0, 3));
    }
  }
  expect(nearest).toHaveLength(2);
});

test('a candidate that scores the same counts as better', async () => {
  const same = { rows: 3, dim: 1, data: Float32Array.of(1, 1, 0.5) };
  const { ranks } = await rankAll({ rows: 1, dim: 1, data: Float32Array.of(1) }, same, {
    targets: Int32Array.of(0),
  });
  expect([...ranks]).toEqual([2]);
});

/** Rows of one number each. */
const column = (...data: number[]) => ({ rows: data.length, dim: 1, data: Float32Array.from(data) });

test.each([
  ['all queries', column(Number.NaN, Number.NaN), column(1, 2, 3)],
  ['all candidates', column(1, 2), column(Number.NaN, Number.NaN, Number.NaN)],
  ['both', column(Number.NaN, Number.NaN), column(Number.NaN, Number.NaN, Number.NaN)],
])('NaN in %s ranks last, never first', async (_, queries, candidates) => {
  const { ranks, nearest } = await rankAll(queries, candidates, { targets: Int32Array.of(0, 1), listed: 2 });
  expect([...ranks]).toEqual([3, 3]);
  expect(nearest).toEqual([[], []]);
  expect(metricsOf(ranks, 3)).toMatchObject({ recallAt1: 0, meanReciprocalRank: 1 / 3 });
});

test('a candidate that is NaN counts as better than the own one and is not listed', async () => {
  const { ranks, nearest } = await rankAll(column(1), column(3, Number.NaN, 2, 4), {
    targets: Int32Array.of(0),
    listed: 1,
    neighbours: 2,
  });
  expect([...ranks]).toEqual([3]);
  expect(nearest[0]!.map(({ candidate }) => candidate)).toEqual([3, 0]);
});

test('infinite scores of the same sign rank last', async () => {
  const { ranks } = await rankAll(column(1), column(Infinity, Infinity, 0), { targets: Int32Array.of(0) });
  expect([...ranks]).toEqual([2]);
});

test.each([
  ['no rank', []],
  ['a rank of 0', [1, 0]],
  ['a rank beyond the candidates', [51]],
])('metrics refuse %s', (_, ranks) => {
  expect(() => metricsOf(Int32Array.from(ranks), 50)).toThrow(RangeError);
  expect(() => metricsOf(Int32Array.from(ranks), 50)).toThrow('from 1 to 50');
});

test('stops when told to', async () => {
  const rows = randomRows(4, 2, new Random(1));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(rankAll(rows, rows, { targets: Int32Array.of(0, 1, 2, 3), signal })).rejects.toThrow('enough');
});

test('metrics', () => {
  expect(metricsOf(Int32Array.of(1, 2, 10, 20), 50)).toEqual({
    recallAt1: 0.25,
    recallAt10: 0.75,
    meanReciprocalRank: (1 + 0.5 + 0.1 + 0.05) / 4,
    queries: 4,
    candidates: 50,
  });
});

test('homophones share the first places', () => {
  const left = ['ma1', 'ma1', 'Ma1', 'ba4'];
  const ceiling = homophoneCeiling(left, Int32Array.of(0, 3));
  expect(ceiling.recallAt1).toBeCloseTo((1 / 3 + 1) / 2);
  expect(ceiling.recallAt10).toBe(1);
  expect(ceiling.meanReciprocalRank).toBeCloseTo(((1 + 1 / 2 + 1 / 3) / 3 + 1) / 2);
});
