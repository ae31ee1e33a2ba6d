/** A folder for the files of one test, and stores made of matrices. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DType, FeatureStore, type MatrixLike } from '../../lib';

/** Call it inside `describe` or at the top of a file: the folder is removed after the tests there. */
export function temporaryFolder(): (name: string) => string {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-store-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Writes a matrix and opens it. */
export async function storeOf(
  path: string,
  matrix: MatrixLike,
  options: { dtype?: DType; ids?: Int32Array } = {},
): Promise<FeatureStore> {
  const { dtype = matrix.dtype, ids } = options;
  const writer = await FeatureStore.create(path, {
    dim: matrix.shape![1]!,
    dtype,
    ids: ids !== undefined,
    overwrite: true,
  });
  await writer.append(matrix, { ids });
  await writer.commit();
  return FeatureStore.open(path);
}

const numpyNames = { float32: '<f4', float16: '<f2' };

/** Writes a matrix as NumPy does. */
export function writeNpy(path: string, { data, shape }: MatrixLike, dtype: keyof typeof numpyNames): void {
  const text = `{'descr': '${numpyNames[dtype]}', 'fortran_order': False, 'shape': (${shape!.join(', ')}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${text.padEnd(length - 1)}\n`, 'latin1');
  header.writeUInt16LE(length, 8);
  writeFileSync(path, Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]));
}
