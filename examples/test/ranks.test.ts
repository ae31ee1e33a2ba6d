/**
 * A training on several ranks, which are threads here: the loss curve of one process, one checkpoint, and a run that
 * goes on with another number of ranks.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessGroup, threadGroups } from 'infcl/distributed';
import { UsageError } from '../src/errors.js';
import type { TrainingHooks } from '../src/train/loop.js';
import { requireRows, shardOf } from '../src/train/ranks.js';
import { train } from '../src/train/training.js';
import { config, dataset, threads } from './toy-run.js';

/** Seven chunks of a batch of 40: two ranks, and three, have different numbers of them. */
const small = { ...config, chunkRows: 6 };
const group = (rank: number, size: number) => ({ rank, size }) as ProcessGroup;

async function trainOn(ranks: number, hooks: (rank: number) => TrainingHooks<never> = () => ({})) {
  const groups = threadGroups(ranks);
  try {
    return await Promise.all(
      groups.map((one) => train(dataset, { ...small, group: one }, { threads, ...hooks(one.rank) })),
    );
  } finally {
    await Promise.all(groups.map((one) => one.close()));
  }
}

const lossesOf = ({ history }: Awaited<ReturnType<typeof train>>) => history.steps.map(({ loss }) => loss);

/** Equal but for rounding, which training carries on. */
function expectNear(found: readonly number[], wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((loss, i) => {
    expect(Math.abs(loss / wanted[i]! - 1)).toBeLessThan(1e-5);
  });
}

test.each([2, 3])('%i ranks have the loss curve of one process', async (ranks) => {
  const alone = await train(dataset, small, { threads });
  const all = await trainOn(ranks);
  for (const one of all) {
    expect(lossesOf(one)).toEqual(lossesOf(all[0]!));
    expect(one.model.left.weights.every((x, i) => x === all[0]!.model.left.weights[i])).toBe(true);
  }
  expectNear(lossesOf(all[0]!), lossesOf(alone));
  // dropout is part of the curve
  const without = await train(dataset, { ...small, dropout: 0 }, { threads });
  expect(Math.abs(lossesOf(without)[5]! / lossesOf(alone)[5]! - 1)).toBeGreaterThan(1e-3);
});

describe('with a checkpoint', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-ranks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const kept = (rank: number, resume: boolean) => ({
    path: join(folder, 'checkpoint.bin'),
    resume,
    config: { batch: 40 },
    write: rank === 0,
  });

  test('two ranks are stopped by one of them, and three go on, and then one process', async () => {
    const alone = await train(dataset, small, { threads });
    /** Stops after a step, on rank 0. */
    const stopAfter = (last: number, resume: boolean) => (rank: number) => {
      const controller = new AbortController();
      return {
        signal: rank === 0 ? controller.signal : undefined,
        checkpoint: kept(rank, resume),
        onStep: ({ step }: { step: number }) => {
          if (step === last) controller.abort(new Error('stopped'));
        },
      };
    };
    await expect(trainOn(2, stopAfter(2, false))).rejects.toThrow('stopped');
    await expect(trainOn(3, stopAfter(4, true))).rejects.toThrow('stopped');
    const resumed = await train(dataset, small, { threads, checkpoint: kept(0, true) });
    expectNear(lossesOf(resumed), lossesOf(alone));
  });
});

test('features that are not finite on one rank are the divergence of all', async () => {
  const [first] = await trainOn(2);
  expect(first!.history.diverged).toBeUndefined();
  const spoiled = structuredClone(dataset);
  const groups = threadGroups(2);
  spoiled.left.values.fill(Number.POSITIVE_INFINITY);
  const both = await Promise.all(
    groups.map((one) => train(one.rank === 1 ? spoiled : dataset, { ...small, group: one }, { threads })),
  );
  await Promise.all(groups.map((one) => one.close()));
  for (const { history } of both) {
    expect(history.steps).toEqual([]);
    expect(history.diverged).toMatchObject({ step: 1, what: expect.stringContaining('not finite') });
  }
});

describe('the part of a rank', () => {
  test('is whole chunks, and all parts are the batch', () => {
    const shards = [0, 1, 2].map((rank) => shardOf(40, 6, group(rank, 3)));
    expect(shards).toEqual([
      { begin: 0, end: 12, firstChunk: 0, allChunks: 7 },
      { begin: 12, end: 24, firstChunk: 2, allChunks: 7 },
      { begin: 24, end: 40, firstChunk: 4, allChunks: 7 },
    ]);
    expect(shardOf(40, 6)).toEqual({ begin: 0, end: 40, firstChunk: 0, allChunks: 7 });
  });

  test('has rows, or the batch is refused', () => {
    expect(() => requireRows(3073, 1024, group(0, 4))).not.toThrow();
    expect(() => requireRows(3072, 1024, group(0, 4))).toThrow(UsageError);
    expect(() => requireRows(3072, 1024, group(0, 4))).toThrow(
      'Expected a --batch of more than 3072, one chunk of 1024 pairs for each of 4 ranks, but received 3072',
    );
  });
});
