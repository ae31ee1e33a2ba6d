/** Headers of real files: what is no file, what changes while it is read, and what the system refuses. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import os from 'node:os';
import { readStoreHeader } from '../../lib/store/read-header';
import { openStoreFile } from '../../lib/store/store-file';
import { createStoreWriter } from '../../lib/store/store-writer';
import { headerOf, npy, npyHeader, rejection, safetensors, tensor, useFolder } from './files';

const folder = useFolder();
const path = () => folder.path('x');
const whole = safetensors(JSON.stringify({ features: tensor('F32', [2, 3]) }).padEnd(88), 24);

it('says where the features are, and which file it is', async () => {
  writeFileSync(path(), whole);
  const { identity, ...layout } = await headerOf(path());
  expect(layout).toEqual({
    format: 'safetensors',
    dtype: 'float32',
    rows: 2,
    dim: 3,
    offset: 96,
    ids: null,
    fileBytes: 120,
  });
  expect(identity.size).toBe(120n);
  expect([typeof identity.dev, typeof identity.ino, typeof identity.mtimeNs]).toEqual(
    Array(3).fill('bigint'),
  );
});

it('the first bytes decide, and not the name of the file', async () => {
  writeFileSync(folder.path('x.safetensors'), npy(npyHeader("'<f4'", '(2, 3)'), 24));
  writeFileSync(folder.path('x.npy'), whole);
  expect((await headerOf(folder.path('x.safetensors'))).format).toBe('npy');
  expect((await headerOf(folder.path('x.npy'))).format).toBe('safetensors');
});

it.each<[string, () => void, string]>([
  ['no file', () => {}, 'there is no such file (ENOENT)'],
  ['a folder', () => mkdirSync(path()), 'this is a folder'],
  ['a link in a circle', () => symlinkSync(path(), path()), 'form a circle (ELOOP)'],
  ['a link to nowhere', () => symlinkSync(folder.path('y'), path()), 'there is no such file'],
  ['a device', () => symlinkSync('/dev/zero', path()), 'no regular file but a pipe or a device'],
  ['a pipe that nobody writes', () => void execFileSync('mkfifo', [path()]), 'no regular file but a pipe'],
])('%s is an ERR_STORE', async (_, make, message) => {
  make();
  const error = await rejection(headerOf(path()));
  expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining(message)]);
});

it('a name of a tensor that is no string is refused', async () => {
  writeFileSync(path(), whole);
  expect((await rejection(headerOf(path(), 3 as unknown as string))).code).toBe('ERR_TYPE');
});

/** A handle that does something before its n-th read. */
async function meddled(at: number, meddle: () => unknown): Promise<FileHandle> {
  const handle = await openStoreFile(path());
  const read = handle.read.bind(handle) as (...all: unknown[]) => Promise<unknown>;
  let reads = 0;
  return Object.defineProperty(handle, 'read', {
    value: async (...all: unknown[]) => {
      reads += 1;
      if (reads === at) await meddle();
      return read(...all);
    },
  });
}

it.each<[string, number, () => void, string]>([
  ['shorter', 1, () => truncateSync(path(), 4), 'the file became shorter while it was read'],
  ['shorter, later', 2, () => truncateSync(path(), 20), 'the file became shorter while it was read'],
  ['longer', 2, () => appendFileSync(path(), 'x'), 'the file changed while it was opened'],
])('a file that becomes %s meanwhile is refused', async (_, at, meddle, message) => {
  writeFileSync(path(), whole);
  const handle = await meddled(at, meddle);
  const error = await rejection(readStoreHeader(handle, { path: path() }));
  expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining(message)]);
  await handle.close();
});

it('a read that the system refuses is an ERR_STORE with its cause', async () => {
  writeFileSync(path(), whole);
  const cause = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  const handle = await meddled(2, () => Promise.reject(cause));
  const error = await rejection(readStoreHeader(handle, { path: path() }));
  expect([error.code, error.message]).toEqual(['ERR_STORE', expect.stringContaining('EIO')]);
  expect(error.cause).toBe(cause);
  await handle.close();
});

it('a handle that was closed is an ERR_STORE', async () => {
  writeFileSync(path(), whole);
  const handle = await openStoreFile(path());
  await handle.close();
  expect((await rejection(readStoreHeader(handle, { path: path() }))).code).toBe('ERR_STORE');
});

it('a big-endian machine is refused, by reader and writer', async () => {
  writeFileSync(path(), whole);
  const spy = jest.spyOn(os, 'endianness').mockReturnValue('BE');
  try {
    for (const call of [() => headerOf(path()), () => createStoreWriter(folder.path('y'), { dim: 1 })]) {
      expect((await rejection(call())).code).toBe('ERR_NOT_IMPLEMENTED');
    }
  } finally {
    spy.mockRestore();
  }
});
