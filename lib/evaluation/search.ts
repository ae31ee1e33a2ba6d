/**
 * The search on the tile engine: the best keys of each query, and the rank of each query's positive. Scores are
 * dot products in float32, computed tile by tile and never stored as a whole.
 *
 * Refuses to normalise, and features on a device.
 */

import { callNative } from '../errors';
import { groupAmong, type ProcessGroup, refuseInGroup, resolveGroup } from '../group/process-group';
import { extentsOf, type NamedMemory } from '../loss/call-memory';
import { memoryRetainer } from '../loss/device-call';
import { nativeCalls } from '../loss/native-calls';
import { allocate } from '../matrix/allocate';
import { type ReadableFeatures, toHostMatrix } from '../matrix/features';
import { Control, type SearchRequest } from '../native/binding';
import { loadBinding } from '../native/load';
import * as check from '../validate';
import { ranksOnRanks, refuseIds } from './ranks-on-ranks';
import {
  noIds,
  ranksNames,
  readPositives,
  readPositivesOfRank,
  readRanksIds,
  readSearchFeatures,
  readSearchOptions,
  readTopKIds,
  type SearchFeatures,
  type SearchIds,
  type SearchSettings,
  type TopKSearch,
  topKNames,
} from './read-search-request';
import type { Ranks, RelevantKeys, TopK } from './results';
import { refuseKeyGroups, topKOnRanks } from './search-on-ranks';
import type { RanksOptions, TopKOptions } from './search-options';

/**
 * The k best keys of each query by their dot product, best first. Among equal scores, the lower key comes
 * first. Products and sums are float32 for features of every dtype. The number of threads changes no bit.
 *
 * @param queries [M × D], of float32, float16 or bfloat16, on the host or in a `FeatureStore`.
 * @param keys [N × D], of any of these dtypes, at most 2^31 - 1 rows.
 * @param k From 1 to N.
 *
 * With `keyIds` alone, keys of equal id count once: the best of them is returned, among equal scores the
 * lowest. With `excludeIds`, keys whose id equals the query's id are left out. Where fewer than k keys are
 * left, the row ends with index -1 and score -Infinity.
 *
 * With `group`, the keys are a part of the keys of all ranks, and k is at most the number of all keys. Each rank gets
 * the best of all keys for its own queries; an index counts the keys of all ranks, in rank order. Not with `keyIds`
 * alone.
 *
 * Source: exhaustive search, as `util.semantic_search` of sentence-transformers with `dot_score`.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED or
 * ERR_OVERLAP; ERR_NOT_FINITE for NaN, infinity, and rows so long that products overflow float32;
 * ERR_WORKSPACE or ERR_OUT_OF_MEMORY; ERR_DISPOSED or ERR_STORE for a store; `signal.reason`; an error of
 * `onProgress`. With `group` also ERR_RANK_FAILED, for a search that ended on another rank.
 */
export async function topK(
  queries: ReadableFeatures,
  keys: ReadableFeatures,
  k: number,
  options?: TopKOptions,
): Promise<TopK> {
  const group = groupAmong(options);
  let search: ReturnType<typeof readTopK>;
  try {
    search = readTopK(queries, keys, k, options);
  } catch (error) {
    // the other ranks would wait for this one
    if (group) refuseInGroup(group, error);
    throw error;
  }
  if (search.group === undefined) return searchTopK(search);
  return topKOnRanks(search.group, { ...search, keyFeatures: keys }, searchTopK);
}

function readTopK(queries: ReadableFeatures, keys: ReadableFeatures, k: number, options?: TopKOptions) {
  const { given, settings } = readSearchOptions(options, topKNames);
  resolveGroup(given.group);
  const group = given.group as ProcessGroup | undefined;
  const features = readSearchFeatures(queries, keys);
  const best = check.positiveInteger('k', k, group === undefined ? features.keys.rows : undefined);
  const ids = readTopKIds(given, features);
  if (group !== undefined) refuseKeyGroups(ids);
  return { ...features, ...ids, ...settings, group, k: best, limits: null };
}

/** `topK` for code of this package. Rejects as {@link topK}, but for arguments, which it does not check. */
export async function searchTopK(search: TopKSearch): Promise<TopK> {
  const { queries, k, limits } = search;
  const length = queries.rows * k;
  const what = 'the result of topK';
  const indices = allocate(what, length * 8, () => new Int32Array(length));
  const scores = allocate(what, length * 8, () => new Float32Array(length));
  await run(search, { topK: { k, limits, indices, scores }, ranks: null });
  return { indices, scores, shape: [queries.rows, k] };
}

/**
 * The rank of each query's positive among all keys, from 1: how many keys have a larger dot product, and how
 * many the same. Of several positives, the one with the largest score has the rank, and the others neither
 * count against it nor as ties. Scores have the bits of `topK`.
 *
 * @param queries [M × D], of float32, float16 or bfloat16, on the host or in a `FeatureStore`.
 * @param keys [N × D], of any of these dtypes, at most 2^31 - 1 rows.
 *
 * With `keyIds`, keys of equal id count once, by the best of them, and keys that have the id of a positive do
 * not count. With `queryIds` as well, keys that have the id of the query do not count, as in the losses.
 *
 * With `group`, the keys are a part of the keys of all ranks, and each rank gets the ranks of its own queries. Then ids
 * are not in this version, and stores of queries are read into memory.
 *
 * Source: "realistic rank" of PyKEEN (Berrendorf et al. 2020, "On the Ambiguity of Rank-Based Evaluation of
 * Entity Alignment or Link Prediction Methods").
 *
 * Rejects with the errors of {@link topK}, and ERR_SHAPE for fewer keys than queries without `positives`.
 */
export async function ranks(
  queries: ReadableFeatures,
  keys: ReadableFeatures,
  options?: RanksOptions,
): Promise<Ranks> {
  const group = groupAmong(options);
  let call: () => Promise<Ranks>;
  try {
    call = readRanks(queries, keys, options);
  } catch (error) {
    // the other ranks would wait for this one
    if (group) refuseInGroup(group, error);
    throw error;
  }
  return call();
}

/** The checks of `ranks`. Returns the call. */
function readRanks(queries: ReadableFeatures, keys: ReadableFeatures, options?: RanksOptions) {
  const { given, settings } = readSearchOptions(options, ranksNames);
  resolveGroup(given.group);
  const features = readSearchFeatures(queries, keys);
  const ids = readRanksIds(given, features);
  if (given.group === undefined) {
    const positives = readPositives(given.positives, features);
    return () => searchRanks({ ...features, ...noIds, ...ids, ...settings }, positives);
  }
  const group = given.group as ProcessGroup;
  refuseIds(ids);
  const { rows, dim, dtype } = features.keys;
  const one = {
    ...settings,
    ...readPositivesOfRank(given.positives, features),
    queries: toHostMatrix('queries', queries),
    own: { features: keys, rows, dim, dtype, ids: null, k: 1 },
  };
  const { threads, workspaceBytes, signal } = settings;
  const plain = { ...noIds, threads, workspaceBytes, signal, onProgress: undefined };
  return () =>
    ranksOnRanks(group, one, (some, all, of) => searchRanks({ queries: some, keys: all, ...plain }, of));
}

async function searchRanks(
  search: SearchFeatures & SearchIds & SearchSettings,
  { offsets, keys: positives }: RelevantKeys,
): Promise<Ranks> {
  const { rows } = search.queries;
  const [optimistic, pessimistic] = [new Float64Array(rows), new Float64Array(rows)];
  await run(search, { topK: null, ranks: { offsets, positives, optimistic, pessimistic } });
  const rank = Float64Array.from(optimistic, (least, i) => (least + pessimistic[i]!) / 2);
  return { rank, optimistic, pessimistic };
}

async function run(
  search: SearchFeatures & SearchIds & SearchSettings,
  wanted: Pick<SearchRequest, 'topK' | 'ranks'>,
): Promise<void> {
  const { queries, keys, queryIds, keyIds, keyGroups, threads, workspaceBytes, signal, onProgress } = search;
  const binding = loadBinding();
  const choice = { backend: 'cpu', device: 0 } as const;
  const { retain, release } = memoryRetainer(binding);
  const control = new Int32Array(Control.length);
  const read: NamedMemory[] = [
    ['queries.data', queries],
    ['keys.data', keys],
  ];
  try {
    const request: SearchRequest = {
      ...choice,
      ...{ queries: retain(queries), keys: retain(keys), queryIds, keyIds, keyGroups },
      ...wanted,
      ...{ threads, workspaceBytes, control },
    };
    await nativeCalls.run({
      choice,
      control,
      signal,
      onProgress: onProgress && (({ fraction }) => onProgress({ fraction })),
      lastPhase: 'forward',
      memory: callNative(() => extentsOf({ read, written: [] }, binding)),
      buffers: { queries, keys },
      start: () => binding.search(request),
    });
  } finally {
    release();
  }
}
