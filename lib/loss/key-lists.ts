/**
 * Lists of keys, one for each query, in compressed sparse rows: read from the caller, checked, and copied for
 * native code. The options `excludePairs` and `labels` are such lists.
 *
 * Refuses to repair: a key that occurs twice, or an offset that falls, is an error and not a guess. Copies all
 * numbers, because native indices rely on them: the caller could change them after a check.
 */

import { codedError } from '../errors';
import type { NativeKeyLists } from '../native/binding';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import type { KeyLists } from './options';

/** Numbers of rows. */
interface ListedRows {
  queries: number;
  keys: number;
}

/** A copy of the object on the caller's own arrays, each property read once. Throws ERR_TYPE or ERR_OPTION. */
export function readKeyLists(name: string, value: unknown): KeyLists {
  const { offsets, keys } = readNames(name, value, ['offsets', 'keys']);
  return {
    offsets: check.int32Array(`${name}.offsets`, offsets),
    keys: check.int32Array(`${name}.keys`, keys),
  };
}

/**
 * A copy whose lists ascend. Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED.
 *
 * @param rows Null before the features are known: the checks that need none.
 */
export function copyKeyLists(name: string, given: KeyLists, rows: ListedRows | null): NativeKeyLists {
  const keys = new Int32Array(check.int32Array(`${name}.keys`, given.keys));
  const offsets = copyOffsets(`${name}.offsets`, given.offsets, rows?.queries ?? null);
  requireEnd(`${name}.offsets`, offsets, keys.length, `${name}.keys`);
  const least = keys.findIndex((key) => key < 0 || (rows !== null && key >= rows.keys));
  if (least >= 0) {
    const expected = rows === null ? 'key index from 0 on' : `key index from 0 to ${rows.keys - 1}`;
    throw check.invalid('ERR_VALUE', `${name}.keys[${least}]`, expected, keys[least]);
  }
  for (let query = 0; query + 1 < offsets.length; query++) {
    const twice = sortList(keys.subarray(offsets[query], offsets[query + 1]));
    if (twice === undefined) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected each key once for query ${query} in ${name}.keys but received key ${twice} twice`,
    );
  }
  return { offsets, keys };
}

/**
 * A copy of offsets that start at 0 and do not fall. Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or
 * ERR_DETACHED.
 *
 * @param queries Null before the features are known.
 */
export function copyOffsets(name: string, given: unknown, queries: number | null): Int32Array {
  const offsets = new Int32Array(check.int32Array(name, given));
  const count = offsets.length;
  if (queries === null ? count < 2 : count !== queries + 1) {
    const expected = queries === null ? 'at least 2' : `${queries + 1}`;
    throw codedError(
      'ERR_SHAPE',
      `Expected ${expected} ${name}, one per query and the end of the last, but received ${count}`,
    );
  }
  checkOffsets(name, offsets);
  return offsets;
}

/** Throws ERR_VALUE for offsets that do not start at 0, or that fall. */
export function checkOffsets(name: string, offsets: Int32Array): void {
  for (let at = 0; at < offsets.length; at++) {
    const offset = offsets[at]!;
    if (at === 0 ? offset === 0 : offset >= offsets[at - 1]!) continue;
    const expected = at === 0 ? '0' : `at least ${offsets[at - 1]}, the offset before,`;
    throw check.invalid('ERR_VALUE', `${name}[${at}]`, expected, offset);
  }
}

/** Throws ERR_VALUE for offsets that end elsewhere than the `count` rows or elements that they cut into lists. */
export function requireEnd(name: string, offsets: Int32Array, count: number, of: string): void {
  const last = lengthOf(offsets) - 1;
  if (offsets[last] === count) return;
  throw check.invalid('ERR_VALUE', `${name}[${last}]`, `${count}, the number of ${of},`, offsets[last]);
}

/** Sorts the list in place. Returns a key that occurs twice. */
function sortList(keys: Int32Array): number | undefined {
  let ascends = true;
  for (let at = 1; at < keys.length && ascends; at++) ascends = keys[at]! > keys[at - 1]!;
  if (ascends) return undefined;
  keys.sort();
  return keys.find((key, at) => at > 0 && key === keys[at - 1]);
}
