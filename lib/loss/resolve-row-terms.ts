/**
 * The options that are arrays with one entry per row, or a list per row: labels, ids, excluded pairs, weights.
 * Checked alone, and then against the numbers of rows.
 *
 * Refuses arrays of another type or length, labels that are no key, and weights that make no mean. Copies
 * labels and weights, because their values are checked here: native code must not see other values.
 */

import { codedError } from '../errors';
import type { ContrastiveRequest, Objective } from '../native/binding';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { countHardNegatives, fitOffsets } from './hard-negative-rows';
import { copyKeyLists } from './key-lists';
import { copyListedLabels, listsOf, refuseBesideLists, refuseForm } from './listed-labels';
import { rulesOf } from './objectives';
import type { AnyContrastiveOptions } from './options';

export type RowTerms = Pick<
  ContrastiveRequest,
  | 'labels'
  | 'positives'
  | 'queryClasses'
  | 'keyClasses'
  | 'queryIds'
  | 'keyIds'
  | 'excludedPairs'
  | 'hardNegativeOffsets'
  | 'hardNegativeIds'
  | 'queryWeights'
>;

/** Numbers of rows; null without keys. */
interface RowCounts {
  queries: number;
  keys: number | null;
}

/** The checks that need no features. Throws ERR_TYPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED. */
export function checkRowTerms(given: AnyContrastiveOptions, objective: Objective): void {
  const { labels, queryWeights } = given;
  if (labels !== undefined || rulesOf(objective).requires.includes('labels')) checkLabels(given, objective);
  const ids = pairOfIds(given);
  if (ids !== null) {
    check.int32Array('options.queryIds', ids[0]);
    check.int32Array('options.keyIds', ids[1]);
  }
  if (given.excludePairs !== undefined) copyKeyLists('options.excludePairs', given.excludePairs, null);
  checkHardNegativeIds(given);
  if (queryWeights !== undefined) copyOfWeights(queryWeights);
}

/** For options that checkRowTerms has passed. Throws ERR_SHAPE, ERR_VALUE, and as checkRowTerms. */
export function resolveRowTerms(
  given: AnyContrastiveOptions,
  objective: Objective,
  rows: RowCounts,
): RowTerms {
  return {
    ...resolveLabels(given, objective, rows),
    ...resolveIds(given, rows),
    excludedPairs:
      given.excludePairs === undefined
        ? null
        : copyKeyLists('options.excludePairs', given.excludePairs, {
            queries: rows.queries,
            keys: rows.keys ?? 0,
          }),
    hardNegativeOffsets:
      given.hardNegatives === undefined
        ? null
        : fitOffsets('options.hardNegatives', given.hardNegatives, rows.queries),
    hardNegativeIds: resolveHardNegativeIds(given, rows.queries),
    queryWeights: resolveWeights(given, rows.queries),
  };
}

function checkLabels(given: AnyContrastiveOptions, objective: Objective): void {
  const { labels } = given;
  const lists = listsOf(labels);
  if (lists !== undefined && !rulesOf(objective).labelsAreClasses) {
    refuseBesideLists(given, objective);
    copyListedLabels(lists, given, objective, null);
    return;
  }
  if (labels === undefined) {
    const expected = `Int32Array of classes (objective '${objective}')`;
    throw check.invalid('ERR_TYPE', 'options.labels', expected, labels);
  }
  refuseForm(labels, objective);
  check.int32Array('options.labels', labels);
}

function resolveLabels(
  given: AnyContrastiveOptions,
  objective: Objective,
  rows: RowCounts,
): Pick<RowTerms, 'labels' | 'positives' | 'queryClasses' | 'keyClasses'> {
  const { labels, group } = given;
  const none = { labels: null, positives: null, queryClasses: null, keyClasses: null };
  if (labels === undefined) return none;
  const lists = listsOf(labels);
  if (lists !== undefined) {
    const counts = { queries: rows.queries, keys: rows.keys ?? 0 };
    return { ...none, positives: copyListedLabels(lists, given, objective, counts) };
  }
  // A copy: labels are indices in native code, and the caller could change them after the check.
  const checked = new Int32Array(integers('labels', labels, rows.queries, 'query'));
  if (rulesOf(objective).labelsAreClasses)
    return { ...none, queryClasses: checked, keyClasses: rows.keys === null ? null : checked };
  // over several ranks, labels count the keys of all ranks, whose number only native code learns
  const keyRows = group === undefined ? (rows.keys ?? 0) : Number.POSITIVE_INFINITY;
  const bad = checked.findIndex((label) => label < 0 || label >= keyRows);
  if (bad >= 0) {
    throw check.invalid(
      'ERR_VALUE',
      `options.labels[${bad}]`,
      group === undefined ? `key index from 0 to ${keyRows - 1}` : 'key index among those of all ranks',
      checked[bad],
      // other libraries mark a row to be ignored with a label of -100 or -1
      checked[bad]! < 0 ? '; options.queryWeights of 0 leave a row out' : '',
    );
  }
  return { ...none, labels: checked };
}

function integers(name: string, value: unknown, count: number, of: string): Int32Array {
  const array = check.int32Array(`options.${name}`, value);
  if (lengthOf(array) !== count) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${count} options.${name}, one per ${of}, but received ${lengthOf(array)}`,
    );
  }
  return array;
}

/** Both arrays of ids, or null. Throws ERR_VALUE for one without the other. */
function pairOfIds({ queryIds, keyIds }: AnyContrastiveOptions): [Int32Array, Int32Array] | null {
  if (queryIds !== undefined && keyIds !== undefined) return [queryIds, keyIds];
  if (queryIds === undefined && keyIds === undefined) return null;
  const missing = queryIds === undefined ? 'queryIds' : 'keyIds';
  throw codedError(
    'ERR_VALUE',
    `Expected options.queryIds and options.keyIds together but ${missing} is missing`,
  );
}

function resolveIds(given: AnyContrastiveOptions, rows: RowCounts): Pick<RowTerms, 'queryIds' | 'keyIds'> {
  const ids = pairOfIds(given);
  if (ids === null) return { queryIds: null, keyIds: null };
  return {
    queryIds: integers('queryIds', ids[0], rows.queries, 'query'),
    keyIds: integers('keyIds', ids[1], rows.keys ?? 0, 'key'),
  };
}

/** Ids of hard negatives are compared with those of queries. Throws ERR_TYPE or ERR_VALUE. */
function checkHardNegativeIds({ hardNegatives, queryIds }: AnyContrastiveOptions): void {
  if (hardNegatives?.ids === undefined) return;
  check.int32Array('options.hardNegatives.ids', hardNegatives.ids);
  if (queryIds !== undefined) return;
  throw codedError(
    'ERR_VALUE',
    'Expected options.queryIds and options.keyIds beside options.hardNegatives.ids but received none',
  );
}

function resolveHardNegativeIds(
  { hardNegatives }: AnyContrastiveOptions,
  queries: number,
): Int32Array | null {
  if (hardNegatives?.ids === undefined) return null;
  const count = countHardNegatives(hardNegatives, queries);
  return integers('hardNegatives.ids', hardNegatives.ids, count, 'hard negative');
}

function resolveWeights({ queryWeights }: AnyContrastiveOptions, rows: number): Float32Array | null {
  if (queryWeights === undefined) return null;
  const weights = copyOfWeights(queryWeights);
  if (weights.length === rows) return weights;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${rows} options.queryWeights, one per query, but received ${weights.length}`,
  );
}

/** A copy, because the caller could change the weights after the check of their sum. */
function copyOfWeights(queryWeights: unknown): Float32Array {
  const checked = new Float32Array(check.float32Array('options.queryWeights', queryWeights));
  let sum = 0;
  checked.forEach((weight, i) => {
    if (!Number.isFinite(weight) || weight < 0) {
      throw check.invalid('ERR_VALUE', `options.queryWeights[${i}]`, 'non-negative finite number', weight);
    }
    sum += weight;
  });
  if (sum === 0) throw codedError('ERR_VALUE', 'Expected a positive weight among options.queryWeights');
  return checked;
}
