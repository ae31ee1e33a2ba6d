/**
 * What the header of a file of features says, in one form for safetensors and .npy, and the identity of the
 * file that said so.
 *
 * Refuses to know how either format writes a header: `safetensors-header.ts` and `npy-header.ts` do.
 */

import type { DType } from '../matrix/host-matrix';

/** Which file was opened, and in which state. A change of any field means another file or other content. */
export interface FileIdentity {
  dev: bigint;
  ino: bigint;
  /** In bytes. */
  size: bigint;
  /** Time of the last write, in nanoseconds. */
  mtimeNs: bigint;
}

/** Where the features are in a file: row-major, little-endian, [rows × dim], without gaps. */
export interface FeatureLayout {
  format: 'safetensors' | 'npy';
  dtype: DType;
  rows: number;
  dim: number;
  /** Byte of the file at which the first element begins, a multiple of the size of an element. */
  offset: number;
  /** int32 values, little-endian, one for each row; null where the file has none. `offset` is a byte of the file. */
  ids: { offset: number; count: number } | null;
}

/** The layout of a file of `fileBytes` bytes. Features and ids lie inside the file. */
export interface StoreHeader extends FeatureLayout {
  fileBytes: number;
  identity: FileIdentity;
}
