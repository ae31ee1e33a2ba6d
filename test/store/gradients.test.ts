/** Gradients into stores: the bits of arrays, files that appear on commit, and writers that serve one call. */
import { existsSync, rmSync } from 'node:fs';
import {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  FeatureStore,
  type MatrixLike,
  type StoreWriter,
} from '../../lib';
import { features, problem } from '../lifecycle/problems';
import { storeOf, temporaryFolder } from './stores';

const path = temporaryFolder();
const create = (name: string, [rows, dim]: readonly number[], more = {}) =>
  FeatureStore.create(path(name), { rows, dim: dim!, overwrite: true, ...more });

async function committed(writer: StoreWriter): Promise<Float32Array> {
  await writer.commit();
  using store = await FeatureStore.open(writer.path);
  return store.rows().data as Float32Array;
}

it.each(Array.from({ length: 7 }, (_, number) => number))('problem %i', async (number) => {
  const { queries, keys, options } = problem(number);
  const expected = contrastiveLossAndGradSync(queries, keys, options);
  using keyStore = await storeOf(path('keys'), keys);
  // TypeScript calls no union of generic functions
  for (const call of [
    contrastiveLossAndGrad,
    contrastiveLossAndGradSync as unknown as typeof contrastiveLossAndGrad,
  ]) {
    const queryGrads = await create('queryGrads', queries.shape!);
    const keyGrads = await create('keyGrads', keys.shape!);
    const result = await call(queries, keyStore, { ...options, out: { queryGrads, keyGrads } });
    expect(result.loss).toBe(expected.loss);
    expect([result.queryGrads, result.keyGrads]).toEqual([new Float32Array(0), new Float32Array(0)]);
    expect(await committed(queryGrads)).toEqual(expected.queryGrads);
    expect(await committed(keyGrads)).toEqual(expected.keyGrads);
  }
});

it('gradients of hard negatives and of the first keys', async () => {
  const [queries, keys, hard] = [features(30, 8, 1), features(40, 8, 2), features(60, 8, 3)];
  const options = {
    objective: 'infonce',
    hardNegatives: { keys: hard, perQuery: 2 },
    grad: { keys: { rows: 10 } },
  } as const;
  const expected = contrastiveLossAndGradSync(queries, keys, options);
  const out = { keyGrads: await create('some', [10, 8]), hardNegativeGrads: await create('hard', [60, 8]) };
  const result = await contrastiveLossAndGrad(queries, keys, { ...options, out });
  expect(result.queryGrads).toEqual(expected.queryGrads);
  expect(result.hardNegativeGrads).toEqual(new Float32Array(0));
  expect(await committed(out.keyGrads)).toEqual(expected.keyGrads);
  expect(await committed(out.hardNegativeGrads)).toEqual(expected.hardNegativeGrads);
});

describe('a writer', () => {
  const x = features(50, 8, 4);
  const solve = (writer: StoreWriter, queries: MatrixLike = x, options: ContrastiveOptions = {}) =>
    contrastiveLossAndGrad(queries, queries, { ...options, out: { keyGrads: writer } });

  it.each<[string, () => Promise<StoreWriter>, string, RegExp]>([
    ['of other rows', () => create('file', [51, 8]), 'ERR_SHAPE', /Expected \[50, 8\] .* received \[51, 8\]/],
    ['of another dim', () => create('file', [50, 9]), 'ERR_SHAPE', /received \[50, 9\]/],
    [
      'of 16 bits',
      () => create('file', [50, 8], { dtype: 'float16' }),
      'ERR_DTYPE',
      /float32 for options.out.keyGrads/,
    ],
    ['with ids', () => create('file', [50, 8], { ids: true }), 'ERR_STORE', /ids/],
    ['without rows', () => create('file', [undefined as never, 8]), 'ERR_STORE', /option rows/],
  ])('%s is refused, and free afterwards', async (_, make, code, message) => {
    await using writer = await make();
    await expect(solve(writer)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    const again = solve(writer);
    await expect(again).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('serves one call at a time', async () => {
    await using writer = await create('file', [50, 8]);
    const first = solve(writer);
    await expect(solve(writer)).rejects.toMatchObject({ code: 'ERR_STORE' });
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_STORE' });
    await expect(writer.append(x)).rejects.toMatchObject({ code: 'ERR_STORE' });
    await first;
    const twice = { queryGrads: writer, keyGrads: writer };
    await expect(contrastiveLossAndGrad(x, x, { out: twice })).rejects.toMatchObject({ code: 'ERR_STORE' });
    await solve(writer);
  });

  it('of a call that failed has nothing to commit, and serves the next one', async () => {
    await using writer = await create('file', [50, 8]);
    const broken = { data: x.data.slice(), shape: x.shape };
    broken.data[13] = Number.NaN;
    await expect(solve(writer, broken)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_STORE' });
    await expect(solve(writer, x, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_STORE' });
    await solve(writer);
    expect(await committed(writer)).toEqual(contrastiveLossAndGradSync(x, x).keyGrads);
  });

  it('that was disposed of or committed is refused', async () => {
    const disposed = await create('disposed', [50, 8]);
    disposed.dispose();
    await expect(solve(disposed)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    const writer = await create('file', [50, 8]);
    await solve(writer);
    await writer.commit();
    await expect(solve(writer)).rejects.toMatchObject({ code: 'ERR_STORE' });
  });

  it('may be disposed of while the call runs: an error, no file, and no signal', async () => {
    const large = features(4000, 64, 5);
    rmSync(path('gone'), { force: true });
    const writer = await create('gone', [4000, 64]);
    const call = solve(writer, large);
    setTimeout(() => writer.dispose(), 20);
    await expect(call).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await writer.abort();
    expect([existsSync(writer.path), existsSync(`${writer.path}.tmp`)]).toEqual([false, false]);
  });

  it('whose file was removed meanwhile is an ERR_STORE', async () => {
    await using writer = await create('removed', [50, 8]);
    rmSync(`${writer.path}.tmp`);
    await expect(solve(writer)).rejects.toMatchObject({ code: 'ERR_STORE' });
  });

  it('has no use where there is no such gradient', async () => {
    await using writer = await create('file', [50, 8]);
    const frozen = solve(writer, x, { grad: { keys: false } });
    await expect(frozen).rejects.toMatchObject({ code: 'ERR_VALUE' });
    // calls without gradient ignore the option, and leave the writer alone
    await contrastiveLoss(x, x, { out: { keyGrads: writer } });
    await solve(writer);
  });
});
