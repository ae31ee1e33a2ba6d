/**
 * Features as callers have them, and as native code reads them. Accepts any object with flat row-major data and a
 * shape: `{ data, shape }`, or an onnxruntime tensor (`{ data, dims, type }`), without copying.
 *
 * Refuses to guess: no shape from a length, no conversion of element types, no nested or sparse arrays.
 */

import { types } from 'node:util';
import type { DeviceMatrix } from './device-matrix';
import { codedError } from './errors';
import type { DType, NativeHostMatrix } from './native/binding';
import { lengthOf } from './typed-array';
import { describeList, invalid, positiveInteger, stableArray } from './validate';

/** Row-major features [rows × dim]. */
export interface MatrixLike {
  /** At least `(rows - 1) * rowStride + dim` elements, on a buffer that is neither resizable nor detached. */
  data: Float32Array | Uint16Array;
  /** One of `shape` and `dims` is required. */
  shape?: readonly [rows: number, dim: number];
  /** The same under the name onnxruntime uses. */
  dims?: readonly number[];
  /** Default for a Float32Array; a Uint16Array needs 'float16' or 'bfloat16', whose bits it holds. */
  dtype?: DType;
  /** Elements from the start of one row to the next; default `dim`. */
  rowStride?: number;
}

/** Of the host or of a CUDA device; those of one call are all of one place. */
export type Features = MatrixLike | DeviceMatrix;

export const dtypes: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** The wider view of a caller's object: anything may be missing or wrong. */
interface Candidate {
  data?: unknown;
  shape?: unknown;
  dims?: unknown;
  dtype?: unknown;
  type?: unknown;
  rowStride?: unknown;
}

/**
 * Checks one matrix and restates it for native code, on the caller's own memory.
 *
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED.
 */
export function toNativeMatrix(name: string, features: unknown): NativeHostMatrix {
  if (typeof features !== 'object' || features === null || ArrayBuffer.isView(features)) {
    throw invalid('ERR_TYPE', name, 'matrix { data, shape: [rows, dim] }', features);
  }
  // every property is read here and only here
  const { data: givenData, dtype: stated, type, shape, dims, rowStride: givenStride } = features as Candidate;
  const { data, dtype } = readData(name, givenData, stated ?? type);
  const { rows, dim } = readShape(name, { shape, dims });
  const rowStride = givenStride === undefined ? dim : positiveInteger(`${name}.rowStride`, givenStride);
  if (rowStride < dim) {
    throw invalid('ERR_SHAPE', `${name}.rowStride`, `at least dim (${dim})`, rowStride);
  }
  const needed = (rows - 1) * rowStride + dim;
  if (lengthOf(data) < needed) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least ${needed} elements for ${name}.data of shape [${rows}, ${dim}] and row stride ${rowStride} ` +
        `but received ${lengthOf(data)}`,
    );
  }
  return { data, dtype, rows, dim, rowStride };
}

function readData(name: string, data: unknown, stated: unknown): Pick<NativeHostMatrix, 'data' | 'dtype'> {
  if (stated !== undefined && !dtypes.includes(stated as DType)) {
    throw invalid('ERR_DTYPE', `${name}.dtype`, `one of ${dtypes.join(', ')}`, stated);
  }
  if (types.isUint16Array(data)) {
    if (stated !== 'float16' && stated !== 'bfloat16') {
      throw invalid('ERR_DTYPE', `${name}.dtype`, 'float16 or bfloat16, as data is a Uint16Array,', stated);
    }
    stableArray(`${name}.data`, data);
    return { data, dtype: stated };
  }
  if (!types.isFloat32Array(data)) {
    const code = ArrayBuffer.isView(data) ? 'ERR_DTYPE' : 'ERR_TYPE';
    throw invalid(code, `${name}.data`, 'Float32Array or Uint16Array', data);
  }
  if (stated !== undefined && stated !== 'float32') {
    throw invalid('ERR_DTYPE', `${name}.dtype`, 'float32, as data is a Float32Array,', stated);
  }
  stableArray(`${name}.data`, data);
  return { data, dtype: 'float32' };
}

/** Throws ERR_TYPE or ERR_SHAPE. */
export function readShape(
  name: string,
  { shape, dims }: Pick<Candidate, 'shape' | 'dims'>,
): { rows: number; dim: number } {
  const which = shape !== undefined ? 'shape' : 'dims';
  const stated = readList(shape ?? dims);
  if (stated === null) {
    throw invalid('ERR_TYPE', `${name}.shape`, 'array [rows, dim]', shape ?? dims);
  }
  const [rows, dim] = stated as number[];
  if (stated.length !== 2 || !isExtent(rows) || !isExtent(dim)) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [rows, dim], both positive integers, for ${name}.${which} but received ${describeList(stated)}`,
    );
  }
  const other = shape === undefined ? null : readList(dims);
  if (other !== null && (other.length !== 2 || other[0] !== rows || other[1] !== dim)) {
    throw codedError(
      'ERR_SHAPE',
      `Expected equal ${name}.shape and ${name}.dims but received ${describeList(stated)} and ${describeList(other)}`,
    );
  }
  return { rows, dim };
}

/** The first elements of anything like an array, each read once: enough to tell two from more. Null for what is none. */
function readList(value: unknown): unknown[] | null {
  if (typeof value !== 'object' || value === null) return null;
  const list = value as ArrayLike<unknown>;
  const { length } = list;
  if (!Number.isSafeInteger(length) || length < 0) return null;
  return Array.from({ length: Math.min(length, 5) }, (_, i) => list[i]);
}

function isExtent(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && value! > 0;
}
