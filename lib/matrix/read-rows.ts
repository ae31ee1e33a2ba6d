/**
 * Features for arithmetic in JavaScript: rows of float32 on the host, checked and finite. Rows of 16 bits
 * become a float32 copy, and rows of a store a copy in memory; other rows stay where they are.
 *
 * Refuses features on a device, which JavaScript cannot read.
 */

import { types } from 'node:util';
import { codedError } from '../errors';
import type { NativeHostMatrix } from '../native/binding';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { converted } from './convert';
import { toHostMatrix } from './features';

/** Finite numbers. Row i begins at `i * rowStride`. */
export interface Rows {
  /** The caller's name of the matrix, for messages. */
  name: string;
  data: Float32Array;
  rows: number;
  dim: number;
  rowStride: number;
}

/**
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER, ERR_DETACHED, ERR_NOT_FINITE, or
 * ERR_OUT_OF_MEMORY for a copy. For a store also ERR_DISPOSED or ERR_STORE.
 */
export function readRows(name: string, features: unknown): Rows {
  return finiteRows(name, toHostMatrix(name, features));
}

/** The same for a checked matrix. Throws ERR_NOT_FINITE and ERR_OUT_OF_MEMORY. */
export function finiteRows(name: string, matrix: NativeHostMatrix): Rows {
  const { rows, dim, rowStride } = matrix;
  const read = types.isFloat32Array(matrix.data)
    ? { name, data: matrix.data, rows, dim, rowStride }
    : { name, data: converted(name, matrix, 'float32').data, rows, dim, rowStride: dim };
  requireFinite(name, read);
  return read;
}

/** Throws ERR_SHAPE where two sides have no equal feature size. */
export function requireEqualDim(name: string, one: Rows, otherName: string, other: Rows): void {
  if (one.dim === other.dim) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected dim ${one.dim}, as ${name} has, for ${otherName} but received [${other.rows}, ${other.dim}]`,
  );
}

/** Throws ERR_DETACHED where the array was transferred while the work waited for its next slice. */
export function requireAttached({ name, data }: Rows): void {
  if (lengthOf(data) > 0) return;
  throw codedError(
    'ERR_DETACHED',
    `The buffer of ${name}.data was detached during the call: keep the array until the promise settles`,
  );
}

/** Throws ERR_NOT_FINITE, with row and column. */
export function requireFinite(name: string, { data, rows, dim, rowStride }: Omit<Rows, 'name'>): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStride;
    // 0 times a number is 0, and 0 times NaN or infinity is NaN
    let zeros = 0;
    for (let at = begin; at < begin + dim; at++) zeros += 0 * data[at]!;
    if (zeros === 0) continue;
    const column = data.subarray(begin, begin + dim).findIndex((value) => !Number.isFinite(value));
    const where = `row ${row}, column ${column} of ${name}`;
    throw check.invalid('ERR_NOT_FINITE', where, 'finite number', data[begin + column]);
  }
}
