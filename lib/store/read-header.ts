/**
 * Reads the header of a file of features, safetensors or .npy, and says where the features are. The first
 * bytes decide which format it is; the name of the file does not.
 *
 * A header is hostile input. It is read into at most 1 MiB of memory, checked in time that grows with its
 * length alone, and nothing in it is run.
 */

import type { FileHandle } from 'node:fs/promises';
import { invalid } from '../validate';
import { requireLittleEndian } from './little-endian';
import { isNpy, readNpyHeader } from './npy-header';
import { readSafetensorsHeader } from './safetensors-header';
import { identify, type Refuse, readError, type StoreFile, sameIdentity, storeFileOf } from './store-file';
import type { FeatureLayout, StoreHeader } from './store-header';

export interface ReadHeaderOptions {
  /** For messages; the file is that of the handle. */
  path: string;
  /**
   * Name of the tensor in a safetensors file. Default: 'features'; where the file has no tensor of that name,
   * its only tensor that can be features.
   */
  tensor?: string | undefined;
}

/** The longest magic number of the formats. */
const magicBytes = 8;

/**
 * Where the features of an open file are. The handle stays open.
 *
 * Rejects with ERR_STORE for every file that infcl cannot read, and where the file changes meanwhile. Rejects
 * with ERR_TYPE for a name of a tensor that is no string.
 */
export async function readStoreHeader(
  handle: FileHandle,
  { path, tensor }: ReadHeaderOptions,
): Promise<StoreHeader> {
  if (tensor !== undefined && typeof tensor !== 'string')
    throw invalid('ERR_TYPE', 'tensor', 'string', tensor);
  requireLittleEndian();
  const refuse: Refuse = (problem, cause) => {
    throw readError(path, problem, cause);
  };
  const identity = await identify(handle, refuse);
  if (identity.size > Number.MAX_SAFE_INTEGER) refuse('the file has more than 2^53 bytes');
  const fileBytes = Number(identity.size);
  const layout = await readLayoutOf(storeFileOf(handle, fileBytes, refuse), tensor);
  if (!sameIdentity(identity, await identify(handle, refuse))) {
    refuse('the file changed while it was opened; open it when no program writes it');
  }
  return { ...layout, fileBytes, identity };
}

/** The layout of a file in either format. Rejects with ERR_STORE. */
export async function readLayoutOf(file: StoreFile, tensor: string | undefined): Promise<FeatureLayout> {
  if (file.bytes < magicBytes) {
    file.refuse(`the file has ${file.bytes} bytes, too few for a header; is the copy complete?`);
  }
  const magic = await file.read(0, magicBytes);
  if (isZip(magic)) {
    file.refuse(
      'this is a zip archive, such as .npz; save one matrix alone: np.save("features.npy", archive["name"])',
    );
  }
  if (!isNpy(magic)) return readSafetensorsHeader(file, magic, tensor);
  if (tensor !== undefined) {
    file.refuse(`a .npy file contains one matrix without a name; leave out the option tensor`);
  }
  return readNpyHeader(file, magic);
}

const isZip = (magic: Uint8Array) =>
  magic[0] === 0x50 && magic[1] === 0x4b && magic[2] === 3 && magic[3] === 4;
