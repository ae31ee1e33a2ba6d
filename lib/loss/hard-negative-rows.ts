/**
 * Which rows of the hard negatives belong to each query: `perQuery` rows of each, or ragged rows by `offsets`. The
 * loss functions, the towers of a step and the adapters read both forms here.
 *
 * Refuses both forms at once, and rows that belong to no query.
 */

import { codedError } from '../errors';
import * as check from '../validate';
import { copyOffsets } from './key-lists';
import type { HardNegativeRows } from './options';

/**
 * A copy, checked as far as that needs no features. Throws ERR_TYPE, ERR_VALUE, ERR_SHAPE, ERR_BUFFER or
 * ERR_DETACHED.
 */
export function readHardNegativeRows(
  name: string,
  { perQuery, offsets }: Readonly<Record<'perQuery' | 'offsets', unknown>>,
): HardNegativeRows {
  if (offsets === undefined) return { perQuery: check.positiveInteger(`${name}.perQuery`, perQuery) };
  if (perQuery !== undefined) {
    throw codedError('ERR_VALUE', `Expected ${name}.perQuery or ${name}.offsets, not both`);
  }
  return { offsets: copyOffsets(`${name}.offsets`, offsets, null) };
}

/** How many rows there must be for so many queries. */
export function countHardNegatives({ perQuery, offsets }: HardNegativeRows, queries: number): number {
  return offsets === undefined ? perQuery * queries : offsets[offsets.length - 1]!;
}

/** The offsets for so many queries; null where each query has as many. Throws ERR_SHAPE or ERR_VALUE. */
export function fitOffsets(name: string, { offsets }: HardNegativeRows, queries: number): Int32Array | null {
  return offsets === undefined ? null : copyOffsets(`${name}.offsets`, offsets, queries);
}
