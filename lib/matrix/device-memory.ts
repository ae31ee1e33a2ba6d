/**
 * Memory of CUDA devices: how much there is, where a matrix lies in it, and how host features get there.
 *
 * Refuses to know who owns the memory: `device-matrix.ts` does.
 */

import { requireBackend } from '../backend';
import { callNative, codedError, fromNative } from '../errors';
import type {
  DeviceHandle,
  DeviceMemory,
  DType,
  NativeBinding,
  NativeDeviceMatrix,
  NativeHostMatrix,
  NativeMappedMatrix,
} from '../native/binding';
import { loadBinding } from '../native/load';
import { lengthOf } from '../typed-array';
import * as check from '../validate';

export type { DeviceMemory };

/** A matrix on a device without its memory: shape, element type, and how its elements lie. */
export type DeviceLayout = Omit<NativeDeviceMatrix, 'data'>;

/**
 * Memory of a device (default device 0) in bytes: how much is free, and how much of it matrices of this
 * thread take.
 *
 * Throws ERR_BACKEND_UNAVAILABLE, ERR_DEVICE, ERR_TYPE or ERR_VALUE.
 */
export function deviceMemory(device = 0): DeviceMemory {
  const which = readDevice('device', device);
  const binding = cudaBinding(which);
  return callNative(() => binding.deviceMemory({ device: which }));
}

/** The addon, for a device that exists. Throws ERR_BACKEND_UNAVAILABLE or ERR_DEVICE. */
export function cudaBinding(device: number): NativeBinding {
  const binding = loadBinding();
  requireBackend({ backend: 'cuda', device }, binding);
  return binding;
}

/** The index of a device, default 0. Throws ERR_TYPE or ERR_VALUE. */
export function readDevice(name: string, value: unknown): number {
  return value === undefined ? 0 : check.nonNegativeInteger(name, value);
}

export const bytesOf = (dtype: DType) => (dtype === 'float32' ? 4 : 2);

/** Bytes from the first element to the last. Throws ERR_SHAPE for more than a number counts exactly. */
export function byteExtent({ dtype, rows, dim, rowStride }: Omit<DeviceLayout, 'device'>): number {
  const bytes = rows === 0 ? 0 : ((rows - 1) * rowStride + dim) * bytesOf(dtype);
  if (!Number.isSafeInteger(bytes)) {
    throw codedError('ERR_SHAPE', `Expected fewer elements than memory has but received [${rows}, ${dim}]`);
  }
  return bytes;
}

/** The address of the first element of a matrix on its device. */
export function addressOf({ data }: NativeDeviceMatrix): bigint {
  return callNative(() => loadBinding().devicePointer(data));
}

/** New memory for a matrix, with any content. Throws ERR_OUT_OF_MEMORY. */
export function allocate(binding: NativeBinding, layout: DeviceLayout): DeviceHandle {
  const { device } = layout;
  return callNative(() => binding.allocateDevice({ device, bytes: byteExtent(layout) }));
}

/** A copy of features of the host or of a file in new memory of a device. */
export async function upload(
  binding: NativeBinding,
  matrix: NativeHostMatrix | NativeMappedMatrix,
  layout: DeviceLayout,
): Promise<DeviceHandle> {
  const memory = allocate(binding, layout);
  const lengthNow = () => (ArrayBuffer.isView(matrix.data) ? lengthOf(matrix.data) : 0);
  const length = lengthNow();
  try {
    await binding.uploadDevice({ device: layout.device, memory, matrix });
    if (lengthNow() !== length) {
      throw codedError('ERR_DETACHED', 'The buffer of matrix.data was detached while it was copied');
    }
    return memory;
  } catch (error) {
    binding.releaseDevice(memory);
    throw fromNative(error);
  }
}
