/**
 * Checks the results of a search before metrics are computed: the best keys of each query, or ranks.
 *
 * Refuses results that contradict themselves: a key twice, a gap, scores in another order, a rank below 1.
 */

import { types } from 'node:util';
import { describeList } from '../describe';
import { codedError } from '../errors';
import { readList } from '../matrix/layout';
import { lengthOf } from '../typed-array';
import * as check from '../validate';

/** The keys that a search found, checked. */
export interface FoundKeys {
  kind: 'topK';
  /** [queries × k]. */
  indices: Int32Array;
  queries: number;
  k: number;
}

/** The ranks that a search found, checked. */
export interface FoundRanks {
  kind: 'ranks';
  rank: Float64Array;
  queries: number;
}

const expected = 'result of topK ({ indices, shape }) or of ranks ({ rank })';

/** Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_BUFFER or ERR_DETACHED. */
export function readSearch(name: string, value: unknown): FoundKeys | FoundRanks {
  if (types.isPromise(value)) {
    throw check.invalid('ERR_TYPE', name, expected, value, '; await the promise first');
  }
  const given = check.plainObject(name, value);
  // every property is read here and only here
  const { indices, scores, shape, rank, optimistic, pessimistic } = given;
  if ((indices === undefined) === (rank === undefined)) {
    const hint = rank === undefined ? '' : '; indices and rank are both there';
    throw check.invalid('ERR_TYPE', name, expected, value, hint);
  }
  return rank === undefined
    ? readFoundKeys(name, { indices, scores, shape })
    : readRanks(name, { rank, optimistic, pessimistic });
}

function readFoundKeys(name: string, given: Record<'indices' | 'scores' | 'shape', unknown>): FoundKeys {
  const indices = check.int32Array(`${name}.indices`, given.indices);
  const stated = readList(given.shape);
  if (stated === null) throw check.invalid('ERR_TYPE', `${name}.shape`, 'array [queries, k]', given.shape);
  const [queries, k] = stated as number[];
  const isShape = stated.length === 2 && isCount(queries) && isCount(k);
  if (!isShape || lengthOf(indices) !== queries * k) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [queries, k] of ${lengthOf(indices)} elements, as ${name}.indices has, for ${name}.shape but received ${describeList(stated)}`,
    );
  }
  for (let query = 0; query < queries; query++) checkRow(name, indices, query, k);
  if (given.scores !== undefined) checkScores(`${name}.scores`, given.scores, { indices, k });
  return { kind: 'topK', indices, queries, k };
}

const isCount = (value: number | undefined): value is number => Number.isSafeInteger(value) && value! > 0;

/** The keys of one query: indices, each at most once, and -1 at the end only. Throws ERR_VALUE. */
function checkRow(name: string, indices: Int32Array, query: number, k: number): void {
  const seen = new Set<number>();
  for (let at = query * k; at < (query + 1) * k; at++) {
    const key = indices[at]!;
    const where = `${name}.indices[${at}] of query ${query}`;
    if (key < -1) throw check.invalid('ERR_VALUE', where, 'index of a key, or -1 for none,', key);
    if (key === -1) continue;
    if (at > query * k && indices[at - 1] === -1) {
      throw check.invalid('ERR_VALUE', where, '-1, as after another -1,', key);
    }
    if (seen.has(key)) throw check.invalid('ERR_VALUE', where, 'key that has not occurred before', key);
    seen.add(key);
  }
}

/** Best first. Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE or ERR_NOT_FINITE. */
function checkScores(name: string, value: unknown, { indices, k }: Pick<FoundKeys, 'indices' | 'k'>): void {
  const scores = check.float32Array(name, value);
  requireLength(name, lengthOf(scores), lengthOf(indices));
  for (let at = 0; at < indices.length; at++) {
    const score = scores[at]!;
    if (Number.isNaN(score)) throw check.invalid('ERR_NOT_FINITE', `${name}[${at}]`, 'number', score);
    if (at % k > 0 && score > scores[at - 1]!) {
      throw check.invalid('ERR_VALUE', `${name}[${at}]`, `at most ${scores[at - 1]}, the best first,`, score);
    }
  }
}

function readRanks(name: string, given: Record<'rank' | 'optimistic' | 'pessimistic', unknown>): FoundRanks {
  const rank = check.float64Array(`${name}.rank`, given.rank);
  const queries = lengthOf(rank);
  if (queries === 0)
    throw codedError('ERR_SHAPE', `Expected at least one rank in ${name}.rank but received 0`);
  for (let at = 0; at < queries; at++) checkRank(`${name}.rank[${at}]`, rank[at]!, 1);
  const [low, high] = (['optimistic', 'pessimistic'] as const).map((field) => {
    if (given[field] === undefined) return rank;
    const bound = check.float64Array(`${name}.${field}`, given[field]);
    requireLength(`${name}.${field}`, lengthOf(bound), queries);
    return bound;
  });
  for (let at = 0; at < queries; at++) {
    checkRank(`${name}.optimistic[${at}]`, low![at]!, 1, rank[at]!);
    checkRank(`${name}.pessimistic[${at}]`, high![at]!, rank[at]!);
  }
  return { kind: 'ranks', rank, queries };
}

/** Throws ERR_NOT_FINITE or ERR_VALUE. */
function checkRank(name: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  const upTo = most === Number.POSITIVE_INFINITY ? '' : ` and at most ${most}`;
  if (!Number.isFinite(value)) throw check.invalid('ERR_NOT_FINITE', name, 'rank', value);
  if (value < least || value > most) {
    throw check.invalid('ERR_VALUE', name, `rank of at least ${least}${upTo}`, value);
  }
}

/** Throws ERR_SHAPE. */
export function requireLength(name: string, length: number, wanted: number): void {
  if (length === wanted) return;
  throw codedError('ERR_SHAPE', `Expected ${wanted} elements for ${name} but received ${length}`);
}
