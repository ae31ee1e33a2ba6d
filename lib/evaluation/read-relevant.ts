/**
 * Checks which keys are relevant to each query, and hands them out query by query.
 *
 * Refuses to repair: a key that occurs twice, or an offset that falls, is an error and not a guess.
 */

import { codedError } from '../errors';
import { checkOffsets, requireEnd } from '../loss/key-lists';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { requireLength } from './read-search';
import type { RelevantKeys } from './results';

/** The relevant keys of one query. */
export type RelevantTo = (query: number) => ReadonlySet<number>;

/**
 * By default, key i is the only one that is relevant to query i. Throws ERR_TYPE, ERR_OPTION, ERR_SHAPE,
 * ERR_VALUE, ERR_BUFFER or ERR_DETACHED.
 */
export function readRelevant(value: unknown, queries: number): RelevantTo {
  if (value === undefined) return (query) => new Set([query]);
  const name = 'options.relevant';
  const { offsets, keys } = readKeyLists(name, value, queries);
  if (lengthOf(keys) === 0) {
    throw codedError('ERR_VALUE', `Expected at least one relevant key in ${name}.keys but received none`);
  }
  return (query) => new Set(keys.subarray(offsets[query], offsets[query + 1]));
}

/**
 * The caller's lists of keys, one for each query, checked and not copied. Throws ERR_TYPE, ERR_OPTION,
 * ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED.
 */
export function readKeyLists(name: string, value: unknown, queries: number): RelevantKeys {
  const given = readNames(name, value, ['offsets', 'keys']);
  const offsets = check.int32Array(`${name}.offsets`, given.offsets);
  const keys = check.int32Array(`${name}.keys`, given.keys);
  requireLength(`${name}.offsets`, lengthOf(offsets), queries + 1);
  checkOffsets(`${name}.offsets`, offsets);
  requireEnd(`${name}.offsets`, offsets, lengthOf(keys), `${name}.keys`);
  keys.forEach((key, at) => {
    if (key < 0) throw check.invalid('ERR_VALUE', `${name}.keys[${at}]`, 'index of a key', key);
  });
  for (let query = 0; query < queries; query++) {
    const listed = keys.subarray(offsets[query], offsets[query + 1]);
    const { size } = new Set(listed);
    if (size === listed.length) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected each key once for query ${query} in ${name}.keys but received ${listed.length} keys of which ${size} differ`,
    );
  }
  return { offsets, keys };
}
