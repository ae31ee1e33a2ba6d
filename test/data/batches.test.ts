/** Batches of one data set: every row once an epoch, the same order for the same seed, and places to go on from. */

import {
  type BatchOptions,
  openDataset,
  type TextBatch,
  type TextDataset,
  textBatches,
} from '../../lib/data';
import { FileDataset } from '../../lib/data/dataset';
import { expectError, thrownBy } from '../lib/fake-binding';
import { epochOf, makeJsonl, range, rejection, rowsOf } from './files';

const count = 23;
let dataset: TextDataset;
beforeAll(async () => {
  dataset = await openDataset(
    makeJsonl(range(count).map((i) => ({ q: `q${i}`, k: `k${i}`, negative: `n${i}`, score: i }))),
    {
      name: 'rows',
    },
  );
});

const sizes = (batches: TextBatch[]) => batches.map(({ rows }) => rows.length);

it('every row comes once an epoch, with its own texts', async () => {
  const batches = await epochOf(textBatches(dataset, { batchSize: 5 }));
  expect(sizes(batches)).toEqual([5, 5, 5, 5, 3]);
  expect(rowsOf(batches).sort((a, b) => a - b)).toEqual(range(count));
  for (const { rows, queries, keys, hardNegatives, labels, perQuery, dataset: name } of batches) {
    const numbers = [...rows];
    expect(queries).toEqual(numbers.map((i) => `q${i}`));
    expect(keys).toEqual(numbers.map((i) => `k${i}`));
    expect(hardNegatives).toEqual(numbers.map((i) => `n${i}`));
    expect([...labels!]).toEqual(numbers);
    expect([perQuery, name]).toEqual([1, 'rows']);
  }
});

it('dropLast leaves out what does not fill a batch', async () => {
  expect(sizes(await epochOf(textBatches(dataset, { batchSize: 5, dropLast: true })))).toEqual([5, 5, 5, 5]);
  expect(sizes(await epochOf(textBatches(dataset, { batchSize: 23, dropLast: true })))).toEqual([23]);
});

it('without shuffle, rows come as the file has them', async () => {
  expect(rowsOf(await epochOf(textBatches(dataset, { batchSize: 4, shuffle: false })))).toEqual(range(count));
});

it('seed and epoch decide the order, and nothing else', async () => {
  const epochs = async (seed: number | undefined) => {
    const batches = textBatches(dataset, { batchSize: 4, seed });
    const orders: number[][] = [];
    while (batches.epoch < 3) orders.push(rowsOf(await epochOf(batches)));
    return orders;
  };
  const first = await epochs(5);
  expect(await epochs(5)).toEqual(first);
  expect(new Set([...first, ...(await epochs(6))].map(String)).size).toBe(6);
  expect(await epochs(undefined)).toEqual(await epochs(0));
  const larger = textBatches(dataset, { batchSize: 23, seed: 5 });
  expect(rowsOf(await epochOf(larger))).toEqual(first[0]);
});

it('a loop that is left early keeps its place', async () => {
  const whole = await epochOf(textBatches(dataset, { batchSize: 5 }));
  const batches = textBatches(dataset, { batchSize: 5 });
  for await (const batch of batches) {
    expect(batch).toEqual(whole[0]);
    break;
  }
  expect(batches.epoch).toBe(0);
  expect(await epochOf(batches)).toEqual(whole.slice(1));
  expect(batches.epoch).toBe(1);
});

it('two loops at once get different batches, and the epoch ends once', async () => {
  const batches = textBatches(dataset, { batchSize: 2 });
  const [one, two] = await Promise.all([epochOf(batches), epochOf(batches)]);
  expect(rowsOf([...one, ...two]).sort((a, b) => a - b)).toEqual(range(count));
  expect(batches.epoch).toBe(1);
});

describe.each<[string, Partial<BatchOptions>]>([
  ['plain', {}],
  ['dropLast', { dropLast: true }],
  ['noDuplicates', { noDuplicates: true }],
])('going on from each place, %s', (_, more) => {
  it('gives the batches that an unbroken run has', async () => {
    const rows = range(24).map((i) => [`q${i % 5}`, `k${i % 7}`]);
    const repeated = await openDataset(makeJsonl(rows), { name: 'repeated' });
    const options = { batchSize: 4, seed: 9, ...more };
    const batches = textBatches(repeated, options);
    const all: TextBatch[] = [];
    const positions = [JSON.stringify(batches.position())];
    while (batches.epoch < 2) {
      for await (const batch of batches) {
        all.push(batch);
        positions.push(JSON.stringify(batches.position()));
      }
    }
    for (const [at, position] of positions.entries()) {
      const resumed = textBatches(repeated, { ...options, position: JSON.parse(position) });
      expect(JSON.stringify(resumed.position())).toBe(position);
      const rest: TextBatch[] = [];
      while (resumed.epoch < 2) rest.push(...(await epochOf(resumed)));
      expect(rest).toEqual(all.slice(at));
    }
  });
});

describe('a position', () => {
  const options = { batchSize: 4, seed: 3, noDuplicates: true };
  const saved = async () => {
    const batches = textBatches(dataset, options);
    await batches[Symbol.asyncIterator]().next();
    return batches.position();
  };
  const goOn = (position: object, changed: object = {}) =>
    thrownBy(() => textBatches(dataset, { ...options, ...changed, position: position as never }));

  it.each<[string, object]>([
    ['batchSize', { batchSize: 5 }],
    ['seed', { seed: 4 }],
    ['shuffle', { shuffle: false }],
    ['dropLast', { dropLast: true }],
    ['noDuplicates', { noDuplicates: false }],
  ])('of another %s is refused', async (name, changed) => {
    expectError(goOn(await saved(), changed), {
      type: RangeError,
      code: 'ERR_VALUE',
      message: new RegExp(`for options.position.settings.${name}, as these batches have, but received`),
    });
  });

  it('of another file is refused', async () => {
    const same = range(count).map((i) => ({
      q: `q${i}`,
      k: `k${i}`,
      negative: `n${i}`,
      score: i + (i === 7 ? 1 : 0),
    }));
    const other = await openDataset(makeJsonl(same), { name: 'rows' });
    expectError(
      thrownBy(() => textBatches(other, { ...options, position: position as never })),
      {
        type: RangeError,
        code: 'ERR_VALUE',
        message: /for options.position.datasets\[0\].checksum/,
      },
    );
  });
  let position: object;
  beforeAll(async () => {
    position = await saved();
  });

  const ofDataset = (change: object) => (one: { datasets: object[] }) => ({
    ...one,
    datasets: [{ ...one.datasets[0], ...change }],
  });
  it.each<[string, (one: { datasets: object[] }) => object, string, RegExp]>([
    ['an unknown name', (one) => ({ ...one, step: 1 }), 'ERR_OPTION', /Unknown name step/],
    ['another version', (one) => ({ ...one, version: 2 }), 'ERR_VALUE', /position.version/],
    ['no epoch', (one) => ({ ...one, epoch: undefined }), 'ERR_TYPE', /position.epoch/],
    ['negative draws', (one) => ({ ...one, draws: -1 }), 'ERR_VALUE', /position.draws/],
    ['no data sets', (one) => ({ ...one, datasets: 1 }), 'ERR_TYPE', /position.datasets/],
    [
      'too few data sets',
      (one) => ({ ...one, datasets: [] }),
      'ERR_VALUE',
      /Expected 1 for options.position.datasets.length/,
    ],
    ['no settings', (one) => ({ ...one, settings: null }), 'ERR_TYPE', /position.settings/],
    ['a row beyond the last', ofDataset({ next: 24 }), 'ERR_VALUE', /datasets\[0\].next/],
    ['usedUp that is no boolean', ofDataset({ usedUp: 0 }), 'ERR_TYPE', /datasets\[0\].usedUp/],
    ['waiting that is no array', ofDataset({ waiting: {} }), 'ERR_TYPE', /datasets\[0\].waiting/],
    ['a queue that is no array', ofDataset({ waiting: [5] }), 'ERR_TYPE', /waiting\[0\]/],
    ['an empty queue', ofDataset({ waiting: [[5]] }), 'ERR_VALUE', /is damaged/],
    [
      'a row that waits twice',
      ofDataset({
        waiting: [
          [5, 1],
          [6, 1],
        ],
      }),
      'ERR_VALUE',
      /is damaged/,
    ],
    [
      'a queue twice',
      ofDataset({
        waiting: [
          [5, 1],
          [5, 2],
        ],
      }),
      'ERR_VALUE',
      /is damaged/,
    ],
    [
      'more rows that wait than were looked at',
      ofDataset({ waiting: [[5, 0, 1, 2, 3, 4]] }),
      'ERR_VALUE',
      /is damaged/,
    ],
    ['a row that waits beyond the last', ofDataset({ waiting: [[5, 23]] }), 'ERR_VALUE', /is damaged/],
  ])('with %s is refused', (_, change, code, message) => {
    expectError(goOn(change(position as never)), {
      type: code === 'ERR_VALUE' ? RangeError : TypeError,
      code,
      message,
    });
  });

  it('while a batch is read is refused', async () => {
    const batches = textBatches(dataset, options);
    const reading = batches[Symbol.asyncIterator]().next();
    expectError(
      thrownBy(() => batches.position()),
      {
        type: RangeError,
        code: 'ERR_VALUE',
        message: /^Expected position\(\) between two batches/,
      },
    );
    await reading;
    expect(batches.position().draws).toBe(1);
  });
});

describe('a draw that fails', () => {
  const options = { batchSize: 4, seed: 3, noDuplicates: true };

  it.each([1, 2, 3])('at read %i changes nothing: the next draw gives the same batch', async (failing) => {
    const rows = range(60).map((i) => [`q${i % 7}`, `k${i}`]);
    const repeated = await openDataset(makeJsonl(rows));
    const whole = await epochOf(textBatches(repeated, options));
    const batches = textBatches(repeated, options);
    const got: TextBatch[] = [];
    const parse = FileDataset.prototype.parse;
    const spy = jest.spyOn(FileDataset.prototype, 'parse');
    for (let failures = 0; batches.epoch === 0; ) {
      let reads = 0;
      // every second draw fails at one of its reads, if it has so many
      spy.mockImplementation(async function (this: FileDataset, ...args) {
        if (got.length + failures < 2 * got.length + 1 && ++reads === failing) {
          failures++;
          throw new Error('the disk is gone');
        }
        return parse.apply(this, args);
      });
      const before = JSON.stringify(batches.position());
      const loop = batches[Symbol.asyncIterator]();
      const next = await loop.next().catch((error: Error) => error);
      if (next instanceof Error) {
        expect(next.message).toBe('the disk is gone');
        expect(JSON.stringify(batches.position())).toBe(before);
      } else if (!next.done) got.push(next.value);
    }
    spy.mockRestore();
    expect(got).toEqual(whole);
  });

  it('by an abort rejects with its reason, and the place stays', async () => {
    const controller = new AbortController();
    const batches = textBatches(dataset, { ...options, signal: controller.signal });
    await batches[Symbol.asyncIterator]().next();
    const before = batches.position();
    controller.abort('enough');
    expect(await rejection(batches[Symbol.asyncIterator]().next())).toBe('enough');
    expect(batches.position()).toEqual(before);
    expect(await rejection(dataset.read([0], { signal: controller.signal }))).toBe('enough');
    // a signal that aborts while the file is read
    const later = new AbortController();
    const large = makeJsonl(range(40_000).map((i) => [`a long text ${'x'.repeat(60)} ${i}`, 'b']));
    const opening = openDataset(large, { signal: later.signal });
    setImmediate(() => later.abort('later'));
    expect(await rejection(opening)).toBe('later');
    const path = makeJsonl([['a', 'b']]);
    expect(await rejection(openDataset(path, { signal: controller.signal }))).toBe('enough');
  });
});
