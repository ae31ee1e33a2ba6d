/** Rows that native code writes in any order: the file is there in its whole length, and one fill at a time. */
import { readFileSync, statSync, writeSync } from 'node:fs';
import { beginFill, createStoreWriter } from '../../lib/store/store-writer';
import { expectError, thrownBy } from '../lib/fake-binding';
import { headerOf, rejection, useFolder } from './files';

const folder = useFolder();

it('has all bytes when it is made, is filled, and is committed', async () => {
  const [rows, dim] = [5, 300_000];
  const writer = await createStoreWriter(folder.path('x'), { dim, rows });
  const fill = beginFill('out.keyGrads', writer);
  expect(fill).toMatchObject({ path: folder.path('x.tmp'), offset: 4096, dtype: 'float32', rows, dim });
  const { size, blocks } = statSync(fill.path);
  expect(size).toBe(4096 + 4 * rows * dim);
  // no holes: a write through a mapping cannot find the disk full
  expect(512 * blocks).toBeGreaterThanOrEqual(size);
  // last row first
  for (let row = rows - 1; row >= 0; row--) {
    writeSync(fill.fd, new Float32Array(dim).fill(row), 0, 4 * dim, fill.offset + 4 * dim * row);
  }
  fill.done();
  await writer.commit();
  expect(await headerOf(folder.path('x'))).toMatchObject({ rows, dim });
  const bytes = readFileSync(folder.path('x'));
  expect([0, 1, 2, 3, 4].map((row) => bytes.readFloatLE(4096 + 4 * dim * row))).toEqual([0, 1, 2, 3, 4]);
});

it('may follow another fill, one that failed too, and not run beside one', async () => {
  const writer = await createStoreWriter(folder.path('x'), { dim: 2, rows: 2 });
  const first = beginFill('out.keyGrads', writer);
  const beside = thrownBy(() => beginFill('out.queryGrads', writer));
  expectError(beside, {
    type: Error,
    code: 'ERR_STORE',
    message: 'the call that writes out.keyGrads still runs',
  });
  const features = { data: new Float32Array(4), shape: [2, 2] };
  expect((await rejection(writer.append(features))).message).toContain('still runs; await it before append');
  expect((await rejection(writer.commit())).message).toContain('still runs; await it before commit');
  first.failed();
  expect((await rejection(writer.commit())).message).toContain('it has no rows');
  beginFill('out.keyGrads', writer).done();
  beginFill('out.keyGrads', writer).done();
  await writer.commit();
  expect(thrownBy(() => beginFill('out.keyGrads', writer)).message).toContain('it was committed');
});

it('keeps the file open until its end, where the writer is disposed of meanwhile', async () => {
  const writer = await createStoreWriter(folder.path('x'), { dim: 2, rows: 2 });
  const fill = beginFill('out.keyGrads', writer);
  writer.dispose();
  expect(writeSync(fill.fd, new Float32Array(2), 0, 8, 4096)).toBe(8);
  fill.done();
  await writer.abort();
  expect(thrownBy(() => writeSync(fill.fd, new Float32Array(2), 0, 8, 4096))).toMatchObject({
    code: 'EBADF',
  });
  expect(thrownBy(() => beginFill('out.keyGrads', writer)).code).toBe('ERR_DISPOSED');
});

it.each([
  ['rows are unknown', { dim: 2 }, 'create it with the option rows to use it as out.keyGrads'],
  ['there are ids', { dim: 2, rows: 2, ids: true }, 'out.keyGrads has no ids; create it without ids'],
])('is refused where %s', async (_, options, message) => {
  const writer = await createStoreWriter(folder.path('x'), options);
  expectError(
    thrownBy(() => beginFill('out.keyGrads', writer)),
    { type: Error, code: 'ERR_STORE', message },
  );
  await writer.abort();
});

it('is refused where rows were appended', async () => {
  const writer = await createStoreWriter(folder.path('x'), { dim: 2, rows: 2 });
  await writer.append({ data: new Float32Array(2), shape: [1, 2] });
  expect(thrownBy(() => beginFill('out.keyGrads', writer)).message).toContain('rows were appended');
  await writer.abort();
});
