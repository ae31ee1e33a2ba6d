/**
 * The best keys of each query among the keys of all ranks. Each rank has its own queries and a part of the keys, and
 * gets the answers for its own queries.
 *
 * Refuses to send queries or results: keys come to the queries, so a rank needs no answer of another one.
 */

import { codedError, isInfclError } from '../errors';
import { onAllRanks } from '../group/on-all-ranks';
import type { ProcessGroup } from '../group/process-group';
import { isMappedMatrix } from '../matrix/mapped-features';
import { throwIfAborted } from '../on-abort';
import { notImplemented } from '../validate';
import { agreeOnKeys, blocksOf, type KeyBlock, type OwnKeys } from './keys-of-ranks';
import { BestKeys } from './mining/best-keys';
import { requireAttached } from './mining/positive-scores';
import type { SearchFeatures, SearchIds, SearchSettings, TopKSearch } from './read-search-request';
import type { TopK } from './results';

/** A search of one rank, whose arguments are checked but for `k`. */
export interface SearchOfRank extends SearchFeatures, SearchIds, SearchSettings {
  k: number;
  /** As the caller gave them. */
  keyFeatures: unknown;
}

/** Ids by which keys count once need all keys of an id at one place. Throws ERR_NOT_IMPLEMENTED. */
export function refuseKeyGroups({ keyGroups }: Pick<SearchIds, 'keyGroups'>): void {
  if (keyGroups === null) return;
  throw notImplemented(
    'options.keyIds beside options.group',
    'excludeIds with queryIds and keyIds, or leave out the keys that occur twice',
  );
}

/**
 * Rejects as `topK`, with ERR_VALUE where ranks differ in k, dim, dtype or `excludeIds`, and with ERR_RANK_FAILED for a
 * search that ended on another rank.
 *
 * @param searchBlock A search of the keys of one block.
 */
export function topKOnRanks(
  group: ProcessGroup,
  search: SearchOfRank,
  searchBlock: (search: TopKSearch) => Promise<TopK>,
): Promise<TopK> {
  const { queries, keys, keyIds, k, keyFeatures } = search;
  const { rows, dim, dtype } = keys;
  const own: OwnKeys = { features: keyFeatures, rows, dim, dtype, ids: keyIds, k };
  return onAllRanks(group, async () => {
    const counts = await agreeOnKeys(group, own);
    const all = counts.reduce((sum, count) => sum + count, 0);
    requireIndices(k, all);
    const best = new BestKeys(queries.rows, k);
    let before = 0;
    for await (const block of blocksOf(group, own, counts)) {
      throwIfAborted(search.signal);
      if (!isMappedMatrix(queries)) requireAttached('queries', queries);
      try {
        best.add(await searchBlock(blockSearch(search, block, { before, all })), block.firstKey);
      } catch (error) {
        throw inBlock(error, block);
      }
      before += block.keys.rows;
    }
    const { indices, scores } = best;
    return { indices, scores, shape: [queries.rows, k] };
  });
}

/** More keys have no index in an Int32Array. */
const mostKeys = 2 ** 31 - 1;

/** Throws ERR_VALUE or ERR_SHAPE, on all ranks alike. */
export function requireIndices(k: number, all: number): void {
  if (all > mostKeys)
    throw codedError(
      'ERR_SHAPE',
      `Expected at most ${mostKeys} keys on all ranks together but received ${all}`,
    );
  if (k > all)
    throw codedError(
      'ERR_VALUE',
      `Expected at most ${all}, the number of keys of all ranks, for k but received ${k}`,
    );
}

/** @param before Keys that were searched before this block. */
function blockSearch(
  search: SearchOfRank,
  { keys, ids }: KeyBlock,
  { before, all }: { before: number; all: number },
): TopKSearch {
  const { queries, queryIds, threads, workspaceBytes, signal, onProgress, k } = search;
  return {
    ...{ queries, keys, queryIds, keyIds: ids, keyGroups: null, threads, workspaceBytes, signal },
    k: Math.min(k, keys.rows),
    limits: null,
    onProgress:
      onProgress && (({ fraction }) => onProgress({ fraction: (before + fraction * keys.rows) / all })),
  };
}

/** The search counts rows within the block, so the message names the block. */
export function inBlock(error: unknown, { rank, firstKey, keys }: KeyBlock): unknown {
  if (!isInfclError(error) || error.code !== 'ERR_NOT_FINITE') return error;
  const which = `keys ${firstKey} to ${firstKey + keys.rows - 1} of all ranks, which rank ${rank} has`;
  return codedError(error.code, `${error.message} (keys are ${which})`, error);
}
