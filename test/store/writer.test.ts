/** The writer: what it writes is read back to the bit, and a file is there whole or not at all. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DType } from '../../lib/matrix/host-matrix';
import { createStoreWriter, isStoreWriter } from '../../lib/store/store-writer';
import { makePair } from '../reference/inputs';
import { narrow } from '../reference/narrow';
import { headerOf, rejection, useFolder } from './files';

const folder = useFolder();
const namesBeside = (path: string) => readdirSync(dirname(path)).sort();

const floats = (rows: number, dim: number, seed = 1) => {
  const { data } = makePair({ rows, dim, seed }).queries;
  return { data, shape: [rows, dim] as const };
};

/** Features and ids of a file, as numbers or bits. */
async function readBack(path: string) {
  const { dtype, rows, dim, offset, ids } = await headerOf(path);
  const bytes = readFileSync(path);
  const slice = (begin: number, length: number) =>
    new Uint8Array(bytes.subarray(begin, begin + length)).buffer;
  const elements = rows * dim;
  const data =
    dtype === 'float32'
      ? new Float32Array(slice(offset, 4 * elements))
      : new Uint16Array(slice(offset, 2 * elements));
  return { data, dtype, shape: [rows, dim], ids: ids && new Int32Array(slice(ids.offset, 4 * ids.count)) };
}

describe('writes', () => {
  it('float32 from several appends, page-aligned, and leaves nothing else', async () => {
    const path = folder.path('a.safetensors');
    const writer = await createStoreWriter(path, { dim: 8 });
    const all = floats(10, 8);
    await writer.append({ data: all.data.subarray(0, 24), shape: [3, 8] });
    expect(writer.shape).toEqual([3, 8]);
    await writer.append({ data: all.data.subarray(24), shape: [7, 8] });
    expect(existsSync(path)).toBe(false);
    await writer.commit();
    expect([writer.committed, writer.path, writer.dtype]).toEqual([true, path, 'float32']);
    expect((await headerOf(path)).offset).toBe(4096);
    expect(await readBack(path)).toEqual({ data: all.data, dtype: 'float32', shape: [10, 8], ids: null });
    expect(namesBeside(path)).toEqual(['a.safetensors']);
  });

  it.each(['float16', 'bfloat16'] as const)('%s, converted and as it is, with ids', async (dtype) => {
    const path = folder.path('b');
    const writer = await createStoreWriter(path, { dim: 3, dtype, ids: true });
    const all = floats(5, 3);
    const { bits } = narrow({ data: all.data, shape: [5, 3] }, dtype);
    await writer.append({ data: all.data.subarray(0, 6), shape: [2, 3] }, { ids: Int32Array.of(7, -1) });
    await writer.append(
      { data: bits.data.subarray(6), shape: [3, 3], dtype },
      { ids: Int32Array.of(2 ** 31 - 1, -(2 ** 31), 0) },
    );
    await writer.commit();
    const ids = Int32Array.of(7, -1, 2 ** 31 - 1, -(2 ** 31), 0);
    expect(await readBack(path)).toEqual({ data: bits.data, dtype, shape: [5, 3], ids });
    // 15 elements of 2 bytes end between two int32
    expect((await headerOf(path)).ids!.offset % 4).toBe(0);
  });

  it('float32 from 16 bits, exactly', async () => {
    const writer = await createStoreWriter(folder.path('c'), { dim: 2 });
    await writer.append({ data: Uint16Array.of(0x3c00, 0x0001), shape: [1, 2], dtype: 'float16' });
    await writer.append({ data: Uint16Array.of(0x3f80, 0x0001), shape: [1, 2], dtype: 'bfloat16' });
    await writer.commit();
    const { data } = await readBack(folder.path('c'));
    expect([...data]).toEqual([1, 2 ** -24, 1, 2 ** -133]);
  });

  it('ids by the thousand, each from an append of its own', async () => {
    const writer = await createStoreWriter(folder.path('d'), { dim: 1, ids: true });
    for (let i = 0; i < 2500; i++) {
      await writer.append({ data: Float32Array.of(i), shape: [1, 1] }, { ids: Int32Array.of(-i) });
    }
    await writer.commit();
    const { data, ids } = await readBack(folder.path('d'));
    expect([...data]).toEqual([...ids!].map(Math.abs));
    expect(ids).toHaveLength(2500);
  });

  it('blocks of several MiB, with gaps between the rows of the caller', async () => {
    const [rows, dim, rowStride] = [3000, 300, 303];
    const all = floats(rows, rowStride);
    const writer = await createStoreWriter(folder.path('e'), { dim, rows });
    await writer.append({ data: all.data, shape: [rows, dim], rowStride });
    await writer.commit();
    const { data } = await readBack(folder.path('e'));
    const expected = all.data.filter((_, i) => i % rowStride < dim);
    expect(Buffer.from(data.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
  });

  it('the rows as they were when they were copied: ids may change while the append runs', async () => {
    const writer = await createStoreWriter(folder.path('f'), { dim: 1, ids: true });
    const ids = Int32Array.of(1);
    const appended = writer.append({ data: Float32Array.of(1), shape: [1, 1] }, { ids });
    ids[0] = 9;
    await appended;
    await writer.commit();
    expect((await readBack(folder.path('f'))).ids).toEqual(Int32Array.of(1));
  });
});

describe('a file at the path', () => {
  it('is refused, at once and on commit, and stays as it was', async () => {
    const path = folder.path('old');
    writeFileSync(path, 'old');
    const error = await rejection(createStoreWriter(path, { dim: 1 }));
    expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining('overwrite: true')]);
    const later = folder.path('later');
    const writer = await createStoreWriter(later, { dim: 1 });
    await writer.append({ data: Float32Array.of(1), shape: [1, 1] });
    writeFileSync(later, 'in between');
    expect((await rejection(writer.commit())).message).toContain('the file exists');
    expect(readFileSync(later, 'utf8')).toBe('in between');
    await writer.abort();
    expect(namesBeside(path)).toEqual(['later', 'old']);
  });

  it('is replaced on commit and not before, and readers of the old file keep the old file', async () => {
    const path = folder.path('old');
    writeFileSync(path, 'old');
    const writer = await createStoreWriter(path, { dim: 1, overwrite: true });
    await writer.append({ data: Float32Array.of(5), shape: [1, 1] });
    expect(readFileSync(path, 'utf8')).toBe('old');
    await writer.commit();
    expect([...(await readBack(path)).data]).toEqual([5]);
  });

  it('that is a folder is never replaced', async () => {
    mkdirSync(folder.path('x'));
    const error = await rejection(createStoreWriter(folder.path('x'), { dim: 1, overwrite: true }));
    expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining('this is a folder')]);
  });

  it('that is a link is replaced itself, and its target stays', async () => {
    writeFileSync(folder.path('target'), 'old');
    symlinkSync(folder.path('target'), folder.path('link'));
    const writer = await createStoreWriter(folder.path('link'), { dim: 1, overwrite: true });
    await writer.append({ data: Float32Array.of(5), shape: [1, 1] });
    await writer.commit();
    expect(readFileSync(folder.path('target'), 'utf8')).toBe('old');
    expect([...(await readBack(folder.path('link'))).data]).toEqual([5]);
  });
});

describe('an end without a file', () => {
  const one = { data: Float32Array.of(1), shape: [1, 1] };

  it.each(['dispose', 'abort'] as const)(
    '%s removes the temporary file, and may be repeated',
    async (name) => {
      const writer = await createStoreWriter(folder.path('x'), { dim: 1 });
      await writer.append(one);
      expect(namesBeside(writer.path)).toEqual(['x.tmp']);
      await writer[name]();
      await writer[name]();
      expect([writer.disposed, namesBeside(writer.path)]).toEqual([true, []]);
      // the path is free again
      await (await createStoreWriter(folder.path('x'), { dim: 1 })).abort();
    },
  );

  it('after a commit, dispose does nothing', async () => {
    const writer = await createStoreWriter(folder.path('x'), { dim: 1 });
    await writer.append(one);
    await writer.commit();
    writer.dispose();
    await writer.abort();
    expect([writer.disposed, writer.committed, namesBeside(writer.path)]).toEqual([false, true, ['x']]);
  });

  it('at the end of a block that it was `using` in', async () => {
    const writer = await createStoreWriter(folder.path('x'), { dim: 1 });
    writer[Symbol.dispose]();
    const other = await createStoreWriter(folder.path('x'), { dim: 1 });
    await other[Symbol.asyncDispose]();
    expect(namesBeside(folder.path('x'))).toEqual([]);
  });

  it.each([
    ['append', 1],
    ['append', 4],
    ['commit', 1],
    ['commit', 3],
  ] as const)(
    'dispose during %s, after %i turns: the call rejects, and no file is left',
    async (name, turns) => {
      const [rows, dim] = [3000, 300];
      const writer = await createStoreWriter(folder.path('x'), { dim });
      if (name === 'commit') await writer.append(floats(rows, dim));
      const running = rejection(name === 'commit' ? writer.commit() : writer.append(floats(rows, dim)));
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      writer.dispose();
      expect((await running).code).toBe('ERR_DISPOSED');
      await writer.abort();
      expect(namesBeside(writer.path)).toEqual([]);
    },
  );
});

it('a relative path is one when the writer is made: a later chdir moves nothing', async () => {
  const before = process.cwd();
  mkdirSync(folder.path('elsewhere'));
  try {
    process.chdir(dirname(folder.path('x')));
    const writer = await createStoreWriter('x', { dim: 1 });
    process.chdir(folder.path('elsewhere'));
    await writer.append({ data: Float32Array.of(1), shape: [1, 1] });
    await writer.commit();
  } finally {
    process.chdir(before);
  }
  expect(namesBeside(folder.path('x'))).toEqual(['elsewhere', 'x']);
});

it('isStoreWriter knows writers, and nothing that looks like one', async () => {
  const writer = await createStoreWriter(folder.path('x'), { dim: 1 });
  expect([writer, { ...writer }, null, 3, new Proxy(writer, {})].map(isStoreWriter)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  await writer.abort();
});

it.each<[DType, number]>([
  ['float32', 4],
  ['float16', 2],
  ['bfloat16', 2],
])('%s: the header of every number of rows and ids is one that readers accept', async (dtype, size) => {
  for (const [rows, dim] of [
    [1, 1],
    [1, 3],
    [2, 3],
    [3, 1],
    [1, 2],
  ] as const) {
    for (const ids of [false, true]) {
      const path = folder.path(`${rows}-${dim}-${ids}`);
      const writer = await createStoreWriter(path, { dim, dtype, ids });
      const features = { data: new Float32Array(rows * dim), shape: [rows, dim] };
      await writer.append(features, ids ? { ids: new Int32Array(rows) } : {});
      await writer.commit();
      const padding = ids && (rows * dim * size) % 4 !== 0 ? 2 : 0;
      expect((await headerOf(path)).fileBytes).toBe(
        4096 + rows * dim * size + padding + (ids ? 4 * rows : 0),
      );
    }
  }
});
