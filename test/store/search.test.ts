/** A search and mining over stores: the results of arrays, and the errors of files. */
import { truncateSync } from 'node:fs';
import { mineHardNegatives, ranks, topK } from '../../lib';
import { features } from '../lifecycle/problems';
import { narrow } from '../reference/narrow';
import { storeOf, temporaryFolder } from './stores';

const path = temporaryFolder();
const [queries, keys] = [features(70, 24, 1), features(300, 24, 2)];
const keyIds = Int32Array.from({ length: 300 }, (_, i) => i % 170);

it('topK and ranks give the results of arrays', async () => {
  using q = await storeOf(path('queries'), queries);
  using k = await storeOf(path('keys'), keys);
  const best = await topK(queries, keys, 7, { keyIds });
  expect(await topK(q, k, 7, { keyIds })).toEqual(best);
  expect(await topK(queries, k, 7, { keyIds, threads: 2 })).toEqual(best);
  expect(await ranks(q, k, { keyIds })).toEqual(await ranks(queries, keys, { keyIds }));
  expect(await topK(k, k, 3)).toEqual(await topK(keys, keys, 3));
});

it.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
  const { bits } = narrow(keys as Parameters<typeof narrow>[0], dtype);
  using k = await storeOf(path('keys'), bits);
  expect(await topK(queries, k, 5)).toEqual(await topK(queries, bits, 5));
});

it('mineHardNegatives gives the results of arrays', async () => {
  using q = await storeOf(path('queries'), queries);
  using k = await storeOf(path('keys'), keys);
  for (const options of [
    { count: 4, margin: 0.1 },
    {
      count: 2,
      range: [1, 40] as [number, number],
      relativeMargin: 0.05,
      sampling: 'random' as const,
      seed: 3,
    },
  ]) {
    const expected = await mineHardNegatives(queries, keys, options);
    expect(await mineHardNegatives(q, k, options)).toEqual(expected);
    expect(await mineHardNegatives(queries, [{ firstKey: 0, keys: k }], options)).toEqual(expected);
  }
});

it('a store may be disposed of while a search runs', async () => {
  const k = await storeOf(path('keys'), keys);
  const running = topK(queries, k, 7);
  k.dispose();
  expect(await running).toEqual(await topK(queries, keys, 7));
  await expect(topK(queries, k, 7)).rejects.toMatchObject({
    code: 'ERR_DISPOSED',
    message: expect.stringContaining('keys'),
  });
  await expect(mineHardNegatives(queries, k, { count: 1 })).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
});

it('a file that was changed is ERR_STORE', async () => {
  using k = await storeOf(path('changed'), keys);
  truncateSync(path('changed'), 5000);
  const expected = { code: 'ERR_STORE', message: expect.stringContaining('was truncated') };
  await expect(topK(queries, k, 7)).rejects.toMatchObject(expected);
  await expect(ranks(queries, k)).rejects.toMatchObject(expected);
  await expect(mineHardNegatives(queries, k, { count: 1 })).rejects.toMatchObject(expected);
});

it('another width is ERR_SHAPE', async () => {
  using k = await storeOf(path('narrow'), features(300, 23, 2));
  await expect(topK(queries, k, 7)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  await expect(mineHardNegatives(queries, k, { count: 1 })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
});
