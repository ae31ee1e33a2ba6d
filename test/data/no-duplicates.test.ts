/**
 * Batches without duplicates: no text in two rows of a batch, and every row once an epoch. The number of batches is near that
 * of sentence-transformers' sampler, and reads grow with the rows alone.
 */

import fc from 'fast-check';
import { openDataset, textBatches } from '../../lib/data';
import { FileDataset } from '../../lib/data/dataset';
import { permutation, Random } from '../../lib/data/random';
import { epochOf, makeJsonl, range, rowsOf } from './files';

/** sentence-transformers' way: each batch goes through all rows that are left, and takes what fits. Quadratic. */
function slowBatches(rows: string[][], batchSize: number, order: number[]): number[][] {
  const batches: number[][] = [];
  for (let left = order; left.length > 0; ) {
    const texts = new Set<string>();
    const batch: number[] = [];
    for (const row of left) {
      if (batch.length === batchSize) break;
      if (rows[row]!.some((text) => texts.has(text))) continue;
      for (const text of rows[row]!) texts.add(text);
      batch.push(row);
    }
    batches.push(batch);
    left = left.filter((row) => !batch.includes(row));
  }
  return batches;
}

function requireDifferent(rows: string[][], batch: Int32Array): void {
  const texts = [...batch].flatMap((row) => [...new Set(rows[row]!)]);
  expect(new Set(texts).size).toBe(texts.length);
}

const problems = fc.record({
  rows: fc.integer({ min: 1, max: 60 }),
  columns: fc.integer({ min: 2, max: 4 }),
  vocabulary: fc.integer({ min: 1, max: 80 }),
  batchSize: fc.integer({ min: 1, max: 12 }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

it('holds for random rows', async () => {
  const property = fc.asyncProperty(
    problems,
    async ({ rows: count, columns, vocabulary, batchSize, seed }) => {
      const random = new Random(seed, 99);
      const rows = range(count).map(() => range(columns).map(() => `t${random.below(vocabulary)}`));
      const dataset = await openDataset(makeJsonl(rows));
      const batches = await epochOf(textBatches(dataset, { batchSize, seed, noDuplicates: true }));
      expect(rowsOf(batches).sort((a, b) => a - b)).toEqual(range(count));
      for (const batch of batches) requireDifferent(rows, batch.rows);
      for (const batch of batches) expect(batch.rows.length).toBeLessThanOrEqual(batchSize);
      const slow = slowBatches(rows, batchSize, [...permutation(count, new Random(seed, 0, 0))]);
      // the first batch has no rows that wait, and so must be the same one
      expect([...batches[0]!.rows]).toEqual(slow[0]);
      expect(batches.length).toBeLessThanOrEqual(Math.ceil(slow.length * 1.25) + 2);
    },
  );
  await fc.assert(property, { numRuns: 60, seed: 20_261_130 });
});

it('a row whose texts are equal to each other is no duplicate', async () => {
  const dataset = await openDataset(
    makeJsonl([
      ['a', 'a'],
      ['b', 'c'],
    ]),
  );
  expect(await epochOf(textBatches(dataset, { batchSize: 2, noDuplicates: true }))).toHaveLength(1);
});

it('a hard negative is a text like others', async () => {
  const dataset = await openDataset(
    makeJsonl([
      ['a', 'b', 'c'],
      ['d', 'e', 'a'],
    ]),
  );
  expect(await epochOf(textBatches(dataset, { batchSize: 2, noDuplicates: true }))).toHaveLength(2);
});

it('all batches but the last ones are full', async () => {
  const rows = range(1000).map((i) => [`q${i % 100}`, `k${i}`]);
  const dataset = await openDataset(makeJsonl(rows));
  const batches = await epochOf(textBatches(dataset, { batchSize: 50, noDuplicates: true }));
  expect(batches.slice(0, 16).map(({ rows: { length } }) => length)).toEqual(new Array(16).fill(50));
  // with dropLast, the first batch that is not full ends the epoch
  const full = await epochOf(textBatches(dataset, { batchSize: 50, noDuplicates: true, dropLast: true }));
  for (const batch of full) expect(batch.rows).toHaveLength(50);
  expect(full.length).toBeGreaterThanOrEqual(16);
});

it.each<[string, (i: number, random: Random) => string[]]>([
  ['no text twice', (i) => [`q${i}`, `k${i}`]],
  ['ten queries', (i) => [`q${i % 10}`, `k${i}`]],
  ['one query for all', (i) => ['q', `k${i}`]],
  ['a third of all rows has one key', (i) => [`q${i}`, i % 3 === 0 ? 'k' : `k${i}`]],
  ['rows linked in a web', (_, random) => range(3).map(() => `t${random.below(500)}`)],
  ['two popular columns', (_, random) => [`q${random.below(20)}`, `k${random.below(20)}`]],
])('reads grow with the rows alone: %s', async (_, makeRow) => {
  const count = 2000;
  const random = new Random(1);
  const rows = range(count).map((i) => makeRow(i, random));
  const dataset = await openDataset(makeJsonl(rows));
  const spy = jest.spyOn(FileDataset.prototype, 'parse');
  const batches = await epochOf(textBatches(dataset, { batchSize: 64, noDuplicates: true }));
  const reads = spy.mock.calls.reduce((sum, [numbers]) => sum + numbers.length, 0);
  spy.mockRestore();
  expect(rowsOf(batches).sort((a, b) => a - b)).toEqual(range(count));
  for (const batch of batches) requireDifferent(rows, batch.rows);
  expect(reads).toBeGreaterThanOrEqual(count);
  expect(reads / count).toBeLessThan(4);
});
