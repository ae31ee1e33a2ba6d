/**
 * Features of any place, the host's memory, a file or a CUDA device, for code that need not know which.
 *
 * Refuses nothing of its own: `host-matrix.ts`, `mapped-features.ts` and `device-matrix.ts` check their kind.
 */

import { codedError } from '../errors';
import type { NativeHostMatrix, NativeMatrix } from '../native/binding';
import { invalid } from '../validate';
import { type DeviceMatrix, isDeviceMatrix, toNativeDeviceMatrix } from './device-matrix';
import { type HostFeatures, toNativeMatrix } from './host-matrix';
import {
  isMappedFeatures,
  isMappedMatrix,
  type MappedFeatures,
  toNativeMappedMatrix,
} from './mapped-features';

/**
 * Features in memory of the host, in a file (a `FeatureStore`), or on a CUDA device. Features of one call are on
 * one device, or all on the host: a file is of the host.
 */
export type Features = HostFeatures | MappedFeatures | DeviceMatrix;

/** Features whose rows JavaScript can read: arrays of the host, and files, which are copied. */
export type ReadableFeatures = HostFeatures | MappedFeatures;

/** Checks features of any place. Throws as `toNativeMatrix`, and ERR_DISPOSED. */
export function toNativeFeatures(name: string, features: unknown): NativeMatrix {
  if (isMappedFeatures(features)) return toNativeMappedMatrix(name, features);
  if (!isDeviceMatrix(features)) return toNativeMatrix(name, features);
  const matrix = toNativeDeviceMatrix(name, features);
  if (matrix.rows === 0) {
    throw codedError('ERR_SHAPE', `Expected at least one row of ${name} but received [0, ${matrix.dim}]`);
  }
  return matrix;
}

/**
 * Checked features that no getter can change any more: a DeviceMatrix, a store, or a plain object on the
 * caller's own array.
 */
export function readFeatures(name: string, features: unknown): Features {
  const matrix = toNativeFeatures(name, features);
  if (matrix.device !== undefined) return features as DeviceMatrix;
  if (isMappedMatrix(matrix)) return features as MappedFeatures;
  const { data, dtype, rows, dim, rowStride } = matrix;
  return { data, dtype, shape: [rows, dim], rowStride };
}

/**
 * Checks features for code that reads them on the host; rows of a store are copied. Throws as `toNativeMatrix`;
 * ERR_TYPE for a DeviceMatrix; for a store also ERR_DISPOSED, ERR_STORE or ERR_OUT_OF_MEMORY.
 */
export function toHostMatrix(name: string, features: unknown): NativeHostMatrix {
  if (isMappedFeatures(features)) return toNativeMatrix(name, features.rows());
  if (!isDeviceMatrix(features)) return toNativeMatrix(name, features);
  const copy = `{ data: await ${name}.toHost(), shape: ${name}.shape, dtype: ${name}.dtype }`;
  const hint = `; ${copy} is a copy on the host`;
  throw invalid('ERR_TYPE', name, 'features on the host', features, hint);
}
