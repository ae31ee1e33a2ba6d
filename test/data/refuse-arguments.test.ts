/** Wrong arguments of the other functions of infcl/data: refused before any work, with a code, and with what to do. */

import {
  batchTowers,
  openDataset,
  pairIds,
  type TextDataset,
  textBatches,
  textChunks,
  textIds,
} from '../../lib/data';
import { expectError, type Thrown, thrownBy } from '../lib/fake-binding';
import { makeJsonl, rejection } from './files';
import { wrongEncoder, wrongOption, wrongShape, wrongType, wrongValue } from './wrong-arguments';

let pairs: TextDataset;
let others: TextDataset;
beforeAll(async () => {
  pairs = await openDataset(makeJsonl(['ab', 'cd', 'ef'].map(([query, key]) => [query, key])), {
    name: 'pairs',
  });
  others = await openDataset(makeJsonl([['a', 'b']]), { name: 'others' });
});

it.each<[string, unknown, unknown, Thrown]>([
  ['no rows', undefined, undefined, wrongType(/^Expected array of row numbers for rows/)],
  ['rows without length', {}, undefined, wrongType(/^Expected non-negative integer for rows.length/)],
  [
    'a row beyond the last',
    [0, 3],
    undefined,
    wrongValue(/^Expected rows\[1\] below 3, the number of rows, but received 3$/),
  ],
  ['a negative row', [-1], undefined, wrongValue(/^Expected non-negative integer for rows\[0\]/)],
  ['a row of another type', ['0'], undefined, wrongType(/^Expected non-negative integer for rows\[0\]/)],
  ['an unknown option', [0], { abort: 1 }, wrongOption(/^Unknown name abort in options/)],
  ['a signal that is none', [0], { signal: 1 }, wrongType(/^Expected AbortSignal for options.signal/)],
])('read refuses %s', async (_, rows, options, error) => {
  expectError(await rejection(pairs.read(rows as number[], options as object)), error);
});

const batchSize = 2;
it.each<[string, (all: TextDataset[]) => unknown, unknown, Thrown]>([
  [
    'no data set',
    () => undefined,
    { batchSize },
    wrongType(/^Expected data set that openDataset made for datasets but received undefined/),
  ],
  ['a promise', () => Promise.resolve(1), { batchSize }, wrongType(/an instance of Promise/)],
  [
    'another object',
    ([one]) => ({ ...one }),
    { batchSize },
    wrongType(/^Expected data set that openDataset made/),
  ],
  ['an empty list', () => [], { batchSize }, wrongValue(/^Expected at least one data set/)],
  [
    'a list with another value',
    ([one]) => [one, 5],
    { batchSize },
    wrongType(/for datasets\[1\] but received 5/),
  ],
  [
    'another value as a member',
    () => [{ dataset: 5 }],
    { batchSize },
    wrongType(/for datasets\[0\].dataset/),
  ],
  [
    'an unknown name',
    ([one]) => [{ dataset: one, weights: 1 }],
    { batchSize },
    wrongOption(/^Unknown name weights in datasets\[0\]/),
  ],
  [
    'a data set twice',
    ([one]) => [one, one],
    { batchSize },
    wrongValue(/different names but pairs occurs twice: openDataset has an option name$/),
  ],
  ['no options', ([one]) => one, undefined, wrongType(/^Expected object for options/)],
  ['an unknown option', ([one]) => one, { batchSize, size: 1 }, wrongOption(/^Unknown name size in options/)],
  [
    'no batch size',
    ([one]) => one,
    {},
    wrongType(/^Expected positive integer up to 2147483647 for options.batchSize/),
  ],
  ['a batch of nothing', ([one]) => one, { batchSize: 0 }, wrongValue(/for options.batchSize/)],
  [
    'a seed that is no integer',
    ([one]) => one,
    { batchSize, seed: 0.5 },
    wrongValue(/^Expected non-negative integer for options.seed/),
  ],
  [
    'a flag that is none',
    ([one]) => one,
    { batchSize, shuffle: 'no' },
    wrongType(/^Expected boolean for options.shuffle/),
  ],
  [
    'a mix of one',
    ([one]) => one,
    { batchSize, mix: 'roundRobin' },
    wrongOption(/^Expected an array of data sets for options.mix/),
  ],
  [
    'an unknown mix',
    (all) => all,
    { batchSize, mix: 'round_robin' },
    wrongValue(/did you mean roundRobin\?$/),
  ],
  [
    'a weight without turns',
    ([one, two]) => [one, { dataset: two, weight: 2 }],
    { batchSize },
    wrongOption(/^Expected options.mix 'roundRobin' for datasets\[1\].weight/),
  ],
  [
    'a weight of 0',
    ([one]) => [{ dataset: one, weight: 0 }],
    { batchSize, mix: 'roundRobin' },
    wrongValue(/for datasets\[0\].weight/),
  ],
  [
    'batches that would never be full',
    ([one]) => one,
    { batchSize: 4, dropLast: true },
    wrongValue(/at most 3, the rows of pairs, but received 4: with dropLast there would be no batch$/),
  ],
  [
    'turns that would never come',
    (all) => all,
    { batchSize, dropLast: true, mix: 'roundRobin' },
    wrongValue(/at most 1, the rows of others/),
  ],
  [
    'a signal that is none',
    ([one]) => one,
    { batchSize, signal: 1 },
    wrongType(/^Expected AbortSignal for options.signal/),
  ],
  [
    'a position that is none',
    ([one]) => one,
    { batchSize, position: 5 },
    wrongType(/^Expected object for options.position/),
  ],
])('textBatches refuses %s', (_, source, options, error) => {
  const call = () => textBatches(source([pairs, others]) as TextDataset, options as { batchSize: number });
  expectError(thrownBy(call), error);
});

it('dropLast needs one data set that fills a batch, where each one is used up', () => {
  expect(() => textBatches([pairs, others], { batchSize, dropLast: true })).not.toThrow();
});

const batch = { queries: ['a', 'b'], keys: ['c', 'd'], hardNegatives: ['e', 'f'] };
const encoder = { encode: () => ({ data: new Float32Array(1), shape: [1, 1] }) };
it.each<[string, () => unknown, Thrown]>([
  ['textIds: no array', () => textIds('a' as never), wrongType(/^Expected array of strings for texts/)],
  [
    'textIds: another element',
    () => textIds(['a', 5] as never),
    wrongType(/^Expected string for texts\[1\] but received 5/),
  ],
  ['textIds: no map', () => textIds(['a'], {} as never), wrongType(/^Expected Map for known/)],
  ['pairIds: no object', () => pairIds(null as never), wrongType(/^Expected object for batch/)],
  [
    'pairIds: no keys',
    () => pairIds({ ...batch, keys: undefined } as never),
    wrongType(/^Expected array of strings for batch.keys/),
  ],
  [
    'pairIds: no rows',
    () => pairIds({ queries: [], keys: [], hardNegatives: [] }),
    wrongShape(/at least one row in batch/),
  ],
  [
    'pairIds: too few keys',
    () => pairIds({ ...batch, keys: ['c'] }),
    wrongShape(/each of 2 queries in batch but received 1 keys and 2/),
  ],
  [
    'pairIds: ragged hard negatives',
    () => pairIds({ ...batch, hardNegatives: ['c'] }),
    wrongShape(/2 keys and 1 hard negatives$/),
  ],
  [
    'textChunks: no texts',
    () => textChunks(undefined as never, 2),
    wrongType(/^Expected array of strings for texts/),
  ],
  [
    'textChunks: no chunk',
    () => textChunks(['a'], 0),
    wrongValue(/^Expected positive integer for chunkRows/),
  ],
  [
    'batchTowers: no batch',
    () => batchTowers(undefined as never, { encoder, chunkRows: 1 }),
    wrongType(/^Expected object for batch/),
  ],
  [
    'batchTowers: no chunk',
    () => batchTowers(batch, { encoder } as never),
    wrongType(/^Expected positive integer for options.chunkRows/),
  ],
  [
    'batchTowers: an unknown name',
    () => batchTowers(batch, { encoder, chunkRows: 1, keys: encoder } as never),
    wrongOption(/^Unknown name keys in options/),
  ],
  [
    'batchTowers: another place',
    () => batchTowers(batch, { encoder, chunkRows: 1, hardNegatives: 'towers' } as never),
    wrongValue(/^Expected one of keys, tower for options.hardNegatives/),
  ],
  [
    'batchTowers: no encoder',
    () => batchTowers(batch, { chunkRows: 1 } as never),
    wrongEncoder(/^Expected encoder with an encode method for options.encoder/),
  ],
  [
    'batchTowers: another key encoder',
    () => batchTowers(batch, { encoder, keyEncoder: 5, chunkRows: 1 } as never),
    wrongEncoder(/for options.keyEncoder but received 5/),
  ],
])('%s', (_, call, error) => {
  expectError(thrownBy(call), error);
});

it('textIds leaves the map as it was', () => {
  const known = new Map([['x', 0]]);
  expect(() => textIds(['a', 5] as never, known)).toThrow();
  expect([...known]).toEqual([['x', 0]]);
});
