/**
 * A matrix in memory of a device that another framework or addon owns, as its owner states it.
 *
 * Refuses addresses and streams that no device can have. The driver finds out whether the address is of
 * the device.
 */

import { readNames } from '../read-names';
import * as check from '../validate';
import { bytesOf, type DeviceLayout, readDevice } from './device-memory';
import { type DType, readDType, readShape } from './host-matrix';

/** Memory of a device that another framework or addon owns, in the device's primary context. */
export interface ForeignMatrix {
  /** Address of the first element, a multiple of its size. */
  pointer: bigint;
  /** [rows, dim]. */
  shape: readonly number[];
  dtype: DType;
  /** Elements from the start of one row to the next; default `dim`. */
  rowStride?: number | undefined;
  /** Index of the device, default 0. */
  device?: number | undefined;
  /**
   * Handle (CUstream, cudaStream_t) of the stream on which the owner works with this memory; 0n is the
   * default stream. A call starts after all work that is on the stream when the call begins. Later work on
   * the stream starts after the call. Without a stream, the owner's work must be done before a call begins.
   */
  stream?: bigint | undefined;
}

const foreignNames = ['pointer', 'shape', 'dtype', 'rowStride', 'device', 'stream'] as const;

/**
 * The per-thread default stream. Which thread it belongs to depends on the caller, so a call cannot wait
 * for it.
 */
const perThreadStream = 2n;

interface CheckedForeignMatrix {
  layout: DeviceLayout;
  pointer: bigint;
  stream: bigint | null;
}

/** Reads each property once. Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE or ERR_OPTION. */
export function readForeignMatrix(memory: unknown): CheckedForeignMatrix {
  const given = readNames('memory', memory, foreignNames);
  const dtype = readDType('memory.dtype', given.dtype);
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
  return { layout: { dtype, rows, dim, rowStride, device }, pointer, stream };
}

function readAddress(name: string, value: unknown): bigint {
  if (typeof value !== 'bigint') throw check.invalid('ERR_TYPE', name, 'bigint', value);
  if (value < 0n || value >= 1n << 64n) throw check.invalid('ERR_VALUE', name, 'address of 64 bits', value);
  return value;
}
