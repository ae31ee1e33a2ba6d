/**
 * The rank of each query's positive among the keys of all ranks. Each rank has its own queries and a part of the keys.
 *
 * A block of keys has no positive of most queries, so copies of the positives stand behind each block. What the copies
 * count among themselves is taken off again: these are whole numbers, so the result is that of one search.
 */

import { types } from 'node:util';
import { onAllRanks } from '../group/on-all-ranks';
import type { ProcessGroup } from '../group/process-group';
import { allocateElements } from '../matrix/allocate';
import type { NativeHostMatrix } from '../native/binding';
import { throwIfAborted } from '../on-abort';
import { invalid, notImplemented } from '../validate';
import { BestPositives, type SearchRanks } from './best-positives';
import { agreeOnKeys, blocksOf, type KeyBlock, type OwnKeys } from './keys-of-ranks';
import { requireAttached } from './mining/positive-scores';
import type { SearchIds, SearchSettings } from './read-search-request';
import type { Ranks, RelevantKeys } from './results';
import { inBlock, requireIndices } from './search-on-ranks';

/** What the search of one rank needs, checked but for positives beyond the keys of all ranks. */
export interface RanksOfRank extends SearchSettings {
  queries: NativeHostMatrix;
  own: OwnKeys;
  /** Key indices: among the keys of all ranks, or with `ofOwnKeys` among those of this rank. */
  positives: RelevantKeys;
  ofOwnKeys: boolean;
}

/** Keys of one id need one place to count once. Throws ERR_NOT_IMPLEMENTED. */
export function refuseIds({ queryIds, keyIds, keyGroups }: SearchIds): void {
  const name = queryIds !== null ? 'queryIds' : (keyIds ?? keyGroups) !== null ? 'keyIds' : undefined;
  if (name !== undefined) throw notImplemented(`options.${name} beside options.group`, 'keys that differ');
}

/** Queries that are searched at a time, for each 8 rows of a block: the copies then cost an eighth of the work. */
const blockRowsPerQuery = 8;
const leastQueries = 64;

/** Rejects as `ranks`, with ERR_VALUE where ranks differ in dim or dtype, and with ERR_RANK_FAILED. */
export function ranksOnRanks(group: ProcessGroup, given: RanksOfRank, search: SearchRanks): Promise<Ranks> {
  return onAllRanks(group, async () => {
    const { queries, own, signal } = given;
    const counts = await agreeOnKeys(group, own);
    const all = counts.reduce((sum, count) => sum + count, 0);
    requireIndices(1, all);
    const first = counts.slice(0, group.rank).reduce((sum, count) => sum + count, 0);
    const positives = given.ofOwnKeys ? shifted(given.positives, first) : given.positives;
    requireBelow(all, positives);
    const best = new BestPositives(queries, positives, search);
    const work = { all, done: 0, onProgress: given.onProgress };
    for await (const block of blocksOf(group, own, counts)) {
      throwIfAborted(signal);
      await best.add(block).catch((error: unknown) => Promise.reject(inBlock(error, block)));
      await report(work, block);
    }
    const counter = new Counter(given, { positives, best: best.rows }, search);
    for await (const block of blocksOf(group, own, counts)) {
      await counter.add(block).catch((error: unknown) => Promise.reject(inBlock(error, block)));
      await report(work, block);
    }
    return counter.ranks();
  });
}

const shifted = ({ offsets, keys }: RelevantKeys, first: number): RelevantKeys => ({
  offsets,
  keys: keys.map((key) => key + first),
});

/** Throws ERR_VALUE. */
function requireBelow(all: number, { keys }: RelevantKeys): void {
  const at = keys.findIndex((key) => key < 0 || key >= all);
  if (at < 0) return;
  const expected = `key index from 0 to ${all - 1}, among the keys of all ranks,`;
  throw invalid('ERR_VALUE', `positive ${at} of options.positives`, expected, keys[at]);
}

interface Work extends Pick<SearchSettings, 'onProgress'> {
  all: number;
  done: number;
}

/** Both readings of the keys count. */
async function report(work: Work, { keys }: KeyBlock): Promise<void> {
  work.done += keys.rows;
  await work.onProgress?.({ fraction: work.done / (2 * work.all) });
}

/** Counts of larger and of equal scores, over blocks. */
class Counter {
  private readonly greater: Float64Array;
  private readonly equal: Float64Array;

  constructor(
    private readonly given: RanksOfRank,
    private readonly of: { positives: RelevantKeys; best: NativeHostMatrix },
    private readonly search: SearchRanks,
  ) {
    const { rows } = given.queries;
    this.greater = new Float64Array(rows);
    this.equal = new Float64Array(rows);
  }

  async add(block: KeyBlock): Promise<void> {
    const { queries, signal } = this.given;
    const step = Math.max(leastQueries, Math.floor(block.keys.rows / blockRowsPerQuery));
    for (let begin = 0; begin < queries.rows; begin += step) {
      throwIfAborted(signal);
      requireAttached('queries', queries);
      await this.addQueries(block, begin, Math.min(queries.rows, begin + step));
    }
  }

  private async addQueries(block: KeyBlock, begin: number, end: number): Promise<void> {
    const queries = rowsOf(this.given.queries, begin, end);
    const copies = rowsOf(this.of.best, begin, end);
    const alone = await this.search(
      queries,
      copies,
      listsBehind({ positives: this.of.positives, begin, end }),
    );
    const lists = listsBehind({ positives: this.of.positives, begin, end, block });
    const found = await this.search(queries, joined(block.keys, copies), lists);
    for (let i = 0; i < end - begin; i++) {
      const [least, most] = [found.optimistic[i]!, found.pessimistic[i]!];
      this.greater[begin + i]! += least - alone.optimistic[i]!;
      this.equal[begin + i]! += most - least - (alone.pessimistic[i]! - alone.optimistic[i]!);
    }
  }

  ranks(): Ranks {
    const optimistic = this.greater.map((count) => 1 + count);
    const pessimistic = optimistic.map((rank, i) => rank + this.equal[i]!);
    return { rank: optimistic.map((rank, i) => (rank + pessimistic[i]!) / 2), optimistic, pessimistic };
  }
}

/** Positives of queries from `begin` on: those that a block has, and the copy behind the block. */
function listsBehind({
  positives,
  begin,
  end,
  block,
}: {
  positives: RelevantKeys;
  begin: number;
  end: number;
  block?: KeyBlock;
}): RelevantKeys {
  const [firstKey, rows] = block === undefined ? [0, 0] : [block.firstKey, block.keys.rows];
  const offsets = new Int32Array(end - begin + 1);
  const keys: number[] = [];
  for (let query = begin; query < end; query++) {
    for (let at = positives.offsets[query]!; at < positives.offsets[query + 1]!; at++) {
      const key = positives.keys[at]! - firstKey;
      if (key >= 0 && key < rows) keys.push(key);
    }
    keys.push(rows + query - begin);
    offsets[query - begin + 1] = keys.length;
  }
  return { offsets, keys: Int32Array.from(keys) };
}

const rowsOf = (matrix: NativeHostMatrix, begin: number, end: number): NativeHostMatrix => {
  const { data, dim, rowStride } = matrix;
  return {
    ...matrix,
    data: data.subarray(begin * rowStride, (end - 1) * rowStride + dim),
    rows: end - begin,
  };
};

/** One matrix of rows without gaps. */
function joined(first: NativeHostMatrix, second: NativeHostMatrix): NativeHostMatrix {
  const { dim, dtype } = first;
  const rows = first.rows + second.rows;
  const data = allocateElements('a block of keys', rows * dim, dtype);
  data.set(first.data);
  data.set(second.data, first.rows * dim);
  return {
    data: types.isFloat32Array(data) ? data : (data as Uint16Array),
    dtype,
    rows,
    dim,
    rowStride: dim,
  };
}
