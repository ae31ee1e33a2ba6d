/**
 * Memory that crosses between TypeScript and the native addon: matrices in arrays, in files and on devices, and
 * the handles of files and devices. Types only; binding.ts has the functions.
 */

export type DType = 'float32' | 'float16' | 'bfloat16';

declare const deviceMemory: unique symbol;
/**
 * A handle of memory of a device, from one of its bytes on. Opaque; collected like an object, or released.
 */
export interface DeviceHandle {
  readonly [deviceMemory]: never;
}

declare const mappedFile: unique symbol;
/** A handle of a part of a file, mapped as memory. Opaque; collected like an object, or released. */
export interface MappingHandle {
  readonly [mappedFile]: never;
}

interface MatrixOfShape {
  dtype: DType;
  rows: number;
  dim: number;
  /** Elements from one row to the next, at least `dim`. */
  rowStride: number;
}

export interface NativeHostMatrix extends MatrixOfShape {
  data: Float32Array | Uint16Array;
  device?: undefined;
}

/** A matrix in a file, read or written where it lies. */
export interface NativeMappedMatrix extends MatrixOfShape {
  data: MappingHandle;
  device?: undefined;
}

export interface NativeDeviceMatrix extends MatrixOfShape {
  data: DeviceHandle;
  /** Index of the device on which `data` is. */
  device: number;
}

/** What the CPU can read: memory, or a file as memory. */
export type NativeCpuMatrix = NativeHostMatrix | NativeMappedMatrix;

export type NativeMatrix = NativeCpuMatrix | NativeDeviceMatrix;

/** The place of a gradient: float32, without gaps on the host and in a file. */
export type NativeOutput = Float32Array | NativeMappedMatrix | NativeDeviceMatrix;

/** Memory that another framework or addon owns, in the device's primary context. */
export interface ForeignMemory {
  device: number;
  pointer: bigint;
  bytes: number;
  /** The driver's handle of the stream on which its owner works with it, or null. */
  stream: bigint | null;
}

/** Bytes of a device. */
export interface DeviceMemory {
  /** Bytes that a call can get, `kept` included. */
  free: number;
  total: number;
  /** Bytes that this process keeps for its next call. Other processes cannot have them. */
  kept: number;
  /** Bytes of matrices of this thread, and of calls that still run on matrices that were disposed of. */
  allocated: number;
  /**
   * Number of matrices of this thread that are neither disposed of nor collected. Views and wrapped
   * memory count.
   */
  matrices: number;
}

/** The part of a file that is mapped. */
export interface MappingRequest {
  /** Absolute. */
  path: string;
  /** Byte of the file at which the data begin. */
  offset: number;
  /** Length of the data. */
  bytes: number;
  /** For gradients. The file must have all its bytes: a mapping does not grow a file. */
  writable: boolean;
  /** The file as it was when its header was read, or null. Another file, or other content, is refused. */
  expected: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint } | null;
}
