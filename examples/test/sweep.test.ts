/** The sweep's bookkeeping: what each panel runs, that time limits seeds, and that finished runs are not made again. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDataset } from '../src/features/dataset.js';
import { type SweepRun, sweepBatches } from '../src/measure/sweep.js';
import { SweepLog } from '../src/saved/sweep-log.js';
import { startJax } from '../src/train/jax-side.js';

beforeAll(startJax);

const words = Array.from({ length: 128 }, (_, i) => `${i}x${(i * 37) % 101}`);
const pairs = { name: 'toy', licence: '', leftName: 'l', rightName: 'r', left: words, right: words };
const dataset = makeDataset({ ...pairs, tokens: 'ngrams' }, { seed: 0 });
const options = { batches: [14, 56], epochs: 1, seeds: [3, 4], dropout: 0.1, warmUp: 0.1, threads: 1 };

test('equal pairs see equally many, and the largest batch serves both panels', async () => {
  const sweep = await sweepBatches(dataset, options);
  expect(sweep).toMatchObject({ seeds: 2, seedsLeftOut: 0, epochs: 1, queries: 8 });
  const byPairs = sweep.runs.filter(({ panel }) => panel === 'pairs');
  expect(byPairs.map(({ pairs: seen }) => seen)).toEqual([112, 112, 112, 112]);
  expect(byPairs.map(({ steps }) => steps)).toEqual([2, 8, 2, 8]);
  const byTime = sweep.runs.filter(({ panel }) => panel === 'time');
  expect(byTime.map(({ batch }) => batch)).toEqual([56, 14, 56, 14]);
  expect(byTime[0]).toEqual({ ...byPairs[0], panel: 'time' });
  expect(new Set(sweep.runs.map(({ seed }) => seed))).toEqual(new Set([3, 4]));
});

test('the first seed always runs, the next only if there is time', async () => {
  const sweep = await sweepBatches(dataset, { ...options, mostSeconds: 0 });
  expect(sweep).toMatchObject({ seeds: 1, seedsLeftOut: 1 });
  expect(new Set(sweep.runs.map(({ seed }) => seed))).toEqual(new Set([3]));
});

describe('a log', () => {
  const config = { data: 'toy', epochs: 1 };
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-sweep-'));
    path = join(folder, 'sweep.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('an interrupted sweep goes on where it was', async () => {
    const stop = new AbortController();
    const before: SweepRun[] = [];
    const interrupted = sweepBatches(dataset, {
      ...options,
      signal: stop.signal,
      log: new SweepLog(path, config, false),
      onRun: (run) => {
        before.push(run);
        if (before.length === 2) stop.abort(new Error('enough'));
      },
    });
    await expect(interrupted).rejects.toThrow('enough');

    const after: SweepRun[] = [];
    const log = new SweepLog(path, config, true);
    const sweep = await sweepBatches(dataset, { ...options, log, onRun: (run) => after.push(run) });
    expect(before).toHaveLength(2);
    expect(after).toHaveLength(4);
    expect(sweep.runs).toEqual(expect.arrayContaining([...before, ...after]));
    expect(sweep.runs).toHaveLength(8);
    expect(JSON.parse(readFileSync(path, 'utf8')).runs).toEqual([...before, ...after]);
  });
});
