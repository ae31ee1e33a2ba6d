/** What the writer refuses: each with its code and words, before any work, and with the rows as they were. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isInfclError } from '../../lib';
import { createStoreWriter, type StoreWriter } from '../../lib/store/store-writer';
import { headerOf, rejection, useFolder } from './files';

const folder = useFolder();
const create = createStoreWriter as (path: unknown, options?: unknown) => Promise<StoreWriter>;
const one = { data: Float32Array.of(1, 2), shape: [1, 2] };

const names = () => readdirSync(dirname(folder.path('x')));

describe('createStoreWriter', () => {
  it.each<[string, unknown, string, string]>([
    ['no options', undefined, 'ERR_TYPE', 'Expected object for options but received undefined'],
    ['no dim', {}, 'ERR_TYPE', 'positive integer for options.dim but received undefined'],
    ['a dim of 0', { dim: 0 }, 'ERR_VALUE', 'positive integer for options.dim'],
    ['a dim that is a text', { dim: '2' }, 'ERR_TYPE', 'options.dim'],
    ['a fraction of a row', { dim: 2, rows: 1.5 }, 'ERR_VALUE', 'positive integer for options.rows'],
    ['rows of null', { dim: 2, rows: null }, 'ERR_TYPE', 'options.rows'],
    ['another dtype', { dim: 2, dtype: 'bf16' }, 'ERR_DTYPE', 'did you mean bfloat16?'],
    ['a dtype that is no text', { dim: 2, dtype: 3 }, 'ERR_DTYPE', 'options.dtype'],
    ['ids that are ids', { dim: 2, ids: Int32Array.of(1) }, 'ERR_TYPE', 'boolean for options.ids'],
    ['overwrite that is no boolean', { dim: 2, overwrite: 1 }, 'ERR_TYPE', 'boolean for options.overwrite'],
    ['an unknown name', { dim: 2, overwrit: true }, 'ERR_OPTION', 'did you mean overwrite?'],
    ['more bytes than 2^53', { dim: 2 ** 40, rows: 2 ** 20 }, 'ERR_SHAPE', 'fewer than 2^53 bytes'],
    ['one row of more bytes than 2^53', { dim: 2 ** 52 }, 'ERR_SHAPE', 'fewer than 2^53 bytes'],
  ])('%s', async (_, options, code, message) => {
    const error = await rejection(create(folder.path('x'), options));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
    expect(names()).toEqual([]);
  });

  it.each<[unknown, string]>([
    [undefined, 'ERR_TYPE'],
    [3, 'ERR_TYPE'],
    [new URL('file:///x'), 'ERR_TYPE'],
    ['', 'ERR_VALUE'],
    ['a\0b', 'ERR_VALUE'],
  ])('the path %p', async (path, code) => {
    const error = await rejection(create(path, { dim: 2 }));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining('for path')]);
  });

  it.each([
    ['a folder that is not there', 'no/x', 'there is no such folder', 'ENOENT'],
    ['a name that is too long', 'x'.repeat(300), 'the path is too long (ENAMETOOLONG)', 'ENAMETOOLONG'],
  ])('%s', async (_, name, message, cause) => {
    const error = await rejection(create(folder.path(name), { dim: 2 }));
    expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining(message)]);
    expect(error.cause).toMatchObject({ code: cause });
    expect(isInfclError(error)).toBe(true);
  });

  it('a second writer of a path, and the first one goes on', async () => {
    const first = await create(folder.path('x'), { dim: 2 });
    const error = await rejection(create(folder.path('x'), { dim: 2, overwrite: true }));
    expect([error.code, error.message]).toEqual([
      'ERR_STORE',
      expect.stringMatching(/another writer is at work, or one was killed and left '.*x\.tmp'/),
    ]);
    await first.append(one);
    await first.commit();
    expect(names()).toEqual(['x']);
  });
});

describe('append', () => {
  it.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, {}, 'ERR_TYPE', 'matrix { data, shape: [rows, dim] } for features'],
    ['an array', Float32Array.of(1, 2), {}, 'ERR_TYPE', 'for features'],
    [
      'rows of another length',
      { ...one, shape: [2, 1] },
      {},
      'ERR_SHAPE',
      'rows of 2 elements for features but received 1',
    ],
    ['float64', { data: new Float64Array(2), shape: [1, 2] }, {}, 'ERR_DTYPE', 'features.data'],
    ['too little data', { ...one, shape: [2, 2] }, {}, 'ERR_SHAPE', 'at least 4 elements for features.data'],
    ['NaN', { data: Float32Array.of(1, Number.NaN), shape: [1, 2] }, {}, 'ERR_NOT_FINITE', 'row 0, column 1'],
    ['ids that nobody wants', one, { ids: Int32Array.of(1) }, 'ERR_OPTION', 'create it with ids: true'],
    ['an unknown option', one, { id: 3 }, 'ERR_OPTION', 'did you mean ids?'],
    ['options that are ids', one, Int32Array.of(1), 'ERR_TYPE', 'object for options'],
  ])('%s', async (_, features, options, code, message) => {
    const writer = await create(folder.path('x'), { dim: 2 });
    const error = await rejection(writer.append(features as typeof one, options as object));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
    expect(writer.shape).toEqual([0, 2]);
    // nothing is lost: the next rows are the first ones
    await writer.append(one);
    await writer.commit();
    expect(new Float32Array(new Uint8Array(readFileSync(writer.path).subarray(4096)).buffer)).toEqual(
      one.data,
    );
  });

  it.each<[string, unknown, string, string]>([
    ['no ids', undefined, 'ERR_TYPE', 'Int32Array, as the store was created with ids: true, for options.ids'],
    ['ids in a plain array', [1], 'ERR_TYPE', 'Int32Array for options.ids'],
    ['ids of 64 bits', BigInt64Array.of(1n), 'ERR_TYPE', 'Int32Array for options.ids'],
    ['too many ids', Int32Array.of(1, 2), 'ERR_SHAPE', 'Expected 1 ids, one for each row, for options.ids'],
  ])('%s', async (_, ids, code, message) => {
    const writer = await create(folder.path('x'), { dim: 2, ids: true });
    const error = await rejection(writer.append(one, { ids: ids as Int32Array }));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
    await writer.append(one, { ids: Int32Array.of(4) });
    await writer.commit();
    expect((await headerOf(writer.path)).ids).toEqual({ offset: 4104, count: 1 });
  });

  it('float16 for a store of bfloat16', async () => {
    const writer = await create(folder.path('x'), { dim: 2, dtype: 'bfloat16' });
    const features = { data: Uint16Array.of(1, 2), shape: [1, 2], dtype: 'float16' } as const;
    expect((await rejection(writer.append(features))).code).toBe('ERR_DTYPE');
    await writer.abort();
  });

  it('more rows than were announced', async () => {
    const writer = await create(folder.path('x'), { dim: 2, rows: 2 });
    await writer.append(one);
    const error = await rejection(writer.append({ data: new Float32Array(4), shape: [2, 2] }));
    expect([error.code, error.message]).toEqual([
      'ERR_SHAPE',
      expect.stringContaining('at most 1 more rows'),
    ]);
    await writer.append(one);
    await writer.commit();
  });

  it('while another append runs, and the first one is whole', async () => {
    const writer = await create(folder.path('x'), { dim: 2 });
    const first = writer.append(one);
    const refused = await Promise.all([rejection(writer.append(one)), rejection(writer.commit())]);
    expect(refused.map(({ code, message }) => [code, message])).toEqual([
      ['ERR_STORE', expect.stringContaining('append still runs; await it before append')],
      ['ERR_STORE', expect.stringContaining('append still runs; await it before commit')],
    ]);
    await first;
    await writer.commit();
    expect((await headerOf(writer.path)).rows).toBe(1);
  });
});

describe('an order that makes no sense', () => {
  it('commit without rows, or without all of them; rows may follow', async () => {
    const writer = await create(folder.path('x'), { dim: 2, rows: 2 });
    expect((await rejection(writer.commit())).message).toContain('it has no rows; append some first');
    await writer.append(one);
    const error = await rejection(writer.commit());
    expect([error.code, error.message]).toEqual([
      'ERR_STORE',
      expect.stringContaining('it has 1 of its 2 rows'),
    ]);
    await writer.append(one);
    await writer.commit();
    expect(names()).toEqual(['x']);
  });

  it('anything after commit, and the file stays as it is', async () => {
    const writer = await create(folder.path('x'), { dim: 2 });
    await writer.append(one);
    await writer.commit();
    const before = readFileSync(writer.path);
    for (const call of [() => writer.commit(), () => writer.append(one)]) {
      const error = await rejection(call());
      expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining('it was committed')]);
    }
    expect(readFileSync(writer.path).equals(before)).toBe(true);
  });

  it('anything after dispose', async () => {
    const writer = await create(folder.path('x'), { dim: 2 });
    writer.dispose();
    for (const call of [() => writer.commit(), () => writer.append(one)]) {
      const error = await rejection(call());
      expect([Object.getPrototypeOf(error), error.code]).toEqual([TypeError.prototype, 'ERR_DISPOSED']);
    }
  });
});
