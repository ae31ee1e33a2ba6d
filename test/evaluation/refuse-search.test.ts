/** What topK and ranks refuse, before any work: each error has its code and says what to do. */
import { type RanksOptions, ranks, type TopKOptions, topK } from '../../lib';
import type { HostFeatures } from '../../lib/matrix/host-matrix';
import { expectError, type Thrown } from '../lib/fake-binding';
import { normalRows, unitRows } from '../reference/features';

const bad = (type: typeof Error, code: string, message: string): Thrown => ({ type, code, message });
const ints = (...values: number[]) => Int32Array.from(values);

const queries = unitRows(normalRows(4, 3, 1));
const keys = unitRows(normalRows(6, 3, 2));

type Search = (queries: HostFeatures, keys: HostFeatures, options?: object) => Promise<unknown>;
const searches: [string, Search][] = [
  ['topK', (q, n, options) => topK(q, n, 2, options as TopKOptions)],
  ['ranks', (q, n, options) => ranks(q, n, options as RanksOptions)],
];

/** Every function returns a promise and never throws. */
async function rejection(promise: Promise<unknown>) {
  return promise.then(
    () => new Error('no error') as never,
    (error) => error,
  );
}

const withNumber = (value: number) => ({
  data: keys.data.map((old, i) => (i === 7 ? value : old)),
  shape: [6, 3],
});
const detached = () => {
  const data = new Float32Array(18);
  structuredClone(data, { transfer: [data.buffer] });
  return { data, shape: [6, 3] };
};

const features: [string, unknown, Thrown][] = [
  ['no matrix', 5, bad(TypeError, 'ERR_TYPE', 'matrix { data, shape: [rows, dim] } for keys')],
  ['null', null, bad(TypeError, 'ERR_TYPE', 'for keys but received null')],
  [
    'too few elements',
    { data: new Float32Array(5), shape: [6, 3] },
    bad(RangeError, 'ERR_SHAPE', 'keys.data'),
  ],
  ['float64', { data: new Float64Array(18), shape: [6, 3] }, bad(TypeError, 'ERR_DTYPE', 'keys.data')],
  ['a detached buffer', detached(), bad(TypeError, 'ERR_DETACHED', 'keys.data')],
  [
    'another dim',
    unitRows(normalRows(6, 4, 2)),
    bad(RangeError, 'ERR_SHAPE', 'equal dim but received 3 and 4'),
  ],
  [
    'NaN',
    withNumber(Number.NaN),
    bad(RangeError, 'ERR_NOT_FINITE', 'keys but received NaN or Infinity at row 2, column 1'),
  ],
  ['infinity', withNumber(Infinity), bad(RangeError, 'ERR_NOT_FINITE', 'at row 2, column 1')],
];

const options: [string, unknown, Thrown][] = [
  ['no object', 5, bad(TypeError, 'ERR_TYPE', 'object for options')],
  ['an unknown name', { keyIDs: ints(1) }, bad(TypeError, 'ERR_OPTION', 'did you mean keyIds?')],
  ['a signal that is none', { signal: 5 }, bad(TypeError, 'ERR_TYPE', 'AbortSignal for options.signal')],
  ['no callback', { onProgress: 5 }, bad(TypeError, 'ERR_TYPE', 'function for options.onProgress')],
  ['no threads', { threads: 0 }, bad(RangeError, 'ERR_VALUE', 'options.threads')],
  ['too many threads', { threads: 1025 }, bad(RangeError, 'ERR_VALUE', 'options.threads')],
  ['no workspace', { workspaceBytes: 0 }, bad(RangeError, 'ERR_VALUE', 'options.workspaceBytes')],
  ['a workspace of 1 byte', { workspaceBytes: 1 }, bad(RangeError, 'ERR_WORKSPACE', 'for workspaceBytes')],
  ['keyIds of another type', { keyIds: [1, 2] }, bad(TypeError, 'ERR_TYPE', 'Int32Array for options.keyIds')],
  [
    'too few keyIds',
    { keyIds: ints(1, 2) },
    bad(RangeError, 'ERR_SHAPE', '6 elements for options.keyIds but received 2'),
  ],
  [
    'too few queryIds',
    { queryIds: ints(1), keyIds: new Int32Array(6) },
    bad(RangeError, 'ERR_SHAPE', '4 elements for options.queryIds but received 1'),
  ],
];

describe.each(searches)('%s', (_, search) => {
  it.each(features)('refuses features: %s', async (__, given, thrown) => {
    expectError(await rejection(search(queries, given as HostFeatures)), thrown);
    const ofQueries = { ...thrown, message: String(thrown.message).replaceAll('keys', 'queries') };
    if (thrown.message.toString().includes('equal dim')) ofQueries.message = 'equal dim but received 4 and 3';
    expectError(await rejection(search(given as HostFeatures, keys)), ofQueries);
  });

  it.each(options)('refuses options: %s', async (__, given, thrown) => {
    expectError(await rejection(search(queries, keys, given as object)), thrown);
  });

  it('refuses rows whose products float32 cannot hold', async () => {
    const long = { data: keys.data.map((value) => value * 1e20), shape: [6, 3] };
    const message = 'Expected scores that float32 can hold but lengths of rows allow 1e+40: normalise';
    expectError(
      await rejection(search({ ...long, shape: [6, 3] }, long)),
      bad(RangeError, 'ERR_NOT_FINITE', message),
    );
  });

  it('rejects with the reason of a signal that has aborted', async () => {
    expect(await rejection(search(queries, keys, { signal: AbortSignal.abort('enough') }))).toBe('enough');
  });
});

describe('k of topK', () => {
  it.each<[unknown, Thrown]>([
    ['2', bad(TypeError, 'ERR_TYPE', 'positive integer up to 6 for k')],
    [undefined, bad(TypeError, 'ERR_TYPE', 'for k but received undefined')],
    [0, bad(RangeError, 'ERR_VALUE', 'positive integer up to 6 for k')],
    [1.5, bad(RangeError, 'ERR_VALUE', 'for k')],
    [7, bad(RangeError, 'ERR_VALUE', 'positive integer up to 6 for k but received 7')],
  ])('refuses %p', async (k, thrown) => {
    expectError(await rejection(topK(queries, keys, k as number)), thrown);
  });
});

describe('ids of topK', () => {
  const [queryIds, keyIds] = [new Int32Array(4), new Int32Array(6)];
  it.each<[string, TopKOptions, Thrown]>([
    [
      'queryIds alone',
      { queryIds },
      bad(RangeError, 'ERR_VALUE', 'options.excludeIds: true beside options.queryIds'),
    ],
    [
      'ids without excludeIds',
      { queryIds, keyIds },
      bad(RangeError, 'ERR_VALUE', 'options.excludeIds: true'),
    ],
    [
      'ids with excludeIds: false',
      { queryIds, keyIds, excludeIds: false },
      bad(RangeError, 'ERR_VALUE', 'options.excludeIds: true'),
    ],
    ['excludeIds alone', { excludeIds: true }, bad(RangeError, 'ERR_VALUE', 'but queryIds is missing')],
    [
      'excludeIds without keyIds',
      { excludeIds: true, queryIds },
      bad(RangeError, 'ERR_VALUE', 'but keyIds is missing'),
    ],
    [
      'excludeIds without queryIds',
      { excludeIds: true, keyIds },
      bad(RangeError, 'ERR_VALUE', 'but queryIds is missing'),
    ],
    [
      'excludeIds of another type',
      { excludeIds: 1 as never },
      bad(TypeError, 'ERR_TYPE', 'boolean for options.excludeIds'),
    ],
    ['positives', { positives: queryIds } as never, bad(TypeError, 'ERR_OPTION', 'positives in options')],
  ])('refuses %s', async (_, given, thrown) => {
    expectError(await rejection(topK(queries, keys, 2, given)), thrown);
  });
});

describe('positives and ids of ranks', () => {
  const one = { offsets: ints(0, 1, 2, 3, 4), keys: ints(0, 1, 2, 3) };
  it.each<[string, object, Thrown]>([
    [
      'queryIds alone',
      { queryIds: new Int32Array(4) },
      bad(RangeError, 'ERR_VALUE', 'options.keyIds beside options.queryIds'),
    ],
    ['excludeIds', { excludeIds: true }, bad(TypeError, 'ERR_OPTION', 'excludeIds in options')],
    ['no lists', { positives: 5 }, bad(TypeError, 'ERR_TYPE', 'object for options.positives')],
    ['a plain array', { positives: [1] }, bad(TypeError, 'ERR_TYPE', 'object for options.positives')],
    [
      'too few',
      { positives: ints(1, 2) },
      bad(RangeError, 'ERR_SHAPE', '4 elements for options.positives but received 2'),
    ],
    [
      'below 0',
      { positives: ints(1, -1, 0, 0) },
      bad(RangeError, 'ERR_VALUE', 'key index from 0 to 5 for options.positives[1]'),
    ],
    [
      'beyond the keys',
      { positives: ints(1, 1, 6, 0) },
      bad(RangeError, 'ERR_VALUE', 'options.positives[2] but received 6'),
    ],
    [
      'an unknown name',
      { positives: { ...one, key: 1 } },
      bad(TypeError, 'ERR_OPTION', 'key in options.positives'),
    ],
    [
      'offsets of another length',
      { positives: { ...one, offsets: ints(0, 4) } },
      bad(RangeError, 'ERR_SHAPE', '5 elements for options.positives.offsets but received 2'),
    ],
    [
      'offsets that fall',
      { positives: { ...one, offsets: ints(0, 2, 1, 3, 4) } },
      bad(RangeError, 'ERR_VALUE', 'options.positives.offsets[2]'),
    ],
    [
      'a key twice',
      { positives: { offsets: ints(0, 2, 3, 4, 5), keys: ints(1, 1, 2, 3, 4) } },
      bad(RangeError, 'ERR_VALUE', 'each key once for query 0'),
    ],
    [
      'a listed key beyond the keys',
      { positives: { ...one, keys: ints(0, 1, 2, 6) } },
      bad(RangeError, 'ERR_VALUE', 'key index from 0 to 5 for options.positives.keys[3] but received 6'),
    ],
    [
      'a query without a positive',
      { positives: { ...one, offsets: ints(0, 1, 1, 3, 4) } },
      bad(
        RangeError,
        'ERR_VALUE',
        'at least one positive of query 1 in options.positives but received none; leave the query out',
      ),
    ],
  ])('refuses %s', async (_, given, thrown) => {
    expectError(await rejection(ranks(queries, keys, given)), thrown);
  });

  it('refuses fewer keys than queries where key i is the positive', async () => {
    const message = 'at least as many keys as queries (6) without options.positives but received 4';
    expectError(await rejection(ranks(keys, queries)), bad(RangeError, 'ERR_SHAPE', message));
    await expect(ranks(keys, queries, { positives: new Int32Array(6) })).resolves.toBeDefined();
  });
});
