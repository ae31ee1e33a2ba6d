/**
 * Which keys belong to each query. They are never its negatives, and margins are measured from them.
 *
 * Refuses positives that are no key, and queries without a positive where a margin needs one.
 */

import { codedError } from '../../errors';
import { lengthOf } from '../../typed-array';
import * as check from '../../validate';
import { readKeyLists } from '../read-relevant';
import { requireLength } from '../read-search';
import type { RelevantKeys } from '../results';

const name = 'options.positives';

/** On arrays of our own. */
export interface Positives extends RelevantKeys {
  /** The largest number of positives of one query. */
  most: number;
  /** Whether the caller gave none, so that key i belongs to query i. */
  isDefault: boolean;
}

/** Throws ERR_TYPE, ERR_OPTION, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED. */
export function readPositives(value: unknown, queries: number): Positives {
  const { offsets, keys } = toLists(value, queries);
  const most = offsets.reduce((largest, end, at) => Math.max(largest, end - (offsets[at - 1] ?? 0)), 0);
  return { offsets, keys, most, isDefault: value === undefined };
}

function toLists(value: unknown, queries: number): RelevantKeys {
  const oneEach = Int32Array.from({ length: queries + 1 }, (_, query) => query);
  if (value === undefined) return { offsets: oneEach, keys: oneEach.subarray(0, queries) };
  if (typeof value !== 'object' || Array.isArray(value) || ArrayBuffer.isView(value)) {
    const keys = new Int32Array(check.int32Array(name, value));
    requireLength(name, lengthOf(keys), queries);
    const bad = keys.findIndex((key) => key < 0);
    if (bad < 0) return { offsets: oneEach, keys };
    const hint = '; { offsets, keys } may have queries without a positive';
    throw check.invalid('ERR_VALUE', `${name}[${bad}]`, 'index of a key', keys[bad], hint);
  }
  const { offsets, keys } = readKeyLists(name, value, queries);
  return { offsets: new Int32Array(offsets), keys: new Int32Array(keys) };
}

/** Throws ERR_VALUE for a query without a positive. */
export function requireEveryPositive({ offsets }: Positives, option: 'margin' | 'relativeMargin'): void {
  const query = offsets.findIndex((offset, at) => at + 1 < offsets.length && offsets[at + 1] === offset);
  if (query < 0) return;
  throw codedError(
    'ERR_VALUE',
    `Expected a positive of each query beside options.${option}, which is measured from it, but query ${query} has none in ` +
      `${name}; options.maxScore needs none`,
  );
}

/** Throws ERR_SHAPE or ERR_VALUE for a positive beyond the last key. */
export function requirePositivesBelow(count: number, { offsets, keys, isDefault }: Positives): void {
  const bad = keys.findIndex((key) => key >= count);
  if (bad < 0) return;
  if (isDefault) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least ${offsets.length - 1} keys, as key i belongs to query i, but received ${count}; ` +
        `${name} says which keys belong to a query`,
    );
  }
  throw check.invalid('ERR_VALUE', `a key of ${name}`, `key from 0 to ${count - 1}`, keys[bad]);
}
