/** Several data sets: batches of one data set, all rows used or turns by weight, and places to go on from. */

import { type BatchOptions, openDataset, type TextDataset, textBatches } from '../../lib/data';
import { chooseByRows, RoundRobin } from '../../lib/data/mix';
import { epochOf, makeJsonl, range } from './files';

let [a, b, c]: TextDataset[] = [];
beforeAll(async () => {
  const open = (name: string, rows: number) =>
    openDataset(makeJsonl(range(rows).map((i) => [`${name}${i}`, `${name}k${i}`])), { name });
  [a, b, c] = await Promise.all([open('a', 40), open('b', 10), open('c', 5)]);
});

const names = async (batches: ReturnType<typeof textBatches>) =>
  (await epochOf(batches)).map(({ dataset }) => dataset).join('');

it('proportional: every row of every data set comes once, in batches of one data set', async () => {
  const batches = await epochOf(textBatches([a!, b!, c!], { batchSize: 4 }));
  for (const { dataset, queries } of batches)
    expect(queries.every((text) => text.startsWith(dataset))).toBe(true);
  for (const { name, rows } of [a!, b!, c!]) {
    const own = batches.filter(({ dataset }) => dataset === name).flatMap((batch) => [...batch.rows]);
    expect(own.sort((x, y) => x - y)).toEqual(range(rows));
  }
});

it('proportional: the order of data sets changes with seed and epoch, and is the same for the same ones', async () => {
  const orders = async (seed: number) => {
    const batches = textBatches([a!, b!, c!], { batchSize: 2, seed });
    return [await names(batches), await names(batches)];
  };
  const [first, again, other] = [await orders(1), await orders(1), await orders(2)];
  expect(again).toEqual(first);
  expect(new Set([...first!, ...other!]).size).toBe(4);
});

it('proportional: a data set comes as often as it has rows left', () => {
  const counts = [0, 0, 0];
  for (let draws = 0; draws < 9000; draws++) counts[chooseByRows([6, 0, 3], { seed: 1, epoch: 2, draws })]!++;
  expect(counts[1]).toBe(0);
  expect(Math.abs(counts[0]! - 6000)).toBeLessThan(200);
  expect(chooseByRows([0, 0], { seed: 1, epoch: 0, draws: 0 })).toBe(-1);
});

it('roundRobin: turns until one data set is used up', async () => {
  expect(await names(textBatches([a!, b!, c!], { batchSize: 2, mix: 'roundRobin' }))).toBe('abcabcabcab');
  expect(await names(textBatches([a!, b!], { batchSize: 4, mix: 'roundRobin', dropLast: true }))).toBe(
    'ababa',
  );
});

it('roundRobin: turns by weight, spread evenly', async () => {
  const source = [{ dataset: a!, weight: 2 }, b!];
  expect(await names(textBatches(source, { batchSize: 5, mix: 'roundRobin' }))).toBe('abaabaa');
  const turns = new RoundRobin([3, 1.5, 0.5], 0);
  const counts = [0, 0, 0];
  for (let i = 0; i < 100; i++) {
    counts[turns.peek()]!++;
    turns.take();
  }
  expect(counts).toEqual([60, 30, 10]);
});

it.each<[string, Partial<BatchOptions>]>([
  ['proportional', {}],
  ['proportional, dropLast', { dropLast: true }],
  ['roundRobin', { mix: 'roundRobin' }],
])('goes on from each place: %s', async (_, more) => {
  const options = { batchSize: 3, seed: 4, ...more };
  const source = more.mix ? [{ dataset: a!, weight: 1.7 }, b!, c!] : [a!, b!, c!];
  const batches = textBatches(source, options);
  const positions: string[] = [];
  const all: unknown[] = [];
  for await (const batch of batches) {
    positions.push(JSON.stringify(batches.position()));
    all.push(batch);
  }
  expect(all.length).toBeGreaterThan(4);
  for (const [at, position] of positions.entries()) {
    const resumed = textBatches(source, { ...options, position: JSON.parse(position) });
    expect(await epochOf(resumed)).toEqual(all.slice(at + 1));
    expect(resumed.epoch).toBe(1);
  }
});

it('data sets of pairs and of triplets mix', async () => {
  const triplets = await openDataset(makeJsonl([['x', 'y', 'z']]), { name: 'triplets' });
  const batches = await epochOf(textBatches([c!, triplets], { batchSize: 5 }));
  expect(batches.map(({ dataset, perQuery }) => `${dataset} ${perQuery}`).sort()).toEqual([
    'c 0',
    'triplets 1',
  ]);
});
