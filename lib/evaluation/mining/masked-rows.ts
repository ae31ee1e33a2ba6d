/**
 * Mined negatives with gaps, and ids by which a loss does not count what stands in the gaps.
 *
 * Refuses ids that are not one for each query that was mined for, or each key that was found.
 */

import { codedError } from '../../errors';
import { lengthOf } from '../../typed-array';
import * as check from '../../validate';
import type { FoundKeys } from '../read-search';

export class MaskedRows {
  private readonly queryIds: Int32Array;
  private readonly keyIds: Int32Array | undefined;

  /** Throws ERR_TYPE, ERR_SHAPE, ERR_BUFFER or ERR_DETACHED. */
  constructor(
    private readonly found: FoundKeys,
    given: { queryIds: unknown; keyIds: unknown },
  ) {
    this.queryIds = readQueryIds(given.queryIds, found);
    this.keyIds = given.keyIds === undefined ? undefined : readKeyIds(given.keyIds, found);
  }

  /** The rows of these queries, each with its id. */
  of(queries: Int32Array): { queries: Int32Array; rows: Int32Array; perQuery: number; ids: Int32Array } {
    const { indices, k } = this.found;
    const rows = new Int32Array(queries.length * k);
    const ids = new Int32Array(queries.length * k);
    const ofNoQuery = this.keyIds === undefined ? unusedId(this.queryIds) : 0;
    for (const [i, query] of queries.entries()) {
      const own = indices.subarray(query * k, (query + 1) * k);
      // any key may stand in a gap, as it does not count
      const filler = Math.max(0, own[0]!);
      for (const [j, key] of own.entries()) {
        rows[i * k + j] = key < 0 ? filler : key;
        ids[i * k + j] = key < 0 ? this.queryIds[query]! : (this.keyIds?.[key] ?? ofNoQuery);
      }
    }
    return { queries, rows, perQuery: k, ids };
  }
}

function readQueryIds(value: unknown, { queries }: FoundKeys): Int32Array {
  if (value === undefined) return Int32Array.from({ length: queries }, (_, query) => query);
  const ids = check.int32Array('options.queryIds', value);
  if (lengthOf(ids) === queries) return ids;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${queries} ids in options.queryIds, one for each query that was mined for, but received ${lengthOf(ids)}`,
  );
}

function readKeyIds(value: unknown, { indices }: FoundKeys): Int32Array {
  const ids = check.int32Array('options.keyIds', value);
  const last = indices.reduce((most, key) => Math.max(most, key), 0);
  if (last < lengthOf(ids)) return ids;
  throw codedError(
    'ERR_SHAPE',
    `Expected an id in options.keyIds for each key, up to key ${last}, but received ${lengthOf(ids)} ids`,
  );
}

function unusedId(ids: Int32Array): number {
  const used = new Set(ids);
  let id = -1;
  while (used.has(id)) id--;
  return id;
}
