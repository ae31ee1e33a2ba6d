/**
 * Hard negatives: keys that score high for a query and do not belong to it. Searches all keys on the CPU
 * backend, and chooses among the best ones.
 *
 * Refuses to train, and to look at texts or images: features and ids are all that is known of a key.
 */

import { codedError, isInfclError } from '../../errors';
import type { ReadableFeatures } from '../../matrix/features';
import type { NativeHostMatrix } from '../../native/binding';
import { throwIfAborted } from '../../on-abort';
import { lengthOf } from '../../typed-array';
import type { TopK } from '../results';
import { searchTopK } from '../search';
import type { SearchProgress } from '../search-options';
import { allocateKeys } from './allocate-keys';
import { BestKeys } from './best-keys';
import { chooseNegatives } from './choose';
import { type CheckedPart, type KeySource, type MiningKeys, readHost, readKeySource } from './key-parts';
import { hasMargin, limitsOf } from './limits';
import { type CheckedMining, type MiningOptions, type MiningProgress, readMiningOptions } from './options';
import { PositiveScores, requireAttached } from './positive-scores';
import { type Positives, readPositives, requireEveryPositive, requirePositivesBelow } from './positives';

/** A {@link TopK} whose keys are hard negatives. */
export interface MinedNegatives extends TopK {
  /** [M], how many negatives each query got, at most `count`. Its row ends with -1 where they are fewer. */
  found: Int32Array;
}

/** A checked call. */
interface Mining {
  options: CheckedMining;
  queries: NativeHostMatrix;
  source: KeySource;
  positives: Positives;
  /** Whether the search itself leaves out the keys above the limits. Else they count for `range`. */
  limitsInSearch: boolean;
}

/**
 * The hardest keys of each query that are no positives: [M × count], best first. Scores are dot products in
 * float32, as those of `topK`: normalise the features where cosines are meant.
 *
 * @param queries [M × D], of float32, float16 or bfloat16, on the host.
 * @param keys [N × D], at most 2^31 − 1 rows. Or parts `{ firstKey, keys }` of them, in any order, as an
 *   iterable, an async iterable, or a function that returns one: one part at a time is in memory. The result has the bits of
 *   the whole matrix. With a margin and without a finite `range`, parts are read twice.
 *
 * Source: sentence-transformers, `mine_hard_negatives`. `count` is its `num_negatives`, `range` its `range_min` and
 * `range_max`, `margin` its `absolute_margin`. Other names are the same words. Without `range`, all keys are
 * searched here, and not a guessed number of them.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_OPTION, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP,
 * ERR_NOT_FINITE, ERR_WORKSPACE or ERR_OUT_OF_MEMORY; with ERR_CHUNKS for parts that are not all keys, each once; with
 * `signal.reason`; and with errors of `onProgress` and of the iterable.
 */
export async function mineHardNegatives(
  queries: ReadableFeatures,
  keys: MiningKeys,
  options: MiningOptions,
): Promise<MinedNegatives> {
  const mining = readMining(queries, keys, options);
  throwIfAborted(mining.options.signal);
  const scores = hasMargin(mining.options) ? positiveScoresOf(mining) : null;
  const readsTwice = scores !== null && mining.limitsInSearch;
  const keysBefore = readsTwice ? await addAllPositives(mining, scores) : undefined;
  const best = await searchAll(mining, scores, keysBefore);
  return choose(mining, best, scores);
}

/** Makes every check that needs no part of the keys. */
function readMining(queries: unknown, keys: unknown, options: unknown): Mining {
  const checked = readMiningOptions(options);
  const matrix = readHost('queries', queries);
  const limitsInSearch = checked.max === Number.POSITIVE_INFINITY;
  const source = readKeySource(keys, matrix.dim, hasMargin(checked) && limitsInSearch ? 2 : 1);
  const positives = readPositives(checked.positives, matrix.rows);
  if (checked.margin !== undefined) requireEveryPositive(positives, 'margin');
  if (checked.relativeMargin !== undefined) requireEveryPositive(positives, 'relativeMargin');
  requireIds('queryIds', checked.ids?.queryIds, matrix.rows, 'query');
  const mining = { options: checked, queries: matrix, source, positives, limitsInSearch };
  if (source.rows !== undefined) requireKeys(mining, source.rows);
  return mining;
}

/** What the number of keys decides. Throws ERR_SHAPE or ERR_VALUE. */
function requireKeys({ options, positives }: Mining, keys: number): void {
  if (options.count > keys) {
    throw codedError(
      'ERR_VALUE',
      `Expected at most ${keys}, the number of keys, for options.count but received ${options.count}`,
    );
  }
  requireIds('keyIds', options.ids?.keyIds, keys, 'key');
  requirePositivesBelow(keys, positives);
}

/** Throws ERR_SHAPE. */
function requireIds(name: string, ids: Int32Array | undefined, rows: number, what: string): void {
  if (ids === undefined || lengthOf(ids) === rows) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${rows} options.${name}, one per ${what}, but received ${lengthOf(ids)}`,
  );
}

function positiveScoresOf({ options, queries, positives }: Mining): PositiveScores {
  const { threads, workspaceBytes, signal } = options;
  const none = { queryIds: null, keyIds: null, keyGroups: null, limits: null, onProgress: undefined };
  return new PositiveScores(queries, positives, (rows, keys) =>
    searchTopK({ queries: rows, keys, k: keys.rows, threads, workspaceBytes, signal, ...none }),
  );
}

/** Reads all keys for the positives among them, and returns the number of keys. */
async function addAllPositives(mining: Mining, scores: PositiveScores): Promise<number> {
  let keys = 0;
  for await (const part of mining.source.read()) {
    await scores.add(part);
    keys += part.keys.rows;
    await report(mining, 'positives', keys);
    // before the next part is asked for
    throwIfAborted(mining.options.signal);
  }
  requireKeys(mining, keys);
  return keys;
}

/**
 * Reads all keys for the best ones, and for positives where limits are not in the search. `keysBefore`: how many
 * keys an earlier reading had.
 */
async function searchAll(
  mining: Mining,
  scores: PositiveScores | null,
  keysBefore: number | undefined,
): Promise<BestKeys> {
  const { options, queries, source, positives, limitsInSearch } = mining;
  const { count, min, max } = options;
  const k = (max === Number.POSITIVE_INFINITY ? min + count : max) + positives.most;
  const best = new BestKeys(queries.rows, Math.min(k, source.rows ?? k));
  const limits = limitsInSearch ? limitsOf(options, scores?.lowest ?? null, queries.rows) : null;
  let keys = 0;
  for await (const part of source.read()) {
    if (scores && !limitsInSearch) await scores.add(part);
    best.add(await searchPart(mining, part, { k: best.k, limits, before: keys }), part.firstKey);
    keys += part.keys.rows;
    // before the next part is asked for
    throwIfAborted(options.signal);
  }
  if (keysBefore !== undefined && keysBefore !== keys) {
    throw codedError(
      'ERR_CHUNKS',
      `Expected ${keysBefore} keys in the second reading, as in the first one, but received ${keys}`,
    );
  }
  requireKeys(mining, keys);
  return best;
}

/** `before`: keys that earlier parts had. */
async function searchPart(
  mining: Mining,
  { name, firstKey, keys }: CheckedPart,
  { k, limits, before }: { k: number; limits: Float32Array | null; before: number },
): Promise<TopK> {
  const { options, queries } = mining;
  const { ids, threads, workspaceBytes, signal, onProgress } = options;
  requireAttached('queries', queries);
  requireAttached(name, keys);
  const keyIds = ids === undefined ? null : idsOf(ids.keyIds, name, firstKey, keys.rows);
  const progress = ({ fraction }: SearchProgress) => report(mining, 'search', before + fraction * keys.rows);
  try {
    return await searchTopK({
      queries,
      keys,
      k: Math.min(k, keys.rows),
      limits,
      queryIds: ids?.queryIds ?? null,
      keyIds,
      keyGroups: null,
      threads,
      workspaceBytes,
      signal,
      onProgress: onProgress && progress,
    });
  } catch (error) {
    throw name === 'keys' ? error : inPart(error, name);
  }
}

/** The search counts rows within the part, so the message names the part. */
function inPart(error: unknown, name: string): unknown {
  if (!isInfclError(error) || error.code !== 'ERR_NOT_FINITE') return error;
  return codedError(error.code, `${error.message} (keys are those of ${name})`, error);
}

/** Throws ERR_SHAPE for keys that have no id. */
function idsOf(keyIds: Int32Array, name: string, firstKey: number, rows: number): Int32Array {
  if (firstKey + rows <= lengthOf(keyIds)) return keyIds.subarray(firstKey, firstKey + rows);
  throw codedError(
    'ERR_SHAPE',
    `Expected an id of each key in options.keyIds but received ${lengthOf(keyIds)} ids, and ${name} has keys up to ` +
      `${firstKey + rows - 1}`,
  );
}

function report({ options, source }: Mining, phase: MiningProgress['phase'], done: number): unknown {
  const all = source.rows ?? (options.ids && lengthOf(options.ids.keyIds));
  const keys = Math.floor(done);
  return options.onProgress?.({
    phase,
    keys,
    fraction: all === undefined ? undefined : Math.min(1, done / all),
  });
}

function choose(mining: Mining, best: BestKeys, scores: PositiveScores | null): MinedNegatives {
  const { options, queries, positives } = mining;
  const { rows } = queries;
  const { count } = options;
  const limits = limitsOf(options, scores?.lowest ?? null, rows);
  const into = allocateKeys('hard negatives', rows, count);
  const choice = { ...options, best, positives, limits };
  const found = Int32Array.from({ length: rows }, (_, query) => chooseNegatives(choice, query, into));
  return { ...into, shape: [rows, count], found };
}
