/** hardNegativeRows and gatherRows: the form that the losses take, queries with fewer negatives, and every error. */
import { contrastiveLossAndGrad, gatherRows, hardNegativeRows, mineHardNegatives } from '../../lib';
import { expectError, type Thrown, thrownBy } from '../lib/fake-binding';
import { type DenseMatrix, denseLossAndGrad } from '../reference/dense';
import { normalRows, unitRows } from '../reference/features';

const bad = (type: typeof Error, code: string, message: string): Thrown => ({ type, code, message });
const ints = (...values: number[]) => Int32Array.from(values);

const mined = { indices: ints(5, 2, 9, -1, -1, -1), shape: [3, 2] };

it('mined negatives go into a loss', async () => {
  const [queries, keys] = [unitRows(normalRows(20, 8, 1)), unitRows(normalRows(20, 8, 2))];
  const found = await mineHardNegatives(queries, keys, { count: 3, relativeMargin: 0.05, maxScore: 0.9 });
  const { rows, perQuery, queries: kept } = hardNegativeRows(found, { missing: 'leaveOut' });
  expect(rows.length).toBe(3 * kept.length);
  const { loss } = await contrastiveLossAndGrad(gatherRows(queries, kept), gatherRows(keys, kept), {
    logitScale: 10,
    hardNegatives: { keys: gatherRows(keys, rows), perQuery },
  });
  const without = await contrastiveLossAndGrad(gatherRows(queries, kept), gatherRows(keys, kept), {
    logitScale: 10,
  });
  expect(loss).toBeGreaterThan(without.loss);
});

it('whole rows as they are', () => {
  const whole = { indices: ints(5, 2, 9, 7), shape: [2, 2] };
  expect(hardNegativeRows(whole)).toEqual({ queries: ints(0, 1), rows: ints(5, 2, 9, 7), perQuery: 2 });
});

it('the queries of a batch, in its order', () => {
  const { rows, queries } = hardNegativeRows(mined, { queries: ints(0, 0) });
  expect([queries, rows]).toEqual([ints(0, 0), ints(5, 2, 5, 2)]);
});

it('queries with fewer negatives are left out, or their negatives are repeated', () => {
  expect(hardNegativeRows(mined, { missing: 'leaveOut' })).toEqual({
    queries: ints(0),
    rows: ints(5, 2),
    perQuery: 2,
  });
  const repeated = hardNegativeRows(mined, { queries: ints(1, 0), missing: 'repeat' });
  expect(repeated).toEqual({ queries: ints(1, 0), rows: ints(9, 9, 5, 2), perQuery: 2 });
  const three = { indices: ints(4, 8, -1, -1, -1), shape: [1, 5] };
  expect(hardNegativeRows(three, { missing: 'repeat' }).rows).toEqual(ints(4, 8, 4, 8, 4));
});

describe("missing: 'mask'", () => {
  it('fills gaps with rows that have the id of their query', () => {
    expect(hardNegativeRows(mined, { missing: 'mask' })).toEqual({
      queries: ints(0, 1, 2),
      rows: ints(5, 2, 9, 9, 0, 0),
      perQuery: 2,
      ids: ints(-1, -1, -1, 1, 2, 2),
    });
  });

  it('takes ids of the caller, of a batch of queries, and finds an id that no query has', () => {
    const queryIds = ints(-1, 70, -2);
    const masked = hardNegativeRows(mined, { queries: ints(2, 1), missing: 'mask', queryIds });
    expect(masked.ids).toEqual(ints(-2, -2, -3, 70));
    const keyIds = Int32Array.from({ length: 10 }, (_, key) => 100 + key);
    const both = hardNegativeRows(mined, { missing: 'mask', queryIds, keyIds });
    expect(both.ids).toEqual(ints(105, 102, 109, 70, -2, -2));
  });

  it('in a loss, a gap counts as nothing: against the dense loss of each query with its own negatives', async () => {
    const [queries, keys] = [unitRows(normalRows(3, 8, 1)), unitRows(normalRows(10, 8, 2))];
    const positives = gatherRows(keys, ints(0, 1, 2));
    const { rows, perQuery, ids, queries: queryIds } = hardNegativeRows(mined, { missing: 'mask' });
    const options = { objective: 'infonce', logitScale: 6 } as const;
    const hardNegatives = { keys: gatherRows(keys, rows), perQuery, ids };
    const masked = await contrastiveLossAndGrad(queries, positives, {
      ...options,
      ...{ hardNegatives, queryIds, keyIds: queryIds, perRow: true },
    });
    for (const query of [0, 1, 2]) {
      const own = mined.indices.subarray(2 * query, 2 * query + 2).filter((key) => key >= 0);
      const all = gatherRows(keys, ints(0, 1, 2, ...own));
      const alone = denseLossAndGrad(gatherRows(queries, ints(query)) as DenseMatrix, all as DenseMatrix, {
        ...options,
        labels: ints(query),
      });
      expect(masked.rows.loss[query]).toBeCloseTo(alone.loss, 6);
      const grads = masked.queryGrads.subarray(8 * query, 8 * query + 8);
      for (const [i, g] of grads.entries()) expect(3 * g).toBeCloseTo(alone.queryGrads[i]!, 5);
    }
    const gaps = masked.hardNegativeGrads.subarray(3 * 8);
    expect([...gaps].every((g) => g === 0)).toBe(true);
    expect([...masked.hardNegativeGrads.subarray(0, 3 * 8)].every((g) => g !== 0)).toBe(true);
  });
});

it.each<[string, () => unknown, Thrown]>([
  [
    'fewer',
    () => hardNegativeRows(mined),
    bad(
      RangeError,
      'ERR_VALUE',
      "2 negatives of query 1 but received 1; mine again with a larger range or a smaller count, or pass missing: 'leaveOut', 'repeat' or 'mask'",
    ),
  ],
  [
    'nothing to repeat',
    () => hardNegativeRows(mined, { missing: 'repeat' }),
    bad(RangeError, 'ERR_VALUE', 'query 2 but received none'),
  ],
  [
    'no query left',
    () => hardNegativeRows(mined, { queries: ints(2), missing: 'leaveOut' }),
    bad(RangeError, 'ERR_VALUE', 'a query with 2 negatives but received none'),
  ],
  [
    'another word',
    () => hardNegativeRows(mined, { missing: 'pad' as 'repeat' }),
    bad(RangeError, 'ERR_VALUE', 'one of refuse, leaveOut, repeat, mask for options.missing'),
  ],
  [
    'an unknown name',
    () => hardNegativeRows(mined, { rows: 1 } as object),
    bad(TypeError, 'ERR_OPTION', 'rows'),
  ],
  [
    'ranks',
    () => hardNegativeRows({ rank: Float64Array.of(1) } as never),
    bad(TypeError, 'ERR_TYPE', 'result of mineHardNegatives'),
  ],
  [
    'a promise',
    () => hardNegativeRows(Promise.resolve(mined) as never),
    bad(TypeError, 'ERR_TYPE', 'await the promise first'),
  ],
  [
    'another shape',
    () => hardNegativeRows({ ...mined, shape: [2, 2] }),
    bad(RangeError, 'ERR_SHAPE', 'mined.shape'),
  ],
  [
    'ids of queries without a mask',
    () => hardNegativeRows(mined, { missing: 'repeat', queryIds: ints(1, 2, 3) }),
    bad(RangeError, 'ERR_VALUE', "missing: 'mask' beside options.queryIds"),
  ],
  [
    'ids of keys without a mask',
    () => hardNegativeRows(mined, { keyIds: ints(1, 2, 3) }),
    bad(RangeError, 'ERR_VALUE', "missing: 'mask' beside options.keyIds"),
  ],
  [
    'too few ids of queries',
    () => hardNegativeRows(mined, { missing: 'mask', queryIds: ints(1, 2) }),
    bad(RangeError, 'ERR_SHAPE', 'Expected 3 ids in options.queryIds'),
  ],
  [
    'too few ids of keys',
    () => hardNegativeRows(mined, { missing: 'mask', keyIds: new Int32Array(9) }),
    bad(RangeError, 'ERR_SHAPE', 'up to key 9, but received 9 ids'),
  ],
  [
    'plain ids',
    () => hardNegativeRows(mined, { missing: 'mask', keyIds: [1] as never }),
    bad(TypeError, 'ERR_TYPE', 'options.keyIds'),
  ],
  [
    'no queries',
    () => hardNegativeRows(mined, { queries: ints() }),
    bad(RangeError, 'ERR_SHAPE', 'options.queries'),
  ],
  [
    'a query that is none',
    () => hardNegativeRows(mined, { queries: ints(3) }),
    bad(RangeError, 'ERR_VALUE', 'query from 0 to 2 for options.queries[0]'),
  ],
  [
    'plain queries',
    () => hardNegativeRows(mined, { queries: [0] as never }),
    bad(TypeError, 'ERR_TYPE', 'options.queries'),
  ],
])('refuses %s', (_, run, thrown) => {
  expectError(thrownBy(run), thrown);
});

describe('gatherRows', () => {
  const matrix = { data: Float32Array.of(1, 2, 0, 3, 4, 0, 5, 6), shape: [3, 2], rowStride: 3 };

  it('copies rows in the order asked for, without the gaps', () => {
    expect(gatherRows(matrix, ints(2, 0, 2))).toEqual({
      data: Float32Array.of(5, 6, 1, 2, 5, 6),
      shape: [3, 2],
      dtype: 'float32',
    });
  });

  it('keeps bits as bits', () => {
    const bits = { data: Uint16Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'bfloat16' } as const;
    expect(gatherRows(bits, ints(1))).toEqual({
      data: Uint16Array.of(3, 4),
      shape: [1, 2],
      dtype: 'bfloat16',
    });
  });

  it.each<[string, unknown, unknown, Thrown]>([
    ['no matrix', 5, ints(0), bad(TypeError, 'ERR_TYPE', 'for features')],
    ['plain rows', matrix, [0], bad(TypeError, 'ERR_TYPE', 'Int32Array for rows')],
    ['no rows', matrix, ints(), bad(RangeError, 'ERR_SHAPE', 'at least one row in rows')],
    [
      'a row that is none',
      matrix,
      ints(0, 3),
      bad(RangeError, 'ERR_VALUE', 'row from 0 to 2 for rows[1] but received 3'),
    ],
    ['the -1 of a search', matrix, ints(-1), bad(RangeError, 'ERR_VALUE', '-1 stands for no key')],
  ])('refuses %s', (_, features, rows, thrown) => {
    const call = gatherRows as (...args: unknown[]) => unknown;
    expectError(
      thrownBy(() => call(features, rows)),
      thrown,
    );
  });
});
