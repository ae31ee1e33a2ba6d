/**
 * Features in a file, larger than memory if need be: opened for reading, or created for writing.
 *
 * Refuses to keep the features in memory: calls read the file where it lies, and `rows` copies a part.
 */

import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { callNative, codedError } from '../errors';
import { MappedFeatures, type OpenedFeatures } from '../matrix/mapped-features';
import type { NativeBinding } from '../native/binding';
import { loadBinding } from '../native/load';
import { readNames } from '../read-names';
import { requireLittleEndian } from './little-endian';
import { readStoreHeader } from './read-header';
import { openStoreFile, problemOf, readError, storeFileOf } from './store-file';
import type { StoreHeader } from './store-header';
import { createStoreWriter, type StoreWriter } from './store-writer';
import { bytesOfElement } from './write-header';
import { readPath, type StoreWriterOptions } from './writer-options';

/** Features [rows × dim] in a safetensors or .npy file. Accepted wherever features are. */
export class FeatureStore extends MappedFeatures {
  /** The int32 of each row, a copy in memory; null where the file has none. */
  readonly ids: Int32Array | null;

  private constructor(binding: NativeBinding, opened: OpenedFeatures, ids: Int32Array | null) {
    super(binding, opened);
    this.ids = ids;
  }

  /**
   * Opens a file of features for reading: safetensors (F32, F16, BF16) or .npy (`<f4`, `<f2`, rows first). The
   * features stay in the file. A worker thread opens the file by its own call.
   *
   * @param options.tensor Name of the tensor in a safetensors file. Default 'features', or the only tensor that can
   *   be features.
   *
   * Rejects with ERR_STORE for a file that is not there, damaged, or in another form, with ERR_TYPE, ERR_VALUE or
   * ERR_OPTION for a wrong argument, and with ERR_BACKEND_UNAVAILABLE where the native addon does not load.
   */
  static async open(path: string, options: { tensor?: string | undefined } = {}): Promise<FeatureStore> {
    // absolute, as the process may go to another folder later
    const absolute = resolve(readPath(path));
    const tensor = readNames('options', options, ['tensor']).tensor as string | undefined;
    requireLittleEndian();
    const handle = await openStoreFile(absolute);
    try {
      const header = await readStoreHeader(handle, { path: absolute, tensor });
      const ids = await readIds(handle, absolute, header);
      const binding = loadBinding();
      // while the handle is open, so that no other file can get the identity of this one
      return new FeatureStore(binding, map(binding, absolute, header), ids);
    } finally {
      await handle.close();
    }
  }

  /**
   * A writer of a new safetensors file. The file appears when the writer commits. With `rows`, gradients can go to
   * the writer by the option `out` of a loss.
   *
   * Rejects as `createStoreWriter`.
   */
  static async create(path: string, options: StoreWriterOptions): Promise<StoreWriter> {
    return createStoreWriter(path, options);
  }
}

function map(binding: NativeBinding, path: string, header: StoreHeader): OpenedFeatures {
  const { dtype, rows, dim, offset, identity } = header;
  const bytes = rows * dim * bytesOfElement(dtype);
  const mapping = callNative(() =>
    binding.openMapping({ path, offset, bytes, writable: false, expected: identity }),
  );
  return { path, mapping, dtype, rows, dim };
}

/** Rejects with ERR_STORE, or ERR_OUT_OF_MEMORY. */
async function readIds(handle: FileHandle, path: string, header: StoreHeader): Promise<Int32Array | null> {
  if (header.ids === null) return null;
  const { offset, count } = header.ids;
  const file = storeFileOf(handle, header.fileBytes, (problem, cause) => {
    throw readError(path, problem, cause);
  });
  try {
    const bytes = await file.read(offset, 4 * count);
    return new Int32Array(bytes.buffer, bytes.byteOffset, count);
  } catch (error) {
    if (error instanceof RangeError) {
      throw codedError(
        'ERR_OUT_OF_MEMORY',
        `Cannot allocate ${4 * count} bytes for ids: ${problemOf(error)}`,
        error,
      );
    }
    throw error;
  }
}
