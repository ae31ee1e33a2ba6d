/** A store gives the bits of its array: for every objective, element type and place in a call. */
import {
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type DType,
  effectiveRank,
  FeatureStore,
  type LossAndGradResult,
  type MatrixLike,
} from '../../lib';
import { digest, features, problem } from '../lifecycle/problems';
import { narrow } from '../reference/narrow';
import { storeOf, temporaryFolder, writeNpy } from './stores';

const path = temporaryFolder();

const inDType = (matrix: MatrixLike & { data: Float32Array }, dtype: DType): MatrixLike =>
  dtype === 'float32' ? matrix : narrow(matrix as Parameters<typeof narrow>[0], dtype).bits;

it.each(Array.from({ length: 14 }, (_, number) => number))('problem %i', async (number) => {
  const { queries, keys, options } = problem(number);
  const expected = digest(contrastiveLossAndGradSync(queries, keys, options));
  using q = await storeOf(path('queries'), queries);
  using k = await storeOf(path('keys'), keys);
  expect(digest(contrastiveLossAndGradSync(q, k, options))).toBe(expected);
  expect(digest(await contrastiveLossAndGrad(q, keys, options))).toBe(expected);
  expect(digest(await contrastiveLossAndGrad(queries, k, options))).toBe(expected);
  const { loss } = contrastiveLossSync(queries, keys, options);
  expect((await contrastiveLoss(q, k, options)).loss).toBe(loss);
  expect(contrastiveLossSync(q, k, options).loss).toBe(loss);
});

it.each(['float32', 'float16', 'bfloat16'] as const)('%s', async (dtype) => {
  const queries = inDType(features(70, 24, 1), dtype);
  const keys = inDType(features(70, 24, 2), dtype);
  using q = await storeOf(path('queries'), queries);
  using k = await storeOf(path('keys'), keys);
  expect([q.dtype, q.shape, q.dim, q.disposed]).toEqual([dtype, [70, 24], 24, false]);
  const expected = digest(contrastiveLossAndGradSync(queries, keys));
  expect(digest(await contrastiveLossAndGrad(q, k))).toBe(expected);
  expect(q.rows()).toEqual({ data: queries.data, shape: [70, 24], dtype });
  expect(q.rows(3, 5)).toEqual({ data: queries.data.slice(3 * 24, 5 * 24), shape: [2, 24], dtype });
  expect(q.rows(69)).toEqual({ data: queries.data.slice(69 * 24), shape: [1, 24], dtype });
});

it.each(['float32', 'float16'] as const)('.npy of %s', async (dtype) => {
  const keys = inDType(features(70, 24, 2), dtype);
  writeNpy(path('keys.npy'), keys, dtype);
  using k = await FeatureStore.open(path('keys.npy'));
  const expected = digest(contrastiveLossAndGradSync(keys, keys));
  expect(digest(contrastiveLossAndGradSync(k, k))).toBe(expected);
  expect(k.ids).toBeNull();
});

it('a guide and a teacher, whose files may be closed while the call waits', async () => {
  const [queries, keys, frozen] = [features(30, 8, 1), features(30, 8, 2), features(30, 11, 3)];
  const numbers = { logitScale: 9, weight: 0.5 };
  const store = await storeOf(path('frozen'), frozen);
  const solve = (given: MatrixLike | FeatureStore) =>
    contrastiveLossAndGrad(queries, keys, {
      guide: { queries: given, keys: given, margin: 0.1 },
      teacher: { queries: given, keys: given, ...numbers },
    });
  const expected = digest(await solve(frozen));
  const waiting = solve(store);
  store.dispose();
  expect(digest(await waiting)).toBe(expected);
  await expect(solve(store)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
});

it('hard negatives', async () => {
  const [queries, keys, hard] = [features(30, 8, 1), features(30, 8, 2), features(90, 8, 3)];
  using h = await storeOf(path('hard'), hard);
  const solve = async (given: MatrixLike | FeatureStore) => {
    const hardNegatives = { keys: given, perQuery: 3 };
    const result = await contrastiveLossAndGrad(queries, keys, { hardNegatives });
    return [digest(result), result.hardNegativeGrads];
  };
  expect(await solve(h)).toEqual(await solve(hard));
});

it('one store as both sides, and alone', async () => {
  const x = features(60, 12, 4);
  const labels = Int32Array.from({ length: 60 }, (_, i) => i % 5);
  using s = await storeOf(path('both'), x);
  expect(digest(contrastiveLossAndGradSync(s, s))).toBe(digest(contrastiveLossAndGradSync(x, x)));
  const options = { objective: 'supcon', labels } as const;
  const alone = (given: MatrixLike | FeatureStore) =>
    digest(contrastiveLossAndGradSync(given, null, options));
  expect(alone(s)).toBe(alone(x));
});

it('ids come back', async () => {
  const ids = Int32Array.from({ length: 10 }, (_, i) => i * i - 20);
  using s = await storeOf(path('ids'), features(10, 3, 5), { ids });
  expect(s.ids).toEqual(ids);
});

it('a relative path stays valid when the process changes its folder', async () => {
  const before = process.cwd();
  const x = features(5, 3, 6);
  (await storeOf(path('moved'), x)).dispose();
  try {
    process.chdir(path('.'));
    using s = await FeatureStore.open('moved');
    process.chdir(before);
    expect(s.path).toBe(path('moved'));
    expect(s.rows().data).toEqual(x.data);
  } finally {
    process.chdir(before);
  }
});

it('an evaluation that reads rows in JavaScript takes a store', async () => {
  const x = features(40, 6, 7);
  using s = await storeOf(path('x'), x);
  expect(await effectiveRank(s)).toBe(await effectiveRank(x));
});

describe('after dispose', () => {
  it('calls that wait or run go on, and new ones are refused', async () => {
    const [large, x] = [features(3000, 64, 9), features(50, 6, 10)];
    const expected = digest(contrastiveLossAndGradSync(x, x));
    const s = await storeOf(path('disposed'), x);
    const first = contrastiveLossAndGrad(large, large);
    const waiting: Promise<LossAndGradResult>[] = [
      contrastiveLossAndGrad(s, s),
      contrastiveLossAndGrad(x, s),
    ];
    s.dispose();
    s.dispose();
    expect(s.disposed).toBe(true);
    await expect(contrastiveLoss(s, x)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(() => contrastiveLossSync(x, s)).toThrow('keys not to be disposed of');
    expect(() => s.rows()).toThrow('this store not to be disposed of');
    await first;
    expect((await Promise.all(waiting)).map(digest)).toEqual([expected, expected]);
  });

  it('at the end of a block', async () => {
    let kept: FeatureStore;
    {
      using s = await storeOf(path('block'), features(5, 3, 1));
      kept = s;
    }
    expect(kept.disposed).toBe(true);
  });
});
