/**
 * Files for tests of the store: bytes written by hand, as other programs or an enemy would write them, and a folder
 * that goes away with its test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStoreHeader } from '../../lib/store/read-header';
import { openStoreFile, readError, type StoreFile } from '../../lib/store/store-file';
import type { StoreHeader } from '../../lib/store/store-header';

/** A fresh folder for each test of the file. */
export function useFolder(): { path: (name: string) => string } {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-store-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return { path: (name) => join(folder, name) };
}

/**
 * A safetensors file. A header in text or bytes is taken as it is, an object is padded to a multiple of eight bytes. `length`
 * is what the first eight bytes say.
 */
export function safetensors(header: unknown, data: number | Uint8Array = 0, length?: bigint): Buffer {
  const json = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : padded(JSON.stringify(header)));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(json.length));
  return Buffer.concat([start, json, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

const padded = (json: string) => json.padEnd(Math.ceil(json.length / 8) * 8);

/** A tensor of a header, with offsets that fit. */
export function tensor(dtype: string, shape: number[], begin = 0) {
  const bytes = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8, F64: 8, U8: 1 }[dtype] ?? 1;
  const end = begin + shape.reduce((product, length) => product * length, bytes);
  return { dtype, shape, data_offsets: [begin, end] };
}

/** A .npy file. The header is padded as NumPy pads it, to a multiple of 64 bytes. */
export function npy(
  header: string,
  data: number | Uint8Array = 0,
  version: readonly [number, number] = [1, 0],
): Buffer {
  const lengthBytes = version[0] === 1 ? 2 : 4;
  const begin = 8 + lengthBytes;
  const text = Buffer.from(header, version[0] === 3 ? 'utf8' : 'latin1');
  const length = Math.ceil((begin + text.length + 1) / 64) * 64 - begin;
  const start = Buffer.alloc(begin + length, ' ');
  start.write('\x93NUMPY', 'latin1');
  start.writeUInt8(version[0], 6);
  start.writeUInt8(version[1], 7);
  start.writeUIntLE(length, 8, lengthBytes);
  text.copy(start, begin);
  start.write('\n', begin + length - 1);
  return Buffer.concat([start, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

export const npyHeader = (descr: string, shape: string, order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** Opens and closes a file around the header. */
export async function headerOf(path: string, tensor?: string): Promise<StoreHeader> {
  const handle = await openStoreFile(path);
  try {
    return await readStoreHeader(handle, { path, tensor });
  } finally {
    await handle.close();
  }
}

/** Bytes in memory as a file, and how many of them were asked for. */
export function fileOf(bytes: Uint8Array, length = bytes.length): StoreFile & { asked: number } {
  const file = {
    bytes: length,
    asked: 0,
    async read(begin: number, count: number) {
      file.asked += count;
      if (begin + count > bytes.length) throw new Error(`${count} bytes from ${begin} on are beyond the end`);
      return new Uint8Array(bytes.subarray(begin, begin + count));
    },
    refuse(problem: string, cause?: unknown): never {
      throw readError('memory', problem, cause);
    },
  };
  return file;
}

/** The error with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code: string };
  }
  throw new Error('Expected an error but there was none');
}
