/** retrievalMetrics: worked examples, defaults, what is left out, and every error. */
import { type RankMetrics, retrievalMetrics, type TopKMetrics } from '../../lib/evaluation';
import { expectError, type Thrown, thrownBy } from '../lib/fake-binding';
import { ranksOf } from '../reference/retrieval';

const topK = {
  indices: Int32Array.of(2, 0, 1, 1, 0, 2),
  scores: Float32Array.of(3, 2, 1, 9, 9, -1),
  shape: [2, 3],
} as const;

it('by default, key i is relevant to query i', () => {
  const { accuracyAt, mrrAt, ndcgAt } = retrievalMetrics(topK, { at: [1, 2] });
  expect(accuracyAt).toEqual({ 1: 0.5, 2: 1 });
  expect(mrrAt).toEqual({ 1: 0.5, 2: 0.75 });
  expect(ndcgAt[2]).toBeCloseTo((1 / Math.log2(3) + 1) / 2, 14);
});

it('several relevant keys, and a query without any, which no mean counts', () => {
  const relevant = { offsets: Int32Array.of(0, 2, 2), keys: Int32Array.of(1, 2) };
  const metrics = retrievalMetrics(topK, { relevant, at: [3] });
  const gain = 1 + 1 / Math.log2(4);
  expect(metrics).toEqual({
    accuracyAt: { 3: 1 },
    precisionAt: { 3: 2 / 3 },
    recallAt: { 3: 1 },
    mrrAt: { 3: 1 },
    ndcgAt: { 3: expect.closeTo(gain / (1 + 1 / Math.log2(3)), 14) },
    mapAt: { 3: expect.closeTo((1 + 2 / 3) / 2, 14) },
  } satisfies Record<keyof TopKMetrics, unknown>);
});

it('defaults beyond the k of the search are left out', () => {
  const metrics = retrievalMetrics(topK);
  expect(metrics.accuracyAt).toEqual({ 1: 0.5, 3: 1 });
  expect([metrics.mrrAt, metrics.ndcgAt, metrics.mapAt]).toEqual([{}, {}, {}]);
});

it('fewer keys than k: the places of -1 are not relevant, and precision still divides by k', () => {
  const padded = {
    indices: Int32Array.of(0, -1, -1),
    scores: Float32Array.of(1, -Infinity, -Infinity),
    shape: [1, 3],
  };
  expect(retrievalMetrics(padded, { at: [3] }).precisionAt).toEqual({ 3: 1 / 3 });
});

it('indices and shape are enough, as other libraries have them', () => {
  const { indices, shape } = topK;
  expect(retrievalMetrics({ indices, shape })).toEqual(retrievalMetrics(topK));
  expect(retrievalMetrics({ rank: Float64Array.of(2) }).meanRank).toBe(2);
});

it('ranks: a collapsed model of 1,000 keys has the mean rank 500.5 and no hit among the first 10', () => {
  const collapsed = [new Array<number>(1000).fill(1), new Array<number>(1000).fill(1)];
  const ranks = ranksOf(collapsed, [3, 999]);
  expect([ranks.optimistic[0], ranks.rank[0], ranks.pessimistic[0]]).toEqual([1, 500.5, 1000]);
  const metrics = retrievalMetrics(ranks);
  expect(metrics).toEqual({
    accuracyAt: { 1: 0, 3: 0, 5: 0, 10: 0 },
    mrrAt: { 10: 0 },
    meanRank: 500.5,
    medianRank: 500,
  } satisfies Record<keyof RankMetrics, unknown>);
});

it("ranks: the median is open_clip's, floor(median of ranks from 0) + 1", () => {
  expect(retrievalMetrics({ rank: Float64Array.of(9, 1, 4) }).medianRank).toBe(4);
  expect(retrievalMetrics({ rank: Float64Array.of(9, 1, 4, 5) }).medianRank).toBe(4);
  expect(retrievalMetrics({ rank: Float64Array.of(10, 2) }).medianRank).toBe(6);
});

it('ranks: accuracy and MRR count ranks up to k', () => {
  const { accuracyAt, mrrAt, meanRank } = retrievalMetrics(
    { rank: Float64Array.of(1, 2, 8) },
    { at: [1, 2] },
  );
  expect(accuracyAt).toEqual({ 1: 1 / 3, 2: 2 / 3 });
  expect(mrrAt).toEqual({ 1: 1 / 3, 2: 0.5 });
  expect(meanRank).toBeCloseTo(11 / 3, 14);
});

it('types: ranks give no recall', () => {
  // @ts-expect-error precision, recall, NDCG and MAP need the best keys
  expect(retrievalMetrics({ rank: Float64Array.of(2) }).recallAt).toBeUndefined();
});

const ints = (...values: number[]) => Int32Array.from(values);
/** TypeScript's types of ES2022 know no resizable buffers. */
const ResizableBuffer = ArrayBuffer as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer;
const resizable = () => new Int32Array(new ResizableBuffer(24, { maxByteLength: 48 }));
const bad = (type: typeof Error, code: string, message: string | RegExp): Thrown => ({ type, code, message });
const rank = Float64Array.of(1, 2.5);

it.each<[string, unknown, unknown, Thrown]>([
  ['no object', 5, {}, bad(TypeError, 'ERR_TYPE', 'object for search')],
  ['neither', {}, {}, bad(TypeError, 'ERR_TYPE', 'result of topK')],
  ['both', { ...topK, rank }, {}, bad(TypeError, 'ERR_TYPE', 'indices and rank are both there')],
  ['a promise', Promise.resolve(topK), {}, bad(TypeError, 'ERR_TYPE', 'await the promise first')],
  [
    'plain indices',
    { ...topK, indices: [1] },
    {},
    bad(TypeError, 'ERR_TYPE', 'Int32Array.from(indices, Number)'),
  ],
  ['resizable', { ...topK, indices: resizable() }, {}, bad(TypeError, 'ERR_BUFFER', 'search.indices')],
  [
    'no shape',
    { indices: topK.indices },
    {},
    bad(TypeError, 'ERR_TYPE', 'array [queries, k] for search.shape'),
  ],
  ['another shape', { ...topK, shape: [2, 4] }, {}, bad(RangeError, 'ERR_SHAPE', 'received [2, 4]')],
  ['a flat shape', { ...topK, shape: [6] }, {}, bad(RangeError, 'ERR_SHAPE', 'received [6]')],
  ['no rows', { indices: ints(), shape: [0, 3] }, {}, bad(RangeError, 'ERR_SHAPE', 'received [0, 3]')],
  [
    'a negative key',
    { indices: ints(0, -2), shape: [1, 2] },
    {},
    bad(RangeError, 'ERR_VALUE', 'indices[1] of query 0'),
  ],
  [
    'a gap',
    { indices: ints(0, -1, 2), shape: [1, 3] },
    {},
    bad(RangeError, 'ERR_VALUE', '-1, as after another -1'),
  ],
  [
    'a key twice',
    { indices: ints(3, 1, 3), shape: [1, 3] },
    {},
    bad(RangeError, 'ERR_VALUE', 'not occurred before'),
  ],
  ['plain scores', { ...topK, scores: [1] }, {}, bad(TypeError, 'ERR_TYPE', 'search.scores')],
  ['few scores', { ...topK, scores: new Float32Array(5) }, {}, bad(RangeError, 'ERR_SHAPE', '6 elements')],
  [
    'NaN',
    { ...topK, scores: new Float32Array(6).fill(NaN) },
    {},
    bad(RangeError, 'ERR_NOT_FINITE', 'scores[0]'),
  ],
  [
    'another order',
    { ...topK, scores: Float32Array.of(1, 2, 3, 9, 9, -1) },
    {},
    bad(RangeError, 'ERR_VALUE', 'the best first, for search.scores[1]'),
  ],
  [
    'float32 ranks',
    { rank: Float32Array.of(1) },
    {},
    bad(TypeError, 'ERR_TYPE', 'Float64Array.from(rank, Number)'),
  ],
  ['no ranks', { rank: new Float64Array(0) }, {}, bad(RangeError, 'ERR_SHAPE', 'at least one rank')],
  ['a rank of 0', { rank: Float64Array.of(0) }, {}, bad(RangeError, 'ERR_VALUE', 'rank of at least 1')],
  ['an infinite rank', { rank: Float64Array.of(Infinity) }, {}, bad(RangeError, 'ERR_NOT_FINITE', 'rank[0]')],
  [
    'optimism beyond the rank',
    { rank, optimistic: Float64Array.of(1, 3) },
    {},
    bad(RangeError, 'ERR_VALUE', 'at most 2.5 for search.optimistic[1]'),
  ],
  [
    'pessimism below the rank',
    { rank, pessimistic: Float64Array.of(1, 2) },
    {},
    bad(RangeError, 'ERR_VALUE', 'at least 2.5 for search.pessimistic[1]'),
  ],
  [
    'few pessimistic',
    { rank, pessimistic: Float64Array.of(1) },
    {},
    bad(RangeError, 'ERR_SHAPE', '2 elements'),
  ],
  ['plain optimistic', { rank, optimistic: [1, 2] }, {}, bad(TypeError, 'ERR_TYPE', 'search.optimistic')],
  [
    'relevant keys with ranks',
    { rank },
    { relevant: { offsets: ints(0, 1, 2), keys: ints(0, 1) } },
    bad(TypeError, 'ERR_OPTION', 'need the result of topK'),
  ],
  ['options that are none', topK, 5, bad(TypeError, 'ERR_TYPE', 'object for options')],
  ['a typo', topK, { relevance: 1 }, bad(TypeError, 'ERR_OPTION', 'did you mean relevant?')],
  ['at that is a number', topK, { at: 5 }, bad(TypeError, 'ERR_TYPE', 'array of positive integers')],
  ['no k', topK, { at: [] }, bad(RangeError, 'ERR_VALUE', 'at least one k')],
  ['a k of 0', topK, { at: [1, 0] }, bad(RangeError, 'ERR_VALUE', 'options.at[1]')],
  ['a k in text', topK, { at: ['1'] }, bad(TypeError, 'ERR_TYPE', 'options.at[0]')],
  ['a k beyond the search', topK, { at: [1, 10] }, bad(RangeError, 'ERR_VALUE', 'search with a larger k')],
])('refuses %s', (_, search, options, thrown) => {
  expectError(
    thrownBy(() => retrievalMetrics(search as typeof topK, options as object)),
    thrown,
  );
});

it.each<[string, unknown, Thrown]>([
  ['no object', [[0], [1]], bad(TypeError, 'ERR_TYPE', 'object for options.relevant')],
  ['a typo', { offset: ints(0), keys: ints(0) }, bad(TypeError, 'ERR_OPTION', 'did you mean offsets?')],
  ['no offsets', { keys: ints(0) }, bad(TypeError, 'ERR_TYPE', 'options.relevant.offsets')],
  [
    'plain keys',
    { offsets: ints(0, 1, 2), keys: [0, 1] },
    bad(TypeError, 'ERR_TYPE', 'options.relevant.keys'),
  ],
  ['few offsets', { offsets: ints(0, 1), keys: ints(0) }, bad(RangeError, 'ERR_SHAPE', '3 elements')],
  [
    'a first offset',
    { offsets: ints(1, 1, 2), keys: ints(0, 1) },
    bad(RangeError, 'ERR_VALUE', '0 for options'),
  ],
  [
    'falling offsets',
    { offsets: ints(0, 2, 1), keys: ints(0) },
    bad(RangeError, 'ERR_VALUE', 'the offset before'),
  ],
  [
    'a last offset',
    { offsets: ints(0, 1, 1), keys: ints(0, 1) },
    bad(RangeError, 'ERR_VALUE', 'the number of'),
  ],
  ['a negative key', { offsets: ints(0, 1, 2), keys: ints(0, -1) }, bad(RangeError, 'ERR_VALUE', 'keys[1]')],
  [
    'a key twice',
    { offsets: ints(0, 0, 2), keys: ints(4, 4) },
    bad(RangeError, 'ERR_VALUE', 'once for query 1'),
  ],
  ['no relevant key', { offsets: ints(0, 0, 0), keys: ints() }, bad(RangeError, 'ERR_VALUE', 'at least one')],
])('refuses relevant: %s', (_, relevant, thrown) => {
  expectError(
    thrownBy(() => retrievalMetrics(topK, { relevant } as object)),
    thrown,
  );
});
