/**
 * The needs of a call on features on a device: its backend, gradients beside the features, and memory that
 * stays until the call ends.
 *
 * Refuses mixtures: all matrices of a call are in one place.
 */

import { resolveBackend } from '../backend';
import { codedError } from '../errors';
import {
  allocateMatrix,
  type DeviceMatrix,
  isDeviceMatrix,
  toNativeDeviceMatrix,
} from '../matrix/device-matrix';
import { isMappedMatrix } from '../matrix/mapped-features';
import type {
  BackendChoice,
  ContrastiveRequest,
  NativeBinding,
  NativeMatrix,
  NativeOutput,
} from '../native/binding';
import * as check from '../validate';
import type { AnyContrastiveOptions } from './options';

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

/**
 * The caller's matrix for a gradient, if it fits. Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_DEVICE
 * or ERR_DISPOSED.
 */
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

/** New matrices of these numbers of rows on a device, all or none. Throws ERR_OUT_OF_MEMORY. */
export function allocateAll(device: number, rows: readonly number[], dim: number): DeviceMatrix[] {
  const made: DeviceMatrix[] = [];
  try {
    for (const count of rows) made.push(allocateMatrix(device, count, dim));
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
 * The same request on handles of its own, which keep device memory and files until `release`. The caller may
 * dispose of a matrix or a store while the call waits or runs.
 */
export function retainMemory(
  request: ContrastiveRequest,
  binding: NativeBinding,
): { retained: ContrastiveRequest; release: () => void } {
  const { retain, release } = memoryRetainer(binding);
  const retained: ContrastiveRequest = {
    ...request,
    queries: retain(request.queries),
    keys: retain(request.keys),
    hardNegatives: retain(request.hardNegatives),
    guide: request.guide && {
      ...request.guide,
      queries: retain(request.guide.queries),
      keys: retain(request.guide.keys),
      hardNegatives: retain(request.guide.hardNegatives),
    },
    teacher: request.teacher && {
      ...request.teacher,
      queries: retain(request.teacher.queries),
      keys: retain(request.teacher.keys),
    },
    queryGrads: retain(request.queryGrads),
    keyGrads: retain(request.keyGrads),
    hardNegativeGrads: retain(request.hardNegativeGrads),
  };
  return { retained, release };
}

/**
 * `retain` returns the same memory by a handle of its own, which keeps device memory or a file until `release`.
 * Arrays stay as they are.
 */
export function memoryRetainer(binding: NativeBinding) {
  const releases: (() => void)[] = [];
  const retain = <T extends NativeMatrix | NativeOutput | null>(memory: T): T => {
    if (memory === null || ArrayBuffer.isView(memory)) return memory;
    if (isMappedMatrix(memory)) {
      const data = binding.shareMapping(memory.data);
      releases.push(() => binding.releaseMapping(data));
      return { ...memory, data };
    }
    if (memory.device === undefined) return memory;
    const data = binding.shareDevice(memory.data, 0, false);
    releases.push(() => binding.releaseDevice(data));
    return { ...memory, data };
  };
  const release = () => {
    for (const each of releases) each();
  };
  return { retain, release };
}
