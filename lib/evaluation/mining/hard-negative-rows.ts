/**
 * Mined negatives in the form that the losses take: as many rows for each query, one query after the other.
 *
 * Refuses to let a key count that the search has left out: such a key may be a positive.
 */

import { codedError } from '../../errors';
import { readNames } from '../../read-names';
import { lengthOf } from '../../typed-array';
import * as check from '../../validate';
import { type FoundKeys, readSearch } from '../read-search';
import type { TopKLike } from '../results';
import { MaskedRows } from './masked-rows';

/** What becomes of a query that got fewer negatives than the others. */
export type MissingNegatives = 'refuse' | 'leaveOut' | 'repeat' | 'mask';

export interface HardNegativeRowOptions {
  /** The queries of a batch, by their index: the result has their negatives alone. Default: all queries, in order. */
  queries?: Int32Array | undefined;
  /**
   * What becomes of a query with fewer than `perQuery` negatives. 'refuse' (default): an error. 'leaveOut': the
   * result is without this query. 'repeat': its negatives are repeated from the hardest on. The loss counts each
   * copy. 'mask': the result has `ids`, by which the loss does not count what stands in the gaps.
   */
  missing?: MissingNegatives | undefined;
  /** With 'mask': the id of each query that was mined for, [M]. Default: its index. */
  queryIds?: Int32Array | undefined;
  /** With 'mask': the id of each key that was searched, [N]. Default: negatives have an id that no query has. */
  keyIds?: Int32Array | undefined;
}

/** Which rows of the keys are the negatives of which query. */
export interface HardNegativeRows {
  /** The queries that have negatives here, by their index. */
  queries: Int32Array;
  /** [queries × perQuery], indices of keys. Those from i * perQuery on belong to `queries[i]`, hardest first. */
  rows: Int32Array;
  /** Negatives of one query. */
  perQuery: number;
  /**
   * With 'mask': the id of each of `rows`, for `ids` of the hard negatives. A row in a gap has the id of its query. The
   * loss needs `queryIds` and `keyIds` beside them: by default these are `queries`.
   */
  ids?: Int32Array;
}

/** The result with `missing: 'mask'`. */
export type MaskedNegativeRows = HardNegativeRows & { ids: Int32Array };

/**
 * Puts mined negatives into the form of `hardNegatives`: `{ keys: gatherRows(keys, rows), perQuery }` is this
 * option. Any search result has that form, once keys that are no negatives are not in it. Under 'mask', `ids`
 * belongs to the option.
 *
 * @param mined [M × count], the result of `mineHardNegatives`; -1 where a query got fewer.
 *
 * Throws ERR_TYPE, ERR_OPTION, ERR_SHAPE, ERR_NOT_FINITE, ERR_BUFFER or ERR_DETACHED. ERR_VALUE for a query with
 * too few negatives under 'refuse', for one without any under 'repeat', where no query is left, and for ids without
 * 'mask'.
 */
export function hardNegativeRows(
  mined: TopKLike,
  options: HardNegativeRowOptions & { missing: 'mask' },
): MaskedNegativeRows;
export function hardNegativeRows(mined: TopKLike, options?: HardNegativeRowOptions): HardNegativeRows;
export function hardNegativeRows(mined: TopKLike, options: HardNegativeRowOptions = {}): HardNegativeRows {
  const given = readNames('options', options, ['queries', 'missing', 'queryIds', 'keyIds']);
  const missing =
    given.missing === undefined
      ? 'refuse'
      : check.oneOf('options.missing', given.missing, ['refuse', 'leaveOut', 'repeat', 'mask']);
  const found = readSearch('mined', mined);
  if (found.kind === 'ranks') {
    throw check.invalid('ERR_TYPE', 'mined', 'result of mineHardNegatives ({ indices, shape })', mined);
  }
  const wanted = readQueries(given.queries, found.queries);
  if (missing === 'mask') return new MaskedRows(found, given).of(wanted);
  refuseIds(given);
  const rows = new Int32Array(wanted.length * found.k);
  let written = 0;
  const queries = wanted.filter((query) => {
    const own = negativesOf(found, query, missing);
    rows.set(own, written);
    written += own.length;
    return own.length > 0;
  });
  if (queries.length === 0) {
    throw codedError(
      'ERR_VALUE',
      `Expected a query with ${found.k} negatives but received none; mine again with a larger range, or fewer`,
    );
  }
  return { queries, rows: rows.slice(0, written), perQuery: found.k };
}

/** Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED. */
function readQueries(value: unknown, count: number): Int32Array {
  if (value === undefined) return Int32Array.from({ length: count }, (_, query) => query);
  const queries = check.int32Array('options.queries', value);
  if (lengthOf(queries) === 0) {
    throw codedError('ERR_SHAPE', 'Expected at least one query in options.queries but received none');
  }
  const bad = queries.findIndex((query) => query < 0 || query >= count);
  if (bad < 0) return queries;
  throw check.invalid('ERR_VALUE', `options.queries[${bad}]`, `query from 0 to ${count - 1}`, queries[bad]);
}

function refuseIds(given: { queryIds: unknown; keyIds: unknown }): void {
  const name = (['queryIds', 'keyIds'] as const).find((each) => given[each] !== undefined);
  if (name === undefined) return;
  throw codedError(
    'ERR_VALUE',
    `Expected missing: 'mask' beside options.${name}, which no other way of missing uses`,
  );
}

/** `k` keys, or none for a query to be left out. */
function negativesOf(
  { indices, k }: FoundKeys,
  query: number,
  missing: Exclude<MissingNegatives, 'mask'>,
): Int32Array {
  const row = indices.subarray(query * k, (query + 1) * k);
  const first = row.indexOf(-1);
  if (first < 0) return row;
  if (missing === 'leaveOut') return row.subarray(0, 0);
  if (missing === 'repeat' && first > 0) return row.map((_, i) => row[i % first]!);
  const number = first === 0 ? 'none' : `${first}`;
  throw codedError(
    'ERR_VALUE',
    `Expected ${k} negatives of query ${query} but received ${number}; mine again with a larger range or a smaller count, ` +
      `or pass missing: 'leaveOut'${first === 0 ? '' : ", 'repeat'"} or 'mask'`,
  );
}
