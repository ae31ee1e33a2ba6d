/** The best keys of all ranks, against a search of one process over all keys; and searches that end early. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeatureStore, toBFloat16, toFloat16, topK } from '../../lib';
import type { ProcessGroup } from '../../lib/distributed';
import { makePair } from '../reference/inputs';
import { cutsOf, onRanks, rowsOf } from './ranks';

const [rows, dim, k] = [150, 24, 7];
const { queries, keys } = makePair({ rows, dim, seed: 9 });
// keys that score equally, on several ranks: the lower one comes first
keys.data.copyWithin(120 * dim, 3 * dim, 9 * dim);
const ids = Int32Array.from({ length: rows }, (_, i) => i % 13);

const shardOf = (ranks: number, rank: number) =>
  cutsOf(rows, ranks).slice(rank, rank + 2) as [number, number];
type Part = (matrix: ReturnType<typeof rowsOf>) => Parameters<typeof topK>[0];

describe.each([1, 2, 3, 5])('%i ranks', (ranks) => {
  it.each<[string, Part, boolean]>([
    ['float32', (matrix) => matrix, false],
    ['float16', (matrix) => toFloat16(matrix), false],
    ['bfloat16, keys of the query excluded', (matrix) => toBFloat16(matrix), true],
  ])('%s', async (_, part, excludeIds) => {
    const options = (begin: number, end: number) =>
      excludeIds ? { excludeIds, queryIds: ids.slice(begin, end), keyIds: ids.slice(begin, end) } : {};
    const whole = await topK(
      part(rowsOf(queries, 0, rows)),
      part(rowsOf(keys, 0, rows)),
      k,
      options(0, rows),
    );
    const found = await onRanks(ranks, (group, rank) => {
      const [begin, end] = shardOf(ranks, rank);
      const own = [part(rowsOf(queries, begin, end)), part(rowsOf(keys, begin, end))] as const;
      return topK(...own, k, { ...options(begin, end), group, threads: 1 });
    });
    expect(found.flatMap(({ indices }) => [...indices])).toEqual([...whole.indices]);
    expect(found.flatMap(({ scores }) => [...scores])).toEqual([...whole.scores]);
    found.forEach(({ shape }, rank) => {
      const [begin, end] = shardOf(ranks, rank);
      expect(shape).toEqual([end - begin, k]);
    });
  });
});

it('more keys than one block has, and more than a rank has', async () => {
  // 32 MiB are 2048 rows of each of two ranks
  const wide = 2048;
  const many = makePair({ rows: 2200, dim: wide, seed: 2 });
  const some = rowsOf(many.queries, 0, 5);
  const whole = await topK(some, many.keys, 2195);
  const fractions: number[] = [];
  const [first] = await onRanks(2, (group, rank) => {
    const own = rank === 0 ? rowsOf(many.keys, 0, 2100) : rowsOf(many.keys, 2100, 2200);
    const onProgress = (done: { fraction: number }) => {
      if (rank === 0) fractions.push(done.fraction);
    };
    return topK(some, own, 2195, { group, onProgress });
  });
  expect(first!.indices).toEqual(whole.indices);
  expect(first!.scores).toEqual(whole.scores);
  expect(fractions.at(-1)).toBe(1);
  expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
});

it('keys in files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-search-'));
  try {
    const whole = await topK(queries, keys, k);
    const found = await onRanks(2, async (group, rank) => {
      const writer = await FeatureStore.create(join(folder, `${rank}.npy`), { dim });
      await writer.append(rowsOf(keys, 100 * rank, 100 + 50 * rank));
      await writer.commit();
      using store = await FeatureStore.open(writer.path);
      return await topK(queries, store, k, { group });
    });
    for (const { indices } of found) expect(indices).toEqual(whole.indices);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Failure {
  code?: string;
  message: string;
}
const errorOf = (call: Promise<unknown>): Promise<Failure> =>
  call.then(
    () => ({ message: 'none' }),
    (error: Failure) => error,
  );
const search = (group: ProcessGroup, more: object = {}, own = keys, best = k) =>
  topK(queries, own, best, { ...more, group, threads: 1 });

async function expectUsable(group: ProcessGroup): Promise<void> {
  const { indices } = await search(group);
  expect(indices).toHaveLength(rows * k);
}

it.each<[string, (group: ProcessGroup) => Promise<unknown>, string, string]>([
  ['an unknown option', (group) => search(group, { treads: 1 }), 'ERR_OPTION', 'Unknown name treads'],
  [
    'keys that count once',
    (group) => search(group, { keyIds: ids }),
    'ERR_NOT_IMPLEMENTED',
    'options.keyIds',
  ],
  [
    'another dim',
    (group) => search(group, {}, makePair({ rows: 5, dim: 3, seed: 1 }).keys),
    'ERR_SHAPE',
    'dim',
  ],
  [
    'an abort',
    (group) =>
      search(group, { signal: AbortSignal.abort(Object.assign(new Error('enough'), { code: 'X' })) }),
    'X',
    'enough',
  ],
])('%s on one rank ends the search on all', (_, spoiled, code, text) =>
  onRanks(3, async (group, rank) => {
    const error = await errorOf(rank === 1 ? spoiled(group) : search(group));
    expect(error.code).toBe(rank === 1 ? code : 'ERR_RANK_FAILED');
    expect(error.message).toContain(text);
    if (rank !== 1) expect(error.message).toContain('rank 1 failed');
    await expectUsable(group);
  }),
);

it('keys that are not finite: every rank hears whose they are', () =>
  onRanks(2, async (group, rank) => {
    const spoiled = { ...keys, data: keys.data.map((x, i) => (i === 30 ? Number.NaN : x)) };
    const error = await errorOf(search(group, {}, rank === 1 ? spoiled : keys));
    expect(error.code).toBe('ERR_NOT_FINITE');
    expect(error.message).toContain('keys are keys 150 to 299 of all ranks, which rank 1 has');
    await expectUsable(group);
  }));

it.each<[string, (rank: number) => [object, number], string]>([
  ['k', (rank) => [{}, 3 + rank], 'k: 4 on rank 1, 3 on rank 0'],
  [
    'exclusion',
    (rank) => [rank === 0 ? {} : { excludeIds: true, queryIds: ids, keyIds: ids }, 3],
    'options.excludeIds: true on rank 1, false on rank 0',
  ],
  [
    'too many keys asked for',
    () => [{}, 301],
    'Expected at most 300, the number of keys of all ranks, for k',
  ],
])('%s: the same sentence on all ranks', (_, of, text) =>
  onRanks(2, async (group, rank) => {
    const [more, best] = of(rank);
    const error = await errorOf(search(group, more, keys, best));
    expect(error).toMatchObject({ code: 'ERR_VALUE', message: expect.stringContaining(text) });
    await expectUsable(group);
  }),
);

it('refuses a group that is none', async () => {
  await expect(topK(queries, keys, k, { group: {} } as never)).rejects.toMatchObject({
    code: 'ERR_TYPE',
    message: expect.stringContaining('options.group'),
  });
});
