/**
 * Features that stay on a CUDA device between calls, and their gradients: uploaded once, or lent by another
 * framework without a copy.
 *
 * Refuses arithmetic, and never moves a matrix on its own: a matrix stays on its device until `toHost`.
 */

import { callNative, codedError, fromNative } from '../errors';
import type { DeviceHandle, DType, NativeBinding, NativeDeviceMatrix } from '../native/binding';
import { loadBinding } from '../native/load';
import { readNames } from '../read-names';
import * as check from '../validate';
import {
  addressOf,
  allocate,
  byteExtent,
  bytesOf,
  cudaBinding,
  type DeviceLayout,
  readDevice,
  upload,
} from './device-memory';
import { type ForeignMatrix, readForeignMatrix } from './foreign-matrix';
import { type HostFeatures, toNativeMatrix } from './host-matrix';
import { isMappedFeatures, type MappedFeatures, toNativeMappedMatrix } from './mapped-features';
import { memoryInFlight } from './memory-in-flight';

/**
 * A gradient in float32, in the place of the features: a matrix [rows × dim], or a flat array on the host.
 */
export type Gradient = Float32Array | DeviceMatrix;

/** Access to the private fields and constructor of DeviceMatrix, for this file and not for callers. */
interface Access {
  has(value: object): value is DeviceMatrix;
  toNative(name: string, matrix: DeviceMatrix): NativeDeviceMatrix;
  make(binding: NativeBinding, matrix: NativeDeviceMatrix): DeviceMatrix;
}

/** For the functions at the end of this file. The class sets it, once, when this file loads. */
let access: Access;

/**
 * Row-major features [rows × dim] on a CUDA device. Made by `fromHost`, `wrap` or `slice`, and by calls
 * as gradients.
 */
export class DeviceMatrix implements Disposable {
  readonly shape: readonly [rows: number, dim: number];
  readonly dtype: DType;
  /** Elements from the start of one row to the next. */
  readonly rowStride: number;
  /** Index of the device. */
  readonly device: number;
  readonly #binding: NativeBinding;
  readonly #handle: DeviceHandle;
  /** The fields above, where no caller can overwrite them. */
  readonly #layout: DeviceLayout;
  #disposed = false;

  static {
    access = {
      has: (value): value is DeviceMatrix => #handle in value,
      toNative: (name, matrix) => matrix.#native(name),
      make: (binding, matrix) => new DeviceMatrix(binding, matrix),
    };
  }

  private constructor(
    binding: NativeBinding,
    { data, dtype, rows, dim, rowStride, device }: NativeDeviceMatrix,
  ) {
    this.shape = [rows, dim];
    this.dtype = dtype;
    this.rowStride = rowStride;
    this.device = device;
    this.#binding = binding;
    this.#handle = data;
    this.#layout = { dtype, rows, dim, rowStride, device };
  }

  /**
   * A copy of host features, or of a store, on a device (default 0), of the same dtype and without gaps between
   * rows. The array must not change until the promise settles. Waits for the call that runs on that device.
   *
   * Rejects with ERR_OUT_OF_MEMORY, ERR_BACKEND_UNAVAILABLE, ERR_DEVICE or ERR_OPTION. Rejects with
   * ERR_OVERLAP if a call that waits or runs writes the array. For a matrix that is wrong, rejects with
   * ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER, ERR_DETACHED, ERR_DISPOSED or ERR_STORE.
   */
  static async fromHost(
    matrix: HostFeatures | MappedFeatures,
    options: { device?: number | undefined } = {},
  ): Promise<DeviceMatrix> {
    const source = isMappedFeatures(matrix)
      ? toNativeMappedMatrix('matrix', matrix)
      : toNativeMatrix('matrix', matrix);
    const device = readDevice('options.device', readNames('options', options, ['device']).device);
    const binding = cudaBinding(device);
    const begin = binding.memoryAddress(source.data);
    const extent = { name: 'matrix.data', device: undefined, begin, end: begin + byteExtent(source) };
    const release = memoryInFlight.enter({ read: [extent], written: [] });
    try {
      const { dtype, rows, dim } = source;
      const layout = { dtype, rows, dim, rowStride: dim, device };
      return new DeviceMatrix(binding, { ...layout, data: await upload(binding, source, layout) });
    } finally {
      release();
    }
  }

  /**
   * A matrix on memory that another framework or addon owns, without a copy. The owner keeps the memory until
   * this matrix is disposed of and no call runs on it. Disposing of this matrix frees no memory.
   *
   * Throws ERR_DEVICE for a pointer that is not to memory of this device, ERR_TYPE, ERR_VALUE, ERR_DTYPE,
   * ERR_SHAPE, ERR_OPTION or ERR_BACKEND_UNAVAILABLE.
   */
  static wrap(memory: ForeignMatrix): DeviceMatrix {
    const { layout, pointer, stream } = readForeignMatrix(memory);
    const { device } = layout;
    const bytes = byteExtent(layout);
    const binding = cudaBinding(device);
    const data = callNative(() => binding.wrapDevice({ device, pointer, bytes, stream }));
    return new DeviceMatrix(binding, { ...layout, data });
  }

  /**
   * Address on the device, for others to use in place. Valid until this matrix is disposed of.
   * Throws ERR_DISPOSED.
   */
  get pointer(): bigint {
    return addressOf(this.#native('this matrix'));
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * A view of the rows from `begin` to before `end`, in the same memory. The memory is freed when both this
   * matrix and the view are disposed of or collected.
   *
   * Throws ERR_DISPOSED, ERR_TYPE, or ERR_VALUE for an empty slice or one that ends beyond the last row.
   */
  slice(begin: number, end: number): DeviceMatrix {
    const self = this.#native('this matrix');
    const last = check.positiveInteger('end', end, self.rows);
    const first = check.nonNegativeInteger('begin', begin);
    if (first >= last) throw check.invalid('ERR_VALUE', 'begin', `row before end (${last})`, first);
    const offset = first * self.rowStride * bytesOf(self.dtype);
    const data = callNative(() => this.#binding.shareDevice(self.data, offset, true));
    return new DeviceMatrix(this.#binding, { ...self, rows: last - first, data });
  }

  /**
   * A copy on the host, [rows × dim] without gaps: a Float32Array, or the bits of float16 or bfloat16. Waits
   * for the call that runs on the device. Rejects with ERR_DISPOSED or ERR_DEVICE. The matrix may be disposed
   * of meanwhile.
   */
  async toHost(): Promise<Float32Array | Uint16Array> {
    const matrix = this.#native('this matrix');
    const { dtype, rows, dim, device } = matrix;
    const into = dtype === 'float32' ? new Float32Array(rows * dim) : new Uint16Array(rows * dim);
    try {
      if (rows > 0) await this.#binding.downloadDevice({ device, matrix, into });
    } catch (error) {
      throw fromNative(error);
    }
    return into;
  }

  /** Gives the memory back, at once or when the calls that run on it have ended. May be repeated. */
  dispose(): void {
    this.#disposed = true;
    this.#binding.releaseDevice(this.#handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #native(name: string): NativeDeviceMatrix {
    if (this.#disposed) {
      throw codedError('ERR_DISPOSED', `Expected ${name} not to be disposed of but received one that was`);
    }
    return { data: this.#handle, ...this.#layout };
  }
}

/** By brand and not by class: objects that only look like one are refused. Never throws. */
export function isDeviceMatrix(value: unknown): value is DeviceMatrix {
  return typeof value === 'object' && value !== null && access.has(value);
}

/** The matrix for a native call. Throws ERR_DISPOSED. */
export function toNativeDeviceMatrix(name: string, matrix: DeviceMatrix): NativeDeviceMatrix {
  return access.toNative(name, matrix);
}

/** A new float32 matrix with any content. Throws ERR_OUT_OF_MEMORY. */
export function allocateMatrix(device: number, rows: number, dim: number): DeviceMatrix {
  const binding = loadBinding();
  const layout = { dtype: 'float32', rows, dim, rowStride: dim, device } as const;
  return access.make(binding, { ...layout, data: allocate(binding, layout) });
}
