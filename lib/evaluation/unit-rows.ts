/**
 * Rows of length 1. Metrics on the unit sphere are defined for such rows only.
 *
 * Refuses to normalise features of other lengths: a metric must judge the features that the caller uses.
 * Rounding to float32 or 16 bits moves a length a little, and only that is set right.
 */

import { type Rows, readRows } from '../matrix/read-rows';
import * as check from '../validate';

/** Rounding to bfloat16 moves a length by at most 2^-9, so by less than this. */
const tolerance = 0.004;

/** Checked rows and the factor of each row that gives length 1. */
export interface UnitRows extends Rows {
  /** [rows]. */
  factors: Float64Array;
}

/** Throws as `readRows`, and ERR_VALUE for a row of another length than 1. */
export function readUnitRows(name: string, features: unknown): UnitRows {
  const read = readRows(name, features);
  const factors = new Float64Array(read.rows);
  for (let row = 0; row < read.rows; row++) {
    let squares = 0;
    for (let at = row * read.rowStride; at < row * read.rowStride + read.dim; at++)
      squares += read.data[at]! ** 2;
    const length = Math.sqrt(squares);
    if (Math.abs(length - 1) > tolerance) {
      const hint = '; divide each row by its length';
      throw check.invalid('ERR_VALUE', `the length of row ${row} of ${name}`, '1', length, hint);
    }
    factors[row] = 1 / length;
  }
  return { ...read, factors };
}
