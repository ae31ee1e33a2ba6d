/** What mineHardNegatives refuses: options, ids, positives, features, and parts of keys. */
import { expectError, type Thrown } from '../lib/fake-binding';
import { normalRows } from '../reference/features';
import { bad, ints, rejection } from './mining-errors';

const queries = normalRows(3, 4, 1);
const keys = normalRows(6, 4, 2);

it.each<[string, unknown, Thrown]>([
  [
    'no options',
    undefined,
    bad(TypeError, 'ERR_TYPE', 'positive integer for options.count but received undefined'),
  ],
  ['another type of options', 5, bad(TypeError, 'ERR_TYPE', 'object for options')],
  ['an unknown name', { count: 1, num_negatives: 1 }, bad(TypeError, 'ERR_OPTION', 'num_negatives')],
  ['count 0', { count: 0 }, bad(RangeError, 'ERR_VALUE', 'options.count')],
  ['count in text', { count: '3' }, bad(TypeError, 'ERR_TYPE', 'options.count')],
  [
    'more than all keys',
    { count: 7 },
    bad(RangeError, 'ERR_VALUE', 'Expected at most 6, the number of keys, for options.count'),
  ],
  [
    'a range that is a number',
    { count: 1, range: 10 },
    bad(TypeError, 'ERR_TYPE', 'array [min, max] for options.range'),
  ],
  [
    'a range of one number',
    { count: 1, range: [10] },
    bad(RangeError, 'ERR_SHAPE', '[min, Infinity] has no end'),
  ],
  ['a negative min', { count: 1, range: [-1, 5] }, bad(RangeError, 'ERR_VALUE', 'options.range[0]')],
  [
    'an infinite min',
    { count: 1, range: [Infinity, Infinity] },
    bad(RangeError, 'ERR_VALUE', 'options.range[0]'),
  ],
  ['half a key', { count: 1, range: [0, 2.5] }, bad(RangeError, 'ERR_VALUE', 'options.range[1]')],
  ['a range without room', { count: 3, range: [2, 4] }, bad(RangeError, 'ERR_VALUE', 'room for 3 negatives')],
  ['margin NaN', { count: 1, margin: Number.NaN }, bad(RangeError, 'ERR_VALUE', 'options.margin')],
  ['margin in text', { count: 1, margin: '0.1' }, bad(TypeError, 'ERR_TYPE', 'options.margin')],
  [
    'a relative margin in percent',
    { count: 1, relativeMargin: 5 },
    bad(RangeError, 'ERR_VALUE', 'number from 0 to 1 for options.relativeMargin'),
  ],
  [
    'a negative relative margin',
    { count: 1, relativeMargin: -0.1 },
    bad(RangeError, 'ERR_VALUE', 'options.relativeMargin'),
  ],
  [
    'an infinite maxScore',
    { count: 1, maxScore: Infinity },
    bad(RangeError, 'ERR_VALUE', 'options.maxScore'),
  ],
  ['minScore in text', { count: 1, minScore: '0' }, bad(TypeError, 'ERR_TYPE', 'options.minScore')],
  [
    'minScore above maxScore',
    { count: 1, minScore: 0.5, maxScore: 0.25 },
    bad(RangeError, 'ERR_VALUE', 'at most 0.25, options.maxScore, for options.minScore'),
  ],
  [
    'another sampling',
    { count: 1, sampling: 'best' },
    bad(RangeError, 'ERR_VALUE', 'one of top, random for options.sampling'),
  ],
  ['sampling that is no text', { count: 1, sampling: 1 }, bad(TypeError, 'ERR_TYPE', 'options.sampling')],
  ['random among all keys', { count: 1, sampling: 'random' }, bad(RangeError, 'ERR_VALUE', 'finite max')],
  [
    'random without an end',
    { count: 1, sampling: 'random', range: [2, Infinity] },
    bad(RangeError, 'ERR_VALUE', 'finite max'),
  ],
  [
    'a seed of the best',
    { count: 1, seed: 1 },
    bad(RangeError, 'ERR_VALUE', "options.sampling 'random' beside options.seed"),
  ],
  [
    'half a seed',
    { count: 1, sampling: 'random', range: [0, 3], seed: 0.5 },
    bad(RangeError, 'ERR_VALUE', 'options.seed'),
  ],
  [
    'a large seed',
    { count: 1, sampling: 'random', range: [0, 3], seed: 2 ** 32 },
    bad(RangeError, 'ERR_VALUE', 'up to 4294967295'),
  ],
  [
    'queryIds alone',
    { count: 1, queryIds: ints(1, 2, 3) },
    bad(RangeError, 'ERR_VALUE', 'keyIds is missing'),
  ],
  [
    'keyIds alone',
    { count: 1, keyIds: ints(1, 2, 3, 4, 5, 6) },
    bad(RangeError, 'ERR_VALUE', 'queryIds is missing'),
  ],
  [
    'plain ids',
    { count: 1, queryIds: [1, 2, 3], keyIds: ints(1, 2, 3, 4, 5, 6) },
    bad(TypeError, 'ERR_TYPE', 'options.queryIds'),
  ],
  [
    'too few queryIds',
    { count: 1, queryIds: ints(1), keyIds: ints(1, 2, 3, 4, 5, 6) },
    bad(RangeError, 'ERR_SHAPE', '3 options.queryIds, one per query'),
  ],
  [
    'too few keyIds',
    { count: 1, queryIds: ints(1, 2, 3), keyIds: ints(1) },
    bad(RangeError, 'ERR_SHAPE', '6 options.keyIds, one per key'),
  ],
  ['no threads', { count: 1, threads: 0 }, bad(RangeError, 'ERR_VALUE', 'options.threads')],
  ['no workspace', { count: 1, workspaceBytes: 0 }, bad(RangeError, 'ERR_VALUE', 'options.workspaceBytes')],
  ['another signal', { count: 1, signal: {} }, bad(TypeError, 'ERR_TYPE', 'AbortSignal for options.signal')],
  ['onProgress that is none', { count: 1, onProgress: 1 }, bad(TypeError, 'ERR_TYPE', 'options.onProgress')],
  ['positives in text', { count: 1, positives: 'none' }, bad(TypeError, 'ERR_TYPE', 'options.positives')],
  ['plain positives', { count: 1, positives: [0, 1, 2] }, bad(TypeError, 'ERR_TYPE', 'options.positives')],
  ['too few positives', { count: 1, positives: ints(0) }, bad(RangeError, 'ERR_SHAPE', 'options.positives')],
  [
    'a positive that is -1',
    { count: 1, positives: ints(0, -1, 2) },
    bad(RangeError, 'ERR_VALUE', 'options.positives[1]'),
  ],
  [
    'a positive that is no key',
    { count: 1, positives: ints(0, 6, 2) },
    bad(RangeError, 'ERR_VALUE', 'key from 0 to 5'),
  ],
  [
    'unknown lists',
    { count: 1, positives: { offset: ints(0) } },
    bad(TypeError, 'ERR_OPTION', 'options.positives'),
  ],
  [
    'too few offsets',
    { count: 1, positives: { offsets: ints(0, 1), keys: ints(1) } },
    bad(RangeError, 'ERR_SHAPE', 'options.positives.offsets'),
  ],
  [
    'offsets that fall',
    { count: 1, positives: { offsets: ints(0, 2, 1, 2), keys: ints(1, 2) } },
    bad(RangeError, 'ERR_VALUE', 'options.positives.offsets[2]'),
  ],
  [
    'a key twice',
    { count: 1, positives: { offsets: ints(0, 2, 2, 2), keys: ints(1, 1) } },
    bad(RangeError, 'ERR_VALUE', 'options.positives.keys'),
  ],
  [
    'a margin without a positive',
    { count: 1, margin: 0, positives: { offsets: ints(0, 1, 1, 2), keys: ints(1, 2) } },
    bad(RangeError, 'ERR_VALUE', 'query 1 has none'),
  ],
  [
    'a relative margin without one',
    { count: 1, relativeMargin: 0, positives: { offsets: ints(0, 0, 0, 0), keys: ints() } },
    bad(RangeError, 'ERR_VALUE', 'beside options.relativeMargin'),
  ],
])('refuses %s', async (_, options, thrown) => {
  expectError(await rejection(queries, keys, options), thrown);
});

const nan = { data: keys.data.map((value, i) => (i === 9 ? Number.NaN : value)), shape: keys.shape };

it.each<[string, unknown, unknown, Thrown]>([
  ['no queries', undefined, keys, bad(TypeError, 'ERR_TYPE', 'for queries but received undefined')],
  ['a plain array of keys', queries, [[1, 2, 3, 4]], bad(TypeError, 'ERR_TYPE', 'packRows(keys)')],
  [
    'flat keys',
    queries,
    keys.data,
    bad(TypeError, 'ERR_TYPE', 'matrix { data, shape: [rows, dim] } for keys'),
  ],
  [
    'a promise of keys',
    queries,
    Promise.resolve(keys),
    bad(TypeError, 'ERR_TYPE', 'await the promise first'),
  ],
  ['keys in text', queries, 'keys', bad(TypeError, 'ERR_TYPE', 'for keys')],
  [
    'another dim',
    queries,
    normalRows(6, 5, 1),
    bad(RangeError, 'ERR_SHAPE', 'Expected dim 4, as queries has, for keys'),
  ],
  [
    'NaN in keys',
    queries,
    nan,
    bad(RangeError, 'ERR_NOT_FINITE', 'for keys but received NaN or Infinity at row 2, column 1'),
  ],
  [
    'NaN in a part',
    queries,
    [{ firstKey: 0, keys: nan }],
    bad(RangeError, 'ERR_NOT_FINITE', 'at row 2, column 1 (keys are those of keys[0].keys)'),
  ],
  ['NaN in queries', nan, normalRows(6, 4, 5), bad(RangeError, 'ERR_NOT_FINITE', 'for queries')],
  ['fewer keys than queries', queries, normalRows(2, 4, 1), bad(RangeError, 'ERR_SHAPE', 'at least 3 keys')],
])('refuses %s', async (_, first, second, thrown) => {
  expectError(await rejection(first, second, { count: 1 }), thrown);
});

it('names the positives among which a margin finds NaN, as rows of the caller', async () => {
  const part = { firstKey: 0, keys: nan };
  const error = await rejection(queries, [part], { count: 1, margin: 0, positives: ints(1, 2, 4) });
  expectError(error, bad(RangeError, 'ERR_NOT_FINITE', 'positives from key 1 to 4, in keys[0].keys'));
});
