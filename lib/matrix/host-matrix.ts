/**
 * Features on the host, in the callers' form and in that of native code. Accepts any object with flat
 * row-major data and a shape: `{ data, shape }`, or an onnxruntime tensor (`{ data, dims, type }`).
 * Copies nothing.
 *
 * Refuses to guess: no shape from a length, no conversion of element types, no nested or sparse arrays.
 */

import { types } from 'node:util';
import { describeList, isArray, isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import { valueHint } from '../hints';
import type { DType, NativeHostMatrix } from '../native/binding';
import { bufferOf, byteOffsetOf, kindOf, lengthOf } from '../typed-array';
import { invalid, stableArray } from '../validate';
import { dataHint, featuresHint } from './feature-hints';
import { readLayout, readList, type StatedLayout } from './layout';
import { isMappedFeatures } from './mapped-features';

export type { DType };

/** Row-major features [rows × dim]. */
export interface MatrixLike {
  /** At least `(rows - 1) * rowStride + dim` elements, on a buffer that is neither resizable nor detached. */
  data: Float32Array | Uint16Array;
  /** [rows, dim]. One of `shape` and `dims` is required. */
  shape?: readonly number[] | undefined;
  /** The same as `shape`, under onnxruntime's name. */
  dims?: readonly number[] | undefined;
  /**
   * Element type. Default 'float32' for a Float32Array. A Uint16Array contains bits and needs 'float16'
   * or 'bfloat16'.
   */
  dtype?: DType | undefined;
  /** Elements from the start of one row to the next; default `dim`. */
  rowStride?: number | undefined;
}

/** A Float16Array, which older versions of Node and TypeScript do not know. */
export interface HalfFloatArray extends ArrayBufferView {
  readonly [Symbol.toStringTag]: 'Float16Array';
  readonly length: number;
}

/** A matrix in the form of other libraries: tensors of onnxruntime and transformers.js, ndarrays. */
export interface TensorLike {
  data: Float32Array | Uint16Array | HalfFloatArray;
  shape?: ArrayLike<number> | undefined;
  dims?: ArrayLike<number> | undefined;
  dtype?: string | undefined;
  type?: string | undefined;
  rowStride?: number | undefined;
  /** Strides in elements. The last one must be 1: the elements of a row have no gaps. */
  stride?: ArrayLike<number> | (() => ArrayLike<number>) | undefined;
  strides?: ArrayLike<number> | undefined;
  /** Index of the first element. */
  offset?: number | undefined;
  order?: unknown;
}

/**
 * A tensor whose element type only the running program knows, as in onnxruntime's type of session outputs.
 * The call checks `type` and `data`.
 */
export interface UntypedTensor {
  readonly data: ArrayBufferView | readonly string[];
  readonly dims: readonly number[];
  readonly type: string;
}

/** Features in the memory of the host. */
export type HostFeatures = MatrixLike | TensorLike | UntypedTensor;

export const dtypes: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** A caller's object before the checks: any property may be missing or wrong. */
interface Candidate extends StatedLayout {
  data?: unknown;
  shape?: unknown;
  dims?: unknown;
  dtype?: unknown;
  type?: unknown;
}

/**
 * Checks one matrix and restates it for native code, on the caller's own memory.
 *
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED.
 */
export function toNativeMatrix(name: string, features: unknown): NativeHostMatrix {
  refuseOthers(name, features);
  // every property is read here and only here
  const { data: givenData, dtype: stated, type, shape, dims, ...rest } = readCandidate(features);
  if (givenData === undefined) refuseWithoutData(name, features);
  const { data: whole, dtype } = readData(name, givenData, stated ?? type);
  const { rows, dim } = readShape(name, { shape, dims });
  const { rowStride, offset } = readLayout(name, rest, { rows, dim }, features);
  const needed = offset + (rows - 1) * rowStride + dim;
  if (lengthOf(whole) < needed) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least ${needed} elements for ${name}.data of shape [${rows}, ${dim}] and row stride ${rowStride} ` +
        `but received ${lengthOf(whole)}`,
    );
  }
  const data = offset === 0 ? whole : from(whole, offset);
  // `device` is set too: an inherited `device` would mean that the matrix is on a device
  return { data, dtype, rows, dim, rowStride, device: undefined };
}

function readCandidate(features: object): Candidate {
  const { data, shape, dims, dtype, type, rowStride, stride, strides, offset, order } = features as Candidate;
  return { data, shape, dims, dtype, type, rowStride, stride, strides, offset, order };
}

/** A view of the elements from `offset` on. */
function from(data: NativeHostMatrix['data'], offset: number): NativeHostMatrix['data'] {
  const begin = byteOffsetOf(data) + offset * data.BYTES_PER_ELEMENT;
  const length = lengthOf(data) - offset;
  return types.isFloat32Array(data)
    ? new Float32Array(bufferOf(data), begin, length)
    : new Uint16Array(bufferOf(data), begin, length);
}

/** Refuses a value that is no object with properties. Throws ERR_TYPE. */
function refuseOthers(name: string, features: unknown): asserts features is object {
  const isObject = typeof features === 'object' && features !== null && !isRevokedProxy(features);
  const isMemory = ArrayBuffer.isView(features) || types.isAnyArrayBuffer(features);
  if (isObject && !isMemory && !isArray(features)) return;
  throw invalid('ERR_TYPE', name, 'matrix { data, shape: [rows, dim] }', features, featuresHint(features));
}

/** Names that only options have, and no matrix. */
const tellingNames = ['objective', 'logitScale', 'labels', 'directions', 'grad', 'signal', 'onProgress'];

function refuseWithoutData(name: string, features: object): never {
  const areOptions = tellingNames.some((option) => option in features);
  const promiseHint = types.isPromise(features) ? '; await the promise first' : '';
  const hint = areOptions
    ? '; these look like options, which come after the keys (null where there are none)'
    : promiseHint || storeHint(features);
  throw invalid('ERR_TYPE', `${name}.data`, 'Float32Array or Uint16Array', undefined, hint);
}

/** For a store where only arrays do, and for one that was posted to another thread: that is an object with its fields. */
function storeHint(features: object): string {
  if (isMappedFeatures(features)) return '; store.rows() is a copy in memory';
  return 'path' in features && 'shape' in features && 'dtype' in features
    ? '; a FeatureStore cannot be posted to another thread: FeatureStore.open(path) opens the file there'
    : '';
}

function readData(name: string, data: unknown, stated: unknown): Pick<NativeHostMatrix, 'data' | 'dtype'> {
  const where = `${name}.data`;
  const kind = kindOf(data);
  if (kind === undefined) {
    const code = ArrayBuffer.isView(data) ? 'ERR_DTYPE' : 'ERR_TYPE';
    throw invalid(code, where, 'Float32Array or Uint16Array', data, dataHint(where, data));
  }
  if (stated !== undefined) readDType(`${name}.dtype`, stated);
  const allowed = dtypesOf[kind];
  if (allowed === undefined) {
    throw invalid('ERR_DTYPE', where, 'Float32Array or Uint16Array', data, dataHint(where, data));
  }
  // 16 bits may be either of two types; only the caller knows which
  const dtype = stated ?? (allowed.length === 1 ? allowed[0] : undefined);
  if (!allowed.includes(dtype as DType)) {
    throw invalid('ERR_DTYPE', `${name}.dtype`, `${allowed.join(' or ')}, as data is a ${kind},`, stated);
  }
  const array = data as NativeHostMatrix['data'];
  stableArray(where, array);
  return { data: kind === 'Float16Array' ? bitsOf(array) : array, dtype: dtype as DType };
}

/** Throws ERR_DTYPE. */
export function readDType(name: string, value: unknown): DType {
  if (dtypes.includes(value as DType)) return value as DType;
  const hint = typeof value === 'string' ? valueHint(value, dtypes) : '';
  throw invalid('ERR_DTYPE', name, `one of ${dtypes.join(', ')}`, value, hint);
}

/** The element types that each kind of array can contain. */
const dtypesOf: Record<string, readonly DType[]> = {
  Float32Array: ['float32'],
  Uint16Array: ['float16', 'bfloat16'],
  Float16Array: ['float16'],
};

/** The same memory as a Uint16Array, because the interface of native code is older than Float16Array. */
function bitsOf(array: ArrayBufferView): Uint16Array {
  return new Uint16Array(bufferOf(array), byteOffsetOf(array), lengthOf(array));
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
  if (stated.length !== 2 || !isLength(rows) || !isLength(dim)) {
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

function isLength(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && value! > 0;
}
