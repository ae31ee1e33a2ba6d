/**
 * What is special about a call on features that live on a device: where it runs, where its gradients go, and that the
 * memory stays until it ends.
 *
 * Refuses mixtures: all matrices of a call are in one place.
 */

import { resolveBackend } from '../backend';
import { codedError } from '../errors';
import {
  allocateBeside,
  type DeviceMatrix,
  type Gradient,
  isDeviceMatrix,
  toNativeDeviceMatrix,
} from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import { toNativeMatrix } from '../matrix/host-matrix';
import type {
  BackendChoice,
  ContrastiveRequest,
  DeviceHandle,
  NativeBinding,
  NativeMatrix,
} from '../native/binding';
import * as check from '../validate';
import type { AnyContrastiveOptions } from './options';

/** Checks features of either place. Throws as toNativeMatrix, and ERR_DISPOSED. */
export function toNativeFeatures(name: string, features: unknown): NativeMatrix {
  if (!isDeviceMatrix(features)) return toNativeMatrix(name, features);
  const matrix = toNativeDeviceMatrix(name, features);
  if (matrix.rows === 0) {
    throw codedError('ERR_SHAPE', `Expected at least one row of ${name} but received [0, ${matrix.dim}]`);
  }
  return matrix;
}

/** Checked features that no getter can change any more: a DeviceMatrix, or a plain object on the caller's own array. */
export function readFeatures(name: string, features: unknown): Features {
  const matrix = toNativeFeatures(name, features);
  if (matrix.device !== undefined) return features as DeviceMatrix;
  const { data, dtype, rows, dim, rowStride } = matrix;
  return { data, dtype, shape: [rows, dim], rowStride };
}

type NamedMatrix = readonly [name: string, matrix: NativeMatrix | null];

/** The backend of a call on these features. Throws ERR_VALUE or ERR_DEVICE, or as resolveBackend. */
export function resolvePlace(
  given: Pick<AnyContrastiveOptions, 'backend' | 'device'>,
  [[firstName, first], ...others]: readonly [readonly [string, NativeMatrix], ...NamedMatrix[]],
): BackendChoice {
  for (const [name, matrix] of others) {
    if (matrix === null || matrix.device === first.device) continue;
    const mixed = matrix.device === undefined || first.device === undefined;
    throw codedError(
      mixed ? 'ERR_VALUE' : 'ERR_DEVICE',
      `Expected ${name} ${placeName(first)} as ${firstName} are but received them ${placeName(matrix)}`,
    );
  }
  const choice = resolveBackend(given);
  if (first.device === undefined) return choice;
  if (given.backend === 'cpu') {
    throw check.invalid(
      'ERR_VALUE',
      'options.backend',
      `'cuda' or 'auto' (${firstName} are on a device)`,
      'cpu',
    );
  }
  if (given.device !== undefined && given.device !== first.device) {
    throw check.invalid(
      'ERR_DEVICE',
      'options.device',
      `${first.device}, where ${firstName} are,`,
      given.device,
    );
  }
  return { backend: 'cuda', device: first.device };
}

function placeName({ device }: NativeMatrix): string {
  return device === undefined ? 'on the host' : `on device ${device}`;
}

/** The caller's matrix for a gradient, if it fits. Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_DEVICE or ERR_DISPOSED. */
export function checkDeviceOutput(
  name: string,
  given: unknown,
  [rows, dim]: readonly [number, number],
  device: number,
): DeviceMatrix {
  if (!isDeviceMatrix(given))
    throw check.invalid('ERR_TYPE', name, `DeviceMatrix on device ${device}`, given);
  const matrix = toNativeDeviceMatrix(name, given);
  if (matrix.device !== device) {
    throw codedError(
      'ERR_DEVICE',
      `Expected ${name} on device ${device}, where the features are, but received it on device ${matrix.device}`,
    );
  }
  if (matrix.dtype !== 'float32') throw check.invalid('ERR_DTYPE', `${name}.dtype`, 'float32', matrix.dtype);
  if (matrix.rows !== rows || matrix.dim !== dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${rows}, ${dim}] for ${name} but received [${matrix.rows}, ${matrix.dim}]`,
    );
  }
  return given;
}

/** New matrices of these rows beside the features, all or none. Throws ERR_OUT_OF_MEMORY. */
export function allocateAll(neighbour: DeviceMatrix, rows: readonly number[], dim: number): DeviceMatrix[] {
  const made: DeviceMatrix[] = [];
  try {
    for (const count of rows) made.push(allocateBeside(neighbour, count, dim));
    return made;
  } catch (error) {
    disposeAll(made);
    throw error;
  }
}

export function disposeAll(matrices: readonly DeviceMatrix[]): void {
  for (const matrix of matrices) matrix.dispose();
}

/**
 * The request on shares of device memory of its own: what the caller disposes of while the call waits or runs stays
 * until `release`.
 */
export function holdDeviceMemory(
  request: ContrastiveRequest,
  binding: NativeBinding,
): { held: ContrastiveRequest; release: () => void } {
  const shares: DeviceHandle[] = [];
  const share = <T extends NativeMatrix | Gradient | null>(matrix: T): T => {
    if (matrix === null || ArrayBuffer.isView(matrix) || isDeviceMatrix(matrix)) return matrix;
    if (matrix.device === undefined) return matrix;
    const data = binding.shareDevice(matrix.data, 0, false);
    shares.push(data);
    return { ...matrix, data };
  };
  const { queries, keys, hardNegatives, queryGrads, keyGrads, hardNegativeGrads } = request;
  const features = { queries: share(queries), keys: share(keys), hardNegatives: share(hardNegatives) };
  const grads = {
    queryGrads: share(queryGrads),
    keyGrads: share(keyGrads),
    hardNegativeGrads: share(hardNegativeGrads),
  };
  return {
    held: { ...request, ...features, ...grads },
    release: () => {
      for (const handle of shares) binding.releaseDevice(handle);
    },
  };
}
