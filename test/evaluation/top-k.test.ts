/** topK against its oracle: shapes around those of tiles, ids, ties, element types, strides, any number of threads. */
import { type MatrixLike, type TopKOptions, topK } from '../../lib';
import { readSearchFeatures, type TopKSearch } from '../../lib/evaluation/read-search-request';
import { searchTopK } from '../../lib/evaluation/search';
import { coarsen, type FloatMatrix, makePair, widen } from '../reference/inputs';
import { narrow } from '../reference/narrow';
import { coarsePair, exactScores, plainTopK, randomIds, type SearchShape } from '../reference/search';

const shapes: (SearchShape & { k: number[] })[] = [
  { rows: 1, keys: 1, dim: 1, seed: 1, k: [1] },
  { rows: 3, keys: 31, dim: 5, seed: 2, k: [1, 7, 31] },
  { rows: 33, keys: 449, dim: 17, seed: 3, k: [1, 10, 64, 449] },
  { rows: 230, keys: 463, dim: 3, seed: 5, k: [5, 120] },
  { rows: 2, keys: 9001, dim: 4, seed: 6, k: [3, 1500, 9001] },
];
const cases = shapes.flatMap(({ k, ...shape }) => k.map((each) => ({ ...shape, k: each })));

describe.each(cases)('$rows × $keys × $dim, k $k', ({ k, ...shape }) => {
  const { queries, keys } = coarsePair(shape);
  const scores = exactScores(queries, keys);
  const queryIds = randomIds(shape.rows, 20, 70);
  const manyIds = randomIds(shape.keys, 20, 71);
  const pairs = randomIds(shape.keys, Math.ceil(shape.keys / 2), 72);

  it.each([1, 2, 3, 7])('%i threads', async (threads) => {
    expect(await topK(queries, keys, k, { threads })).toEqual(plainTopK(scores, k));
  });

  it.each([
    ['many keys of one id', manyIds],
    ['few keys of one id', pairs],
    ['one id for all', new Int32Array(shape.keys).fill(-5)],
    ['an id each', Int32Array.from(pairs.keys(), (i) => -i)],
  ])('keyIds: %s', async (_, keyIds) => {
    const expected = plainTopK(scores, k, { groups: keyIds });
    for (const threads of [1, 3]) expect(await topK(queries, keys, k, { keyIds, threads })).toEqual(expected);
  });

  it('excludeIds', async () => {
    const options: TopKOptions = { excludeIds: true, queryIds, keyIds: manyIds };
    const expected = plainTopK(scores, k, { queryIds, keyIds: manyIds });
    for (const threads of [1, 3])
      expect(await topK(queries, keys, k, { ...options, threads })).toEqual(expected);
  });

  it('limits, with everything else', async () => {
    const limits = Float32Array.from(scores, (row, i) => row.slice().sort()[(i * 7) % row.length]!);
    const search: TopKSearch = {
      ...readSearchFeatures(queries, keys),
      ...{ queryIds, keyIds: manyIds, keyGroups: pairs, limits, k },
      ...{ threads: 2, workspaceBytes: 0, signal: undefined, onProgress: undefined },
    };
    const rules = { queryIds, keyIds: manyIds, groups: pairs, limits };
    expect(await searchTopK(search)).toEqual(plainTopK(scores, k, rules));
  });
});

it.each([1, 2, 5, 1000])('all scores equal: the lowest keys, k %i', async (k) => {
  const one: FloatMatrix = { data: new Float32Array(3000).fill(0.5), shape: [1000, 3] };
  const found = await topK(one, one, k, { threads: 3 });
  expect(found.indices).toEqual(Int32Array.from({ length: 1000 * k }, (_, at) => at % k));
  expect(found.scores.every((score) => score === 0.75)).toBe(true);
});

it.each(['ascending', 'descending'])(
  '%s scores, the order in which most and fewest keys are candidates',
  async (order) => {
    const keys = Float32Array.from({ length: 5000 }, (_, i) => (order === 'ascending' ? i : -i));
    const query = { data: Float32Array.of(1, -1), shape: [2, 1] };
    const found = await topK(query, { data: keys, shape: [5000, 1] }, 70);
    const last = Array.from({ length: 70 }, (_, at) => 4999 - at);
    const first = Array.from({ length: 70 }, (_, at) => at);
    expect(Array.from(found.indices)).toEqual(
      order === 'ascending' ? [...last, ...first] : [...first, ...last],
    );
  },
);

describe('element types and forms', () => {
  const shape = { rows: 70, keys: 500, dim: 24, seed: 9 };
  const { queries, keys } = coarsePair(shape);
  const expected = plainTopK(exactScores(queries, keys), 12);

  it.each<[string, MatrixLike, MatrixLike]>([
    ['float16', narrow(queries, 'float16').bits, narrow(keys, 'float16').bits],
    ['bfloat16', narrow(queries, 'bfloat16').bits, narrow(keys, 'bfloat16').bits],
    ['bfloat16 and float32', narrow(queries, 'bfloat16').bits, keys],
    ['float32 with gaps between rows', widen(queries, 3), widen(keys, 1)],
    [
      'bfloat16 with gaps',
      narrow(widen(queries, 1), 'bfloat16').bits,
      narrow(widen(keys, 5), 'bfloat16').bits,
    ],
  ])('%s', async (_, left, right) => {
    expect(await topK(left, right, 12)).toEqual(expected);
  });

  it('products of bfloat16 features are float32, not rounded', async () => {
    const { queries: q, keys: n } = makePair({ rows: 40, keys: 90, dim: 300, seed: 12 });
    const [left, right] = [narrow(q, 'bfloat16'), narrow(n, 'bfloat16')];
    expect(await topK(left.bits, right.bits, 90)).toEqual(await topK(left.values, right.values, 90));
  });
});

describe('features that are not exact', () => {
  const { queries, keys } = makePair({ rows: 150, keys: 1000, dim: 200, seed: 13 });

  it('has scores within rounding, in order, and each key once', async () => {
    const { indices, scores } = await topK(queries, keys, 1000);
    exactScores(queries, keys).forEach((exact, i) => {
      const row = indices.subarray(i * 1000, (i + 1) * 1000);
      expect(new Set(row).size).toBe(1000);
      row.forEach((key, at) => {
        const score = scores[i * 1000 + at]!;
        if (Math.abs(score - exact[key]!) > 1e-5)
          throw new Error(`query ${i}, key ${key}: ${score} ${exact[key]}`);
        if (at > 0 && score > scores[i * 1000 + at - 1]!) throw new Error(`query ${i}: no order at ${at}`);
      });
    });
  });

  it.each([2, 5, 16])('has equal bits with %i threads', async (threads) => {
    expect(await topK(queries, keys, 20, { threads })).toEqual(await topK(queries, keys, 20, { threads: 1 }));
  });

  it('has equal bits with the smallest workspace, and refuses a smaller one', async () => {
    const message = await topK(queries, keys, 20, { threads: 1, workspaceBytes: 1 }).catch(
      (error) => error.message,
    );
    const least = Number(/at least (\d+)/.exec(message)![1]);
    const bounded = await topK(queries, keys, 20, { threads: 4, workspaceBytes: least });
    expect(bounded).toEqual(await topK(queries, keys, 20));
    await expect(topK(queries, keys, 20, { workspaceBytes: least - 1 })).rejects.toMatchObject({
      code: 'ERR_WORKSPACE',
    });
  });
});

it('-0 is returned as 0, so that equal scores have equal bits', async () => {
  const keys = coarsen({ data: Float32Array.of(0, -1, 0, 1), shape: [4, 1] });
  const { indices, scores } = await topK({ data: Float32Array.of(-0), shape: [1, 1] }, keys, 4);
  expect(Array.from(indices)).toEqual([0, 1, 2, 3]);
  expect(Array.from(scores, (score) => Object.is(score, 0))).toEqual([true, true, true, true]);
});
