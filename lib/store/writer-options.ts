/**
 * What a store is to be, read once from the caller's options.
 *
 * Refuses unknown names, impossible values, and files longer than JavaScript can count.
 */

import { type DType, readDType } from '../matrix/host-matrix';
import { readNames } from '../read-names';
import * as check from '../validate';
import { extentsOf } from './write-header';

export interface StoreWriterOptions {
  /** Length of a row. */
  dim: number;
  /** Element type of the file, default 'float32'. Rows of another type are converted, see `append`. */
  dtype?: DType | undefined;
  /**
   * How many rows there will be, where that is known. The whole file is then written once with zeros, so that a
   * disk without enough room is found before the work. Gradients need it: a call writes them in any order.
   */
  rows?: number | undefined;
  /** Whether each row comes with an id, an int32. Default false. */
  ids?: boolean | undefined;
  /** Whether a file at the path may be replaced, on commit and at once. Default false: such a file is an error. */
  overwrite?: boolean | undefined;
}

export interface WriterPlan {
  dim: number;
  dtype: DType;
  rows: number | undefined;
  ids: boolean;
  overwrite: boolean;
}

const names = ['dim', 'dtype', 'rows', 'ids', 'overwrite'] as const;

/** Throws ERR_TYPE, ERR_VALUE, ERR_DTYPE, ERR_SHAPE or ERR_OPTION. */
export function readWriterOptions(options: unknown): WriterPlan {
  const { dim, dtype, rows, ids, overwrite } = readNames('options', options, names);
  const plan = {
    dim: check.positiveInteger('options.dim', dim),
    dtype: dtype === undefined ? 'float32' : readDType('options.dtype', dtype),
    rows: rows === undefined ? undefined : check.positiveInteger('options.rows', rows),
    ids: ids === undefined ? false : check.boolean('options.ids', ids),
    overwrite: overwrite === undefined ? false : check.boolean('options.overwrite', overwrite),
  };
  checkLength(plan, plan.rows ?? 1);
  return plan;
}

/** Throws ERR_SHAPE where a file of so many rows would have more than 2^53 bytes. */
export function checkLength({ dim, dtype, ids }: WriterPlan, rows: number): void {
  if (Number.isSafeInteger(extentsOf({ dtype, rows, dim, ids }).end)) return;
  throw check.invalid('ERR_SHAPE', 'the store', 'fewer than 2^53 bytes', `[${rows}, ${dim}]`);
}

/** Path of a file. Throws ERR_TYPE or ERR_VALUE. */
export function readPath(value: unknown): string {
  if (typeof value !== 'string') throw check.invalid('ERR_TYPE', 'path', 'string', value);
  if (value === '' || value.includes('\0')) {
    throw check.invalid('ERR_VALUE', 'path', 'path of a file, without a zero byte,', value);
  }
  return value;
}
