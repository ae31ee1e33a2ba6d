/**
 * The native side takes exactly the searches that lib makes. A request that breaks a rule is an error with a code:
 * never a crash, and never a result.
 */
import type { NativeHostMatrix, NativeRanks, NativeTopK, SearchRequest } from '../../lib/native/binding';
import { loadBinding } from '../../lib/native/load';

const [rows, count, dim, k] = [4, 9, 5, 3];
const binding = loadBinding();

function matrix(length: number, columns = dim): NativeHostMatrix {
  const data = Float32Array.from({ length: length * columns }, (_, i) => Math.sin(i));
  return { data, dtype: 'float32', rows: length, dim: columns, rowStride: columns };
}

const topK = (change: Partial<NativeTopK> = {}): NativeTopK => ({
  k,
  limits: null,
  indices: new Int32Array(rows * k),
  scores: new Float32Array(rows * k),
  ...change,
});
const ranks = (change: Partial<NativeRanks> = {}): NativeRanks => ({
  offsets: Int32Array.from({ length: rows + 1 }, (_, i) => i),
  positives: new Int32Array(rows),
  optimistic: new Float64Array(rows),
  pessimistic: new Float64Array(rows),
  ...change,
});
const request = (change: Partial<SearchRequest>): SearchRequest => ({
  backend: 'cpu',
  device: 0,
  queries: matrix(rows),
  keys: matrix(count),
  topK: null,
  ranks: null,
  queryIds: null,
  keyIds: null,
  keyGroups: null,
  threads: 0,
  workspaceBytes: 0,
  control: new Int32Array(3),
  ...change,
});

it.each([
  ['topK', { topK: topK({ limits: new Float32Array(rows).fill(0.5) }) }],
  ['ranks', { ranks: ranks() }],
])('takes %s, and says what it cost', async (_, change) => {
  const { stats } = await binding.search(request({ ...change, threads: 2 }));
  expect(stats).toMatchObject({
    tiles: 1,
    tilesReused: 0,
    flops: 2 * rows * count * dim,
    backwardSeconds: 0,
  });
  expect(stats.workspaceBytes).toBeGreaterThan(0);
});

it.each<[string, string, Partial<SearchRequest>]>([
  ['nothing to search', 'ERR_TYPE', {}],
  ['both searches', 'ERR_TYPE', { topK: topK(), ranks: ranks() }],
  ['an unknown backend', 'ERR_TYPE', { topK: topK(), backend: 'tpu' as never }],
  ['another dim', 'ERR_SHAPE', { topK: topK(), keys: matrix(count, dim + 1) }],
  ['too few elements', 'ERR_SHAPE', { topK: topK(), keys: { ...matrix(count), rows: count + 1 } }],
  ['k of 0', 'ERR_VALUE', { topK: topK({ k: 0 }) }],
  ['k beyond the keys', 'ERR_VALUE', { topK: topK({ k: count + 1 }) }],
  ['too few indices', 'ERR_SHAPE', { topK: topK({ indices: new Int32Array(rows * k - 1) }) }],
  ['too few scores', 'ERR_SHAPE', { topK: topK({ scores: new Float32Array(rows * k - 1) }) }],
  ['scores of another type', 'ERR_TYPE', { topK: topK({ scores: new Int32Array(rows * k) as never }) }],
  ['too few limits', 'ERR_SHAPE', { topK: topK({ limits: new Float32Array(rows - 1) }) }],
  [
    'a limit that is no number',
    'ERR_VALUE',
    { topK: topK({ limits: new Float32Array(rows).fill(Number.NaN) }) },
  ],
  ['queryIds alone', 'ERR_VALUE', { topK: topK(), queryIds: new Int32Array(rows) }],
  ['too few keyGroups', 'ERR_SHAPE', { topK: topK(), keyGroups: new Int32Array(count - 1) }],
  ['too many threads', 'ERR_VALUE', { topK: topK(), threads: 1025 }],
  ['a workspace of 1 byte', 'ERR_WORKSPACE', { topK: topK(), workspaceBytes: 1 }],
  ['no control words', 'ERR_SHAPE', { topK: topK(), control: new Int32Array(2) }],
  ['offsets from 1', 'ERR_VALUE', { ranks: ranks({ offsets: Int32Array.of(1, 2, 3, 4, 5) }) }],
  ['offsets that fall', 'ERR_VALUE', { ranks: ranks({ offsets: Int32Array.of(0, 2, 1, 3, 4) }) }],
  ['a query without a positive', 'ERR_VALUE', { ranks: ranks({ offsets: Int32Array.of(0, 1, 1, 3, 4) }) }],
  ['too few positives', 'ERR_SHAPE', { ranks: ranks({ positives: new Int32Array(rows - 1) }) }],
  ['a positive below 0', 'ERR_VALUE', { ranks: ranks({ positives: Int32Array.of(0, 0, -1, 0) }) }],
  ['a positive beyond the keys', 'ERR_VALUE', { ranks: ranks({ positives: Int32Array.of(0, 0, count, 0) }) }],
  ['too few ranks', 'ERR_SHAPE', { ranks: ranks({ optimistic: new Float64Array(rows - 1) }) }],
])('refuses %s', async (_, code, change) => {
  const run = async () => binding.search(request(change));
  await expect(run()).rejects.toMatchObject({ code });
});
