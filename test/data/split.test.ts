/** splitDataset: parts that have every row once, no query in common, and the rows that the file has. */

import { appendFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { openDataset, type SplitOptions, splitDataset, type TextDataset, textBatches } from '../../lib/data';
import { expectError, type Thrown } from '../lib/fake-binding';
import { epochOf, makeJsonl, range, rejection, rowsOf } from './files';
import { wrongOption, wrongType, wrongValue } from './wrong-arguments';

/** Every query occurs one to three times, not side by side. */
const queryOf = (row: number) => `query ${crc32(String(row)) % 3000}`;
const rowsIn = (count: number) => range(count).map((row) => [queryOf(row), `key ${row}`]);
const open = (count = 6000) => openDataset(makeJsonl(rowsIn(count)), { name: 'pairs' });
const all = (dataset: TextDataset) => dataset.read(range(dataset.rows));

it('puts each row into one part, in the order of the file, and parts no query', async () => {
  const { train, test } = await splitDataset(await open(), { test: 0.2 });
  const [left, right] = [await all(train), await all(test)];
  const number = (key: string) => Number(key.split(' ')[1]);
  for (const { keys, queries } of [left, right]) {
    const numbers = keys.map(number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(queries).toEqual(numbers.map(queryOf));
  }
  expect([...left.keys, ...right.keys].map(number).sort((a, b) => a - b)).toEqual(range(6000));
  const known = new Set(left.queries);
  expect(right.queries.filter((query) => known.has(query))).toEqual([]);
});

it.each([0.01, 0.1, 0.5, 0.9])('has about the fraction %f in test', async (test) => {
  const parts = await splitDataset(await open(), { test });
  const queries = new Set((await all(parts.test)).queries).size;
  const total = new Set(rowsIn(6000).map(([query]) => query)).size;
  // five standard deviations
  expect(Math.abs(queries / total - test)).toBeLessThan(5 * Math.sqrt((test * (1 - test)) / total));
});

it('follows from the seed, and does not move rows when the file grows', async () => {
  const testQueries = async (rows: number, options: SplitOptions) =>
    (await all((await splitDataset(await open(rows), options)).test)).queries;
  const first = await testQueries(5000, { test: 0.2, seed: 3 });
  expect(await testQueries(5000, { test: 0.2, seed: 3 })).toEqual(first);
  expect(await testQueries(5000, { test: 0.2, seed: 4 })).not.toEqual(first);
  expect((await testQueries(6000, { test: 0.2, seed: 3 })).slice(0, first.length)).toEqual(first);
});

it('parts serve as data sets: batches, positions, parts of parts', async () => {
  const { train, test } = await splitDataset(await open(300), { test: 0.5 });
  expect([train.name, test.name]).toEqual(['pairs, train', 'pairs, test']);
  const batches = textBatches(train, { batchSize: 16, seed: 1 });
  const epoch = await epochOf(batches);
  expect(rowsOf(epoch).sort((a, b) => a - b)).toEqual(range(train.rows));
  const position = batches.position();
  expect(() => textBatches(test, { batchSize: 16, seed: 1, position })).toThrow(/go on with the data sets/);
  const other = await splitDataset(train, { test: 0.5, seed: 9 });
  const queries = [...(await all(other.train)).queries, ...(await all(other.test)).queries];
  expect(queries.sort()).toEqual((await all(train)).queries.sort());
});

it('keeps hard negatives, labels and names of columns', async () => {
  const path = makeJsonl(range(40).map((i) => ({ q: `q${i}`, k: `k${i}`, negative: `n${i}`, label: i })));
  const { test } = await splitDataset(await openDataset(path), { test: 0.5 });
  const { queries, hardNegatives, labels } = await all(test);
  expect(test).toMatchObject({ perQuery: 1, labelled: true, columns: ['q', 'k', 'negative'], path });
  expect(hardNegatives).toEqual(queries.map((query) => query.replace('q', 'n')));
  expect([...labels!]).toEqual(queries.map((query) => Number(query.slice(1))));
});

it.each<[string, unknown, unknown, Thrown]>([
  ['no data set', {}, { test: 0.1 }, wrongType(/^Expected data set that openDataset made for dataset/)],
  ['no options', 'pairs', undefined, wrongType(/^Expected object for options/)],
  ['no fraction', 'pairs', {}, wrongType(/^Expected finite number for options.test/)],
  ['a fraction of 0', 'pairs', { test: 0 }, wrongValue(/^Expected fraction above 0 and below 1/)],
  ['a fraction of 1', 'pairs', { test: 1 }, wrongValue(/^Expected fraction above 0 and below 1/)],
  ['a number of rows', 'pairs', { test: 100 }, wrongValue(/^Expected fraction above 0 and below 1/)],
  ['NaN', 'pairs', { test: Number.NaN }, wrongValue(/^Expected finite number for options.test/)],
  ['a seed that is no integer', 'pairs', { test: 0.1, seed: 0.5 }, wrongValue(/for options.seed/)],
  ['a name of others', 'pairs', { test_size: 0.1 }, wrongOption(/^Unknown name test_size in options/)],
  ['a signal that is none', 'pairs', { test: 0.1, signal: 1 }, wrongType(/for options.signal/)],
  ['a part without rows', 'one', { test: 0.5 }, wrongValue(/^Expected rows for both parts of one but/)],
])('refuses %s', async (_, which, options, error) => {
  const one = await openDataset(makeJsonl([['a', 'b']]), { name: 'one' });
  const dataset = which === 'pairs' ? await open(20) : which === 'one' ? one : which;
  expectError(await rejection(splitDataset(dataset as TextDataset, options as SplitOptions)), error);
});

it('stops on a signal, and on a file that has changed', async () => {
  const dataset = await open(10);
  const reason = new Error('enough');
  await expect(splitDataset(dataset, { test: 0.5, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  appendFileSync(dataset.path, '["a","b"]\n');
  await expect(splitDataset(dataset, { test: 0.5 })).rejects.toMatchObject({ code: 'ERR_DATA' });
});
