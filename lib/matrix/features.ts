/**
 * Features of either place, the host's memory or a CUDA device, for code that need not know which.
 *
 * Refuses nothing of its own: `host-matrix.ts` and `device-matrix.ts` check their kind.
 */

import { codedError } from '../errors';
import type { NativeHostMatrix, NativeMatrix } from '../native/binding';
import { invalid } from '../validate';
import { type DeviceMatrix, isDeviceMatrix, toNativeDeviceMatrix } from './device-matrix';
import { type HostFeatures, toNativeMatrix } from './host-matrix';

/** Features on the host or on a CUDA device. All features of one call are in one place. */
export type Features = HostFeatures | DeviceMatrix;

/** Checks features of either place. Throws as `toNativeMatrix`, and ERR_DISPOSED. */
export function toNativeFeatures(name: string, features: unknown): NativeMatrix {
  if (!isDeviceMatrix(features)) return toNativeMatrix(name, features);
  const matrix = toNativeDeviceMatrix(name, features);
  if (matrix.rows === 0) {
    throw codedError('ERR_SHAPE', `Expected at least one row of ${name} but received [0, ${matrix.dim}]`);
  }
  return matrix;
}

/**
 * Checked features that no getter can change any more: a DeviceMatrix, or a plain object on the caller's
 * own array.
 */
export function readFeatures(name: string, features: unknown): Features {
  const matrix = toNativeFeatures(name, features);
  if (matrix.device !== undefined) return features as DeviceMatrix;
  const { data, dtype, rows, dim, rowStride } = matrix;
  return { data, dtype, shape: [rows, dim], rowStride };
}

/** Checks features for code that reads them on the host. Throws as `toNativeMatrix`; ERR_TYPE for a DeviceMatrix. */
export function toHostMatrix(name: string, features: unknown): NativeHostMatrix {
  if (!isDeviceMatrix(features)) return toNativeMatrix(name, features);
  const copy = `{ data: await ${name}.toHost(), shape: ${name}.shape, dtype: ${name}.dtype }`;
  const hint = `; ${copy} is a copy on the host`;
  throw invalid('ERR_TYPE', name, 'features on the host', features, hint);
}
