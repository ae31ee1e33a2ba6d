/** What mineHardNegatives refuses of keys in parts, and what stops it between parts. */
import { expectError, type Thrown } from '../lib/fake-binding';
import { normalRows } from '../reference/features';
import { bad, ints, rejection } from './mining-errors';

const queries = normalRows(3, 4, 1);
const keys = normalRows(6, 4, 2);
const part = (firstKey: number, rows: number) => ({ firstKey, keys: normalRows(rows, 4, 3) });

it.each<[string, unknown, Thrown]>([
  ['no parts', [], bad(RangeError, 'ERR_CHUNKS', 'at least one part of keys')],
  ['no parts of a function', () => [], bad(RangeError, 'ERR_CHUNKS', 'at least one part of keys')],
  [
    'a function without parts',
    () => 5,
    bad(TypeError, 'ERR_TYPE', 'iterable of parts { firstKey, keys } for keys()'),
  ],
  ['a function with a promise', async () => [part(0, 3)], bad(TypeError, 'ERR_TYPE', 'async function*')],
  ['a function that returns a matrix', () => keys, bad(TypeError, 'ERR_TYPE', 'iterable of parts')],
  ['a part that is a number', [5], bad(TypeError, 'ERR_TYPE', 'part { firstKey, keys } for keys[0]')],
  ['a matrix in place of a part', [keys], bad(TypeError, 'ERR_TYPE', '{ firstKey, keys: matrix } is a part')],
  [
    'an unknown name',
    [{ ...part(0, 6), offset: 0 }],
    bad(TypeError, 'ERR_OPTION', 'Unknown name offset in keys[0]'),
  ],
  ['no firstKey', [{ keys }], bad(TypeError, 'ERR_TYPE', 'keys[0].firstKey')],
  ['a negative firstKey', [part(0, 3), part(-1, 3)], bad(RangeError, 'ERR_VALUE', 'keys[1].firstKey')],
  [
    'more keys than an index can name',
    [part(2 ** 31 - 3, 3)],
    bad(RangeError, 'ERR_VALUE', 'at most 2147483644'),
  ],
  [
    'a key twice',
    [part(0, 4), part(3, 4)],
    bad(RangeError, 'ERR_CHUNKS', 'key 3, in keys[1].keys, has come before'),
  ],
  [
    'a part within another one',
    [part(0, 9), part(3, 2)],
    bad(RangeError, 'ERR_CHUNKS', 'key 3, in keys[1].keys'),
  ],
  ['a gap', [part(0, 3), part(5, 2)], bad(RangeError, 'ERR_CHUNKS', 'keys 3 to 4 are in none')],
  ['no beginning', [part(2, 4)], bad(RangeError, 'ERR_CHUNKS', 'keys 0 to 1 are in none')],
  [
    'another dim',
    [part(0, 3), { firstKey: 3, keys: normalRows(3, 5, 1) }],
    bad(RangeError, 'ERR_SHAPE', 'for keys[1].keys'),
  ],
  ['too few keys', [part(0, 2)], bad(RangeError, 'ERR_SHAPE', 'at least 3 keys')],
])('refuses parts: %s', async (_, parts, thrown) => {
  expectError(await rejection(queries, parts, { count: 1 }), thrown);
});

it('refuses parts that do not fit the options once their number is known', async () => {
  const parts = [part(0, 3), part(3, 3)];
  const ids = { queryIds: ints(1, 2, 3) };
  const refused = (options: object) => rejection(queries, parts, options);
  expectError(await refused({ count: 7 }), bad(RangeError, 'ERR_VALUE', 'at most 6, the number of keys'));
  const fewer = { count: 1, ...ids, keyIds: ints(1, 2, 3, 4, 5) };
  expectError(
    await refused(fewer),
    bad(RangeError, 'ERR_SHAPE', 'received 5 ids, and keys[1].keys has keys up to 5'),
  );
  const more = { count: 1, ...ids, keyIds: ints(1, 2, 3, 4, 5, 6, 7) };
  expectError(await refused(more), bad(RangeError, 'ERR_SHAPE', '6 options.keyIds, one per key'));
  const beyond = { count: 1, positives: ints(0, 1, 6) };
  expectError(await refused(beyond), bad(RangeError, 'ERR_VALUE', 'key from 0 to 5'));
});

it('refuses an iterator where margins need the keys twice, before anything is read', async () => {
  const iterator = [part(0, 6)][Symbol.iterator]();
  const error = await rejection(queries, iterator, { count: 1, margin: 0 });
  expectError(error, bad(RangeError, 'ERR_VALUE', 'pass a function that returns the parts'));
  expect(iterator.next().done).toBe(false);
});

it('refuses other keys in the second reading', async () => {
  let readings = 0;
  const parts = () => [part(0, readings++ === 0 ? 6 : 5), part(6, 2)];
  const error = await rejection(queries, parts, { count: 1, margin: 0 });
  expectError(error, bad(RangeError, 'ERR_CHUNKS', 'keys 5 to 5 are in none'));
  const fewer = () => [part(0, readings++ % 2 === 0 ? 6 : 5)];
  readings = 0;
  const other = await rejection(queries, fewer, { count: 1, margin: 0 });
  expectError(
    other,
    bad(RangeError, 'ERR_CHUNKS', '6 keys in the second reading, as in the first one, but received 5'),
  );
});

describe('stops', () => {
  const parts = (events: string[]) =>
    async function* () {
      try {
        yield part(0, 3);
        events.push('second part');
        yield part(3, 3);
      } finally {
        events.push('closed');
      }
    };

  it('at a signal that has aborted, before anything is read', async () => {
    const events: string[] = [];
    const options = { count: 1, signal: AbortSignal.abort('enough') };
    expect(await rejection(queries, parts(events), options)).toBe('enough');
    expect(events).toEqual([]);
  });

  it('at a signal that aborts between parts, and closes the iterable', async () => {
    const events: string[] = [];
    const controller = new AbortController();
    const onProgress = () => controller.abort('enough');
    expect(await rejection(queries, parts(events), { count: 1, signal: controller.signal, onProgress })).toBe(
      'enough',
    );
    expect(events).toEqual(['closed']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no more');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no more');
      },
    ],
  ])('when onProgress %s', async (_, onProgress) => {
    for (const margin of [undefined, 0]) {
      const events: string[] = [];
      const error = await rejection(queries, parts(events), { count: 1, margin, onProgress });
      expect(error).toMatchObject({ message: 'no more' });
      expect(events).toEqual(['closed']);
    }
  });

  it('at queries that were transferred away', async () => {
    const given = { data: queries.data.slice(), shape: queries.shape };
    const lose = function* () {
      yield part(0, 3);
      structuredClone(given.data, { transfer: [given.data.buffer] });
      yield part(3, 3);
    };
    const error = await rejection(given, lose, { count: 1 });
    expectError(error, bad(TypeError, 'ERR_DETACHED', 'The buffer of queries.data was detached'));
  });
});
