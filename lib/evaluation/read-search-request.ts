/**
 * Checks the arguments of a search before any work: features of both sides, ids, positives, and options.
 *
 * Copies ids, positives and limits, so that the caller may change these arrays while a search waits. Features
 * are read in place.
 */

import { types } from 'node:util';
import { codedError } from '../errors';
import { resolveResources } from '../loss/resolve';
import { refuseDevice, toNativeFeatures } from '../matrix/features';
import type { NativeCpuMatrix } from '../native/binding';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { readOptionsOf } from './read-options';
import { readKeyLists } from './read-relevant';
import { requireLength } from './read-search';
import type { RelevantKeys } from './results';
import type { SearchProgress } from './search-options';

/** Features of both sides, of equal dim. */
export interface SearchFeatures {
  /** [M × D]. */
  queries: NativeCpuMatrix;
  /** [N × D]. */
  keys: NativeCpuMatrix;
}

/** What every search takes, checked. */
export interface SearchSettings {
  threads: number;
  workspaceBytes: number;
  signal: AbortSignal | undefined;
  onProgress: ((done: SearchProgress) => unknown) | undefined;
}

/** Which keys are left out, and which keys count as one. */
export interface SearchIds {
  /** [M] and [N]: a key of the query's id is left out. Both or none. */
  queryIds: Int32Array | null;
  keyIds: Int32Array | null;
  /** [N]: keys of one group count once, by the best of them. */
  keyGroups: Int32Array | null;
}

/** A search whose arguments are checked. */
export interface TopKSearch extends SearchFeatures, SearchIds, SearchSettings {
  /** From 1 to the number of keys. */
  k: number;
  /** [M]: keys whose score is above the limit of their query are left out; a score at the limit counts. */
  limits: Float32Array | null;
}

/** No key is left out, and each key counts. */
export const noIds: SearchIds = { queryIds: null, keyIds: null, keyGroups: null };

const commonNames = ['queryIds', 'keyIds', 'threads', 'workspaceBytes', 'signal', 'onProgress'] as const;
export const topKNames = [...commonNames, 'excludeIds', 'group'] as const;
export const ranksNames = [...commonNames, 'positives', 'group'] as const;

/** Indices of keys are int32. */
const mostKeys = 2 ** 31 - 1;

/**
 * Features on the caller's own memory, or in a file. Whether they are finite is found in the search. Throws
 * ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER, ERR_DETACHED, or ERR_DISPOSED for a store.
 */
export function readSearchFeatures(queryFeatures: unknown, keyFeatures: unknown): SearchFeatures {
  const [queries, keys] = [readSide('queries', queryFeatures), readSide('keys', keyFeatures)];
  if (queries.dim !== keys.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected queries and keys of equal dim but received ${queries.dim} and ${keys.dim}`,
    );
  }
  if (keys.rows > mostKeys) {
    throw codedError('ERR_SHAPE', `Expected at most ${mostKeys} keys but received ${keys.rows}`);
  }
  return { queries, keys };
}

function readSide(name: string, features: unknown): NativeCpuMatrix {
  refuseDevice(name, features);
  return toNativeFeatures(name, features) as NativeCpuMatrix;
}

/** The options by name, and those among them that every search takes. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readSearchOptions<Name extends string>(options: unknown, names: readonly Name[]) {
  const given = readOptionsOf(options, names) as ReturnType<typeof readOptionsOf<Name>> &
    Record<string, unknown>;
  const { signal, threads, workspaceBytes, onProgress } = given;
  const settings: SearchSettings = {
    ...resolveResources({ threads, workspaceBytes: workspaceBytes as number | undefined }),
    signal,
    onProgress: onProgress === undefined ? undefined : check.callback('options.onProgress', onProgress),
  };
  return { given, settings };
}

/** Throws ERR_TYPE, ERR_VALUE, ERR_SHAPE, ERR_BUFFER or ERR_DETACHED. */
export function readIds(
  given: Readonly<Record<'queryIds' | 'keyIds', unknown>>,
  { queries, keys }: SearchFeatures,
): Pick<SearchIds, 'queryIds' | 'keyIds'> {
  return {
    queryIds: copyOfIds('options.queryIds', given.queryIds, queries.rows),
    keyIds: copyOfIds('options.keyIds', given.keyIds, keys.rows),
  };
}

function copyOfIds(name: string, value: unknown, rows: number): Int32Array | null {
  if (value === undefined) return null;
  const ids = check.int32Array(name, value);
  requireLength(name, lengthOf(ids), rows);
  return new Int32Array(ids);
}

/** Ids of `topK`. Throws ERR_VALUE for ids that would change nothing, and as {@link readIds}. */
export function readTopKIds(
  given: Readonly<Record<'queryIds' | 'keyIds' | 'excludeIds', unknown>>,
  features: SearchFeatures,
): SearchIds {
  const { queryIds, keyIds } = readIds(given, features);
  const exclude = given.excludeIds !== undefined && check.boolean('options.excludeIds', given.excludeIds);
  if (!exclude) {
    if (queryIds === null) return { ...noIds, keyGroups: keyIds };
    throw codedError(
      'ERR_VALUE',
      'Expected options.excludeIds: true beside options.queryIds, which change nothing without it; options.keyIds alone count keys of equal id once',
    );
  }
  if (queryIds !== null && keyIds !== null) return { queryIds, keyIds, keyGroups: null };
  const missing = queryIds === null ? 'queryIds' : 'keyIds';
  throw codedError(
    'ERR_VALUE',
    `Expected options.queryIds and options.keyIds beside options.excludeIds but ${missing} is missing`,
  );
}

/** Ids of `ranks`. Throws ERR_VALUE for queryIds without keyIds, and as {@link readIds}. */
export function readRanksIds(
  given: Readonly<Record<'queryIds' | 'keyIds', unknown>>,
  features: SearchFeatures,
): SearchIds {
  const { queryIds, keyIds } = readIds(given, features);
  if (queryIds === null) return { ...noIds, keyGroups: keyIds };
  if (keyIds !== null) return { queryIds, keyIds, keyGroups: keyIds };
  throw codedError('ERR_VALUE', 'Expected options.keyIds beside options.queryIds but keyIds is missing');
}

const positivesName = 'options.positives';

/**
 * The positives of each query, one at least. Throws ERR_TYPE, ERR_OPTION, ERR_SHAPE, ERR_VALUE, ERR_BUFFER
 * or ERR_DETACHED.
 */
export function readPositives(value: unknown, { queries, keys }: SearchFeatures): RelevantKeys {
  const lists = toLists(value, queries.rows, keys.rows);
  lists.keys.forEach((key, at) => {
    if (key >= 0 && key < keys.rows) return;
    const where = types.isInt32Array(value) ? `${positivesName}[${at}]` : `${positivesName}.keys[${at}]`;
    throw check.invalid('ERR_VALUE', where, `key index from 0 to ${keys.rows - 1}`, key);
  });
  for (let query = 0; query < queries.rows; query++) {
    if (lists.offsets[query + 1]! > lists.offsets[query]!) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected at least one positive of query ${query} in ${positivesName} but received none; leave the query out, as it has no rank`,
    );
  }
  return lists;
}

/**
 * The same for queries of one rank, whose positives may be keys of any rank. By default, key i of this rank belongs to
 * query i. Throws as {@link readPositives}, but for indices beyond the keys of all ranks.
 */
export function readPositivesOfRank(
  value: unknown,
  { queries, keys }: SearchFeatures,
): { positives: RelevantKeys; ofOwnKeys: boolean } {
  const ofOwnKeys = value === undefined;
  const positives = readPositives(value, { queries, keys: ofOwnKeys ? keys : { ...keys, rows: mostKeys } });
  return { positives, ofOwnKeys };
}

/** New arrays: the caller may change the given ones during the search. */
function toLists(value: unknown, queries: number, keys: number): RelevantKeys {
  const one = () => Int32Array.from({ length: queries + 1 }, (_, query) => query);
  if (value === undefined) {
    if (keys < queries) {
      throw codedError(
        'ERR_SHAPE',
        `Expected at least as many keys as queries (${queries}) without ${positivesName} but received ${keys}`,
      );
    }
    return { offsets: one(), keys: one().subarray(0, queries) };
  }
  if (types.isInt32Array(value)) {
    const positives = check.int32Array(positivesName, value);
    requireLength(positivesName, lengthOf(positives), queries);
    return { offsets: one(), keys: new Int32Array(positives) };
  }
  const lists = readKeyLists(positivesName, value, queries);
  return { offsets: new Int32Array(lists.offsets), keys: new Int32Array(lists.keys) };
}
