/**
 * Rows of rows, as embedding services and JSON have them, in one contiguous matrix.
 *
 * Refuses to guess: no row is cut or filled, no integers are taken for features, and no text for a number.
 */

import { types } from 'node:util';
import { isArray, isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import { arrayHint } from '../hints';
import type { DType } from '../native/binding';
import { readNames } from '../read-names';
import { bufferOf, isDetached, kindOf, lengthOf } from '../typed-array';
import { invalid } from '../validate';
import { allocateElements } from './allocate';
import { rowInside } from './feature-hints';
import { type HalfFloatArray, readDType } from './host-matrix';
import { isInfinite, toBits } from './narrow';

/** A matrix that owns its memory, without gaps between rows. */
export interface PackedMatrix {
  /** [rows × dim], row-major: a Float32Array, or the bits of float16 or bfloat16. */
  data: Float32Array | Uint16Array;
  shape: [rows: number, dim: number];
  dtype: DType;
}

/** What all rows have in common, by the first one. */
interface Packing extends PackedMatrix {
  /** Rows are bits already. */
  fromBits: boolean;
}

/**
 * Copies rows of equal length into one matrix, which every function of infcl accepts as features.
 *
 * @param rows Rows [rows][dim]: plain arrays or anything with a length and numbers, Float32Array, Float64Array,
 *   Float16Array, or Uint16Array with bits. At least one row of at least one finite number.
 * @param options.dtype Element type of the matrix. Default 'float32'; 'float16' where the first row is a
 *   Float16Array. Numbers are rounded once, to the nearest, ties to even. Rows of Uint16Array contain bits, are
 *   copied as they are, and need 'float16' or 'bfloat16'.
 *
 * Throws, with the index of the row in the message: ERR_TYPE for a row that is none, or for an element that is no
 * number. ERR_SHAPE for rows of different lengths, and for no row or an empty row. ERR_DTYPE for integer arrays, or
 * a dtype that does not fit the rows. ERR_NOT_FINITE for NaN, infinity, or a number beyond the dtype. ERR_DETACHED
 * for a row whose buffer was transferred. ERR_OUT_OF_MEMORY where the system refuses the memory, and ERR_OPTION for
 * an unknown option.
 */
export function packRows(
  rows: ArrayLike<ArrayLike<number> | HalfFloatArray>,
  options: { dtype?: DType | undefined } = {},
): PackedMatrix {
  const stated = readNames('options', options, ['dtype']).dtype;
  const dtype = stated === undefined ? undefined : readDType('options.dtype', stated);
  const count = lengthOfList('rows', 'array of rows', rows, rowsHint);
  if (count === 0) throw codedError('ERR_SHAPE', 'Expected at least one row for rows but received none');
  const first = rows[0];
  const packing = startPacking(count, first, dtype);
  copyRow(packing, 0, first);
  for (let row = 1; row < count; row++) {
    const next = rows[row];
    checkLength(packing, row, next);
    copyRow(packing, row, next);
  }
  const { data, shape, dtype: made } = packing;
  return { data, shape, dtype: made };
}

/** Flat numbers, and objects with data, need no packing. */
function rowsHint(rows: unknown): string {
  if (ArrayBuffer.isView(rows)) return flatHint('rows');
  const isObject = typeof rows === 'object' && rows !== null && !isRevokedProxy(rows);
  return isObject && 'data' in rows ? '; an object { data, shape } is a matrix already' : '';
}

const flatHint = (data: string) =>
  `; flat numbers are a matrix already: { data: ${data}, shape: [rows, dim] }`;

/** The length of an array-like object, read once. Throws ERR_TYPE. */
function lengthOfList(
  name: string,
  expected: string,
  value: unknown,
  hintFor: (value: unknown) => string,
): number {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    // the length of a typed array cannot be read through a Proxy
    const isRead = !types.isProxy(value) || isArray(value);
    const { length } = isRead ? (value as ArrayLike<unknown>) : { length: -1 };
    if (Number.isSafeInteger(length) && length >= 0) return length;
  }
  throw invalid('ERR_TYPE', name, expected, value, hintFor(value));
}

/** Allocates the matrix. The element type and the width are those of the first row. */
function startPacking(rows: number, first: unknown, stated: DType | undefined): Packing {
  const dim = lengthOfRow(0, first);
  if (dim === 0) throw codedError('ERR_SHAPE', 'Expected at least one number for rows[0] but received none');
  const kind = kindOf(first);
  const fromBits = kind === 'Uint16Array';
  const dtype = stated ?? (kind === 'Float16Array' ? 'float16' : fromBits ? undefined : 'float32');
  if (dtype === undefined || (fromBits && dtype === 'float32')) {
    const expected = 'float16 or bfloat16, as rows[0] is a Uint16Array,';
    throw invalid('ERR_DTYPE', 'options.dtype', expected, stated);
  }
  const elements = rows * dim;
  if (!Number.isSafeInteger(elements)) {
    throw codedError('ERR_SHAPE', `Expected fewer elements than memory has but received [${rows}, ${dim}]`);
  }
  const data = allocateElements(`a matrix [${rows}, ${dim}] of ${dtype}`, elements, dtype, 'pack fewer rows');
  return { data, shape: [rows, dim], dtype, fromBits };
}

/** Kinds of typed arrays whose elements are features. The others are refused: integers mean something else. */
const floatKinds = ['Float32Array', 'Float64Array', 'Float16Array', 'Uint16Array'];

/** Throws ERR_TYPE, ERR_DTYPE or ERR_DETACHED. */
function lengthOfRow(row: number, value: unknown): number {
  const name = `rows[${row}]`;
  const kind = kindOf(value);
  if (kind === undefined) return lengthOfList(name, 'array of numbers', value, rowHint);
  const array = value as ArrayBufferView;
  if (!floatKinds.includes(kind)) {
    throw invalid('ERR_DTYPE', name, 'array of floats', value, arrayHint('Float32Array', 'row', value));
  }
  if (isDetached(bufferOf(array))) {
    throw codedError('ERR_DETACHED', `Expected an attached buffer for ${name} but received a detached one`);
  }
  return lengthOf(array);
}

/** For a row that is a number, an object with the row in it, or a DataView. */
function rowHint(value: unknown): string {
  if (typeof value === 'number') return flatHint('Float32Array.from(rows)');
  if (ArrayBuffer.isView(value)) return '; make a Float32Array of its bytes';
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return '';
  const inside = rowInside(value);
  return inside === undefined ? '' : `; packRows(rows.map((row) => ${inside})) takes the rows out`;
}

/** Throws for a row that is none, or of another length than the first one. */
function checkLength({ shape: [, dim] }: Packing, row: number, value: unknown): void {
  const length = lengthOfRow(row, value);
  if (length === dim) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${dim} elements, as in rows[0], for rows[${row}] but received ${length}`,
  );
}

/** Throws for bits among numbers, numbers among bits, and an element that is no finite number. */
function copyRow(packing: Packing, row: number, value: unknown): void {
  const { data, shape, fromBits } = packing;
  if ((kindOf(value) === 'Uint16Array') !== fromBits) {
    const expected = fromBits ? 'Uint16Array, as rows[0] is,' : 'array of floats, as rows[0] is,';
    throw invalid('ERR_DTYPE', `rows[${row}]`, expected, value);
  }
  if (fromBits) data.set(value as Uint16Array, row * shape[1]);
  else copyNumbers(packing, row, value as ArrayLike<unknown>);
}

/** Throws ERR_TYPE or ERR_NOT_FINITE. */
function copyNumbers(
  { data, shape: [, dim], dtype }: Packing,
  row: number,
  values: ArrayLike<unknown>,
): void {
  const begin = row * dim;
  for (let i = 0; i < dim; i++) {
    const value = values[i];
    if (typeof value !== 'number')
      throw invalid('ERR_TYPE', `rows[${row}][${i}]`, 'number', value, rowHint(values));
    const stored = dtype === 'float32' ? Math.fround(value) : toBits(value, dtype);
    const fits = dtype === 'float32' ? Number.isFinite(stored) : !isInfinite(stored, dtype);
    if (!fits || Number.isNaN(value)) {
      throw invalid('ERR_NOT_FINITE', `rows[${row}][${i}]`, `number that ${dtype} has`, value);
    }
    data[begin + i] = stored;
  }
}
