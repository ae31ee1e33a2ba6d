/**
 * Features that live on a CUDA device between calls, and their gradients: uploaded once, or lent by another framework
 * without a copy.
 *
 * Refuses arithmetic, and to move anything on its own: what is on a device stays there until `toHost`.
 */

import { requireBackend } from '../backend';
import { codedError, fromNative } from '../errors';
import type {
  DeviceHandle,
  DeviceMemory,
  DType,
  NativeBinding,
  NativeDeviceMatrix,
  NativeHostMatrix,
} from '../native/binding';
import { loadBinding } from '../native/load';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { dtypes, type HostFeatures, readShape, toNativeMatrix } from './host-matrix';
import { memoryInFlight } from './memory-in-flight';

export type { DeviceMemory };

/** float32, in the place of the features: [rows × dim], or flat on the host. */
export type Gradient = Float32Array | DeviceMatrix;

/** Memory of a device that another framework or addon owns, in the device's primary context. */
export interface ForeignMatrix {
  /** Address of the first element, a multiple of its size. */
  pointer: bigint;
  /** [rows, dim]. */
  shape: readonly number[];
  dtype: DType;
  /** Elements from the start of one row to the next; default `dim`. */
  rowStride?: number | undefined;
  /** Default 0. */
  device?: number | undefined;
  /**
   * Handle (CUstream, cudaStream_t) of the stream on which the owner works with this memory; 0n is the default stream.
   * What it has enqueued when a call begins comes before the call, what it enqueues afterwards comes after it. Without
   * it, the owner's work must be done before a call begins.
   */
  stream?: bigint | undefined;
}

const foreignNames = ['pointer', 'shape', 'dtype', 'rowStride', 'device', 'stream'] as const;

const bytesOf = (dtype: DType) => (dtype === 'float32' ? 4 : 2);

/** The per-thread default stream: of which thread, depends on who asks. */
const perThreadStream = 2n;

// What the rest of lib may do and callers may not; set by the class, whose fields are private.
/** The matrix for a native call. Throws ERR_DISPOSED. */
export let toNativeDeviceMatrix: (name: string, matrix: DeviceMatrix) => NativeDeviceMatrix;
export let isDeviceMatrix: (value: unknown) => value is DeviceMatrix;
/** A new float32 matrix, whose content is anything, on the device of another. Throws ERR_OUT_OF_MEMORY. */
export let allocateBeside: (neighbour: DeviceMatrix, rows: number, dim: number) => DeviceMatrix;

/** Row-major features [rows × dim] on a CUDA device. Made by `fromHost`, `wrap` or `slice`, and by calls as gradients. */
export class DeviceMatrix implements Disposable {
  readonly shape: readonly [rows: number, dim: number];
  readonly dtype: DType;
  /** Elements from the start of one row to the next. */
  readonly rowStride: number;
  /** Index of the device. */
  readonly device: number;
  readonly #binding: NativeBinding;
  readonly #handle: DeviceHandle;
  /** The fields above, where nobody can overwrite them. */
  readonly #layout: Omit<NativeDeviceMatrix, 'data'>;
  #disposed = false;

  static {
    toNativeDeviceMatrix = (name, matrix) => matrix.#native(name);
    isDeviceMatrix = (value): value is DeviceMatrix =>
      typeof value === 'object' && value !== null && #handle in value;
    allocateBeside = (neighbour, rows, dim) => {
      const device = neighbour.#layout.device;
      const binding = neighbour.#binding;
      const layout = { dtype: 'float32', rows, dim, rowStride: dim, device } as const;
      const handle = native(() => binding.allocateDevice({ device, bytes: byteExtent(layout) }));
      return new DeviceMatrix(binding, { ...layout, data: handle });
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
   * A copy of host features on a device (default 0), of the same dtype and without gaps between rows. The array must
   * stay as it is until the promise settles. Waits for the call that runs on that device.
   *
   * Rejects with ERR_OUT_OF_MEMORY, ERR_BACKEND_UNAVAILABLE, ERR_DEVICE, ERR_OPTION, ERR_OVERLAP where a call that waits
   * or runs writes the array, or what is wrong with the matrix: ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER,
   * ERR_DETACHED.
   */
  static async fromHost(
    matrix: HostFeatures,
    options: { device?: number | undefined } = {},
  ): Promise<DeviceMatrix> {
    const source = toNativeMatrix('matrix', matrix);
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
   * Memory that another framework or addon owns, used where it lies. The owner keeps it until this matrix is disposed of
   * and no call runs on it; disposing frees nothing.
   *
   * Throws ERR_DEVICE for a pointer that is not to memory of this device, ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE,
   * ERR_OPTION or ERR_BACKEND_UNAVAILABLE.
   */
  static wrap(memory: ForeignMatrix): DeviceMatrix {
    const given = readNames('memory', memory, foreignNames);
    const dtype = given.dtype as DType;
    if (!dtypes.includes(dtype)) {
      throw check.invalid('ERR_DTYPE', 'memory.dtype', `one of ${dtypes.join(', ')}`, given.dtype);
    }
    const { rows, dim } = readShape('memory', given);
    const rowStride =
      given.rowStride === undefined ? dim : check.positiveInteger('memory.rowStride', given.rowStride);
    if (rowStride < dim)
      throw check.invalid('ERR_SHAPE', 'memory.rowStride', `at least dim (${dim})`, rowStride);
    const pointer = readAddress('memory.pointer', given.pointer);
    if (pointer === 0n || pointer % BigInt(bytesOf(dtype)) !== 0n) {
      throw check.invalid('ERR_VALUE', 'memory.pointer', `non-zero multiple of ${bytesOf(dtype)}`, pointer);
    }
    const stream = given.stream === undefined ? null : readAddress('memory.stream', given.stream);
    if (stream === perThreadStream) {
      throw check.invalid('ERR_VALUE', 'memory.stream', 'stream of no thread in particular', stream);
    }
    const device = readDevice('memory.device', given.device);
    const layout = { dtype, rows, dim, rowStride, device };
    const bytes = byteExtent(layout);
    const binding = cudaBinding(device);
    const data = native(() => binding.wrapDevice({ device, pointer, bytes, stream }));
    return new DeviceMatrix(binding, { ...layout, data });
  }

  /** Address on the device, for others to use in place. Valid until this matrix is disposed of. Throws ERR_DISPOSED. */
  get pointer(): bigint {
    return addressOf(this.#native('this matrix'));
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Rows from `begin` up to but without `end`, in the same memory, which is freed when neither this matrix nor the view
   * is there any more. Throws ERR_DISPOSED, ERR_TYPE, or ERR_VALUE for rows that are not here or none.
   */
  slice(begin: number, end: number): DeviceMatrix {
    const self = this.#native('this matrix');
    const last = check.positiveInteger('end', end, self.rows);
    const first = check.nonNegativeInteger('begin', begin);
    if (first >= last) throw check.invalid('ERR_VALUE', 'begin', `row before end (${last})`, first);
    const offset = first * self.rowStride * bytesOf(self.dtype);
    const data = native(() => this.#binding.shareDevice(self.data, offset, true));
    return new DeviceMatrix(this.#binding, { ...self, rows: last - first, data });
  }

  /**
   * A copy on the host, [rows × dim] without gaps: a Float32Array, or the bits of float16 or bfloat16. Waits for the
   * call that runs on the device. Rejects with ERR_DISPOSED or ERR_DEVICE; the matrix may be disposed of meanwhile.
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

/**
 * What there is of a device's memory (default device 0), and what matrices of this thread hold of it, in bytes.
 *
 * Throws ERR_BACKEND_UNAVAILABLE, ERR_DEVICE, ERR_TYPE or ERR_VALUE.
 */
export function deviceMemory(device = 0): DeviceMemory {
  const which = readDevice('device', device);
  const binding = cudaBinding(which);
  return native(() => binding.deviceMemory({ device: which }));
}

function cudaBinding(device: number): NativeBinding {
  const binding = loadBinding();
  requireBackend({ backend: 'cuda', device }, binding);
  return binding;
}

/** A copy of host features in device memory of its own. */
async function upload(
  binding: NativeBinding,
  matrix: NativeHostMatrix,
  layout: Omit<NativeDeviceMatrix, 'data'>,
): Promise<DeviceHandle> {
  const { device } = layout;
  const memory = native(() => binding.allocateDevice({ device, bytes: byteExtent(layout) }));
  const length = lengthOf(matrix.data);
  try {
    await binding.uploadDevice({ device, memory, matrix });
    if (lengthOf(matrix.data) !== length) {
      throw codedError('ERR_DETACHED', 'The buffer of matrix.data was detached while it was copied');
    }
    return memory;
  } catch (error) {
    binding.releaseDevice(memory);
    throw fromNative(error);
  }
}

function readDevice(name: string, value: unknown): number {
  return value === undefined ? 0 : check.nonNegativeInteger(name, value);
}

function readAddress(name: string, value: unknown): bigint {
  if (typeof value !== 'bigint') throw check.invalid('ERR_TYPE', name, 'bigint', value);
  if (value < 0n || value >= 1n << 64n) throw check.invalid('ERR_VALUE', name, 'address of 64 bits', value);
  return value;
}

/** Where a matrix begins on its device. */
export function addressOf({ data }: NativeDeviceMatrix): bigint {
  return native(() => loadBinding().devicePointer(data));
}

/** Bytes from the first element to the last. */
export function byteExtent({
  dtype,
  rows,
  dim,
  rowStride,
}: Omit<NativeDeviceMatrix, 'data' | 'device'>): number {
  const bytes = rows === 0 ? 0 : ((rows - 1) * rowStride + dim) * bytesOf(dtype);
  if (!Number.isSafeInteger(bytes)) {
    throw codedError('ERR_SHAPE', `Expected fewer elements than memory has but received [${rows}, ${dim}]`);
  }
  return bytes;
}

function native<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}
