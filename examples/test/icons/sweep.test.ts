/** The comparison of settings: which training comes next, and the file that keeps the finished ones. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, OutputError } from '../../src/errors.js';
import { nextRun, type SweepPlan, type SweepRecord, type SweepSpec } from '../../src/icons/sweep/plan.js';
import { endOfSweep } from '../../src/icons/sweep/run-sweep.js';
import { readSweep, writeSweep } from '../../src/icons/sweep/sweep-file.js';
import { Interrupted } from '../../src/interrupt.js';

const plan: SweepPlan = {
  icons: 10_000,
  batches: [256, 1024, 4096],
  rateEpochs: 1,
  epochs: 3,
  seeds: [0, 1],
  dropout: 0.3,
  shifts: 3,
};

/** Each training takes a second for 1,000 icons; the middle rate is the best, but the highest for the batch 4,096. */
function recordOf(spec: SweepSpec, done: readonly SweepRecord[]): SweepRecord {
  const place = done.filter(({ round, batch }) => round === 'rates' && batch === spec.batch).length;
  const top1 = place === (spec.batch === 4096 ? 2 : 1) ? 0.5 : 0.4;
  const seconds = (spec.steps * spec.batch * (spec.batch === 4096 ? 2 : 1)) / 1000;
  return { ...spec, seconds, top1, at1: 0.3 };
}

function runAll(done: SweepRecord[] = []): SweepRecord[] {
  for (let spec = nextRun(plan, done); spec !== undefined; spec = nextRun(plan, done)) {
    done.push(recordOf(spec, done));
    if (done.length > 100) throw new Error('no end');
  }
  return done;
}

test('all rounds run once, in order, and each builds on those before', () => {
  const all = runAll();
  expect(all.map(({ round }) => round)).toEqual([
    ...new Array(9).fill('rates'),
    ...new Array(6).fill('pairs'),
    ...new Array(2).fill('time'),
    ...new Array(3).fill('augmentation'),
  ]);
  const rates = all.filter(({ round, batch }) => round === 'rates' && batch === 1024);
  expect(rates.map(({ learningRate }) => learningRate)).toEqual([0.001, 0.002, 0.004]);
  const pairs = all.filter(({ round }) => round === 'pairs');
  expect(pairs.map(({ batch, learningRate, seed }) => [batch, learningRate, seed])).toEqual(
    [0, 1].flatMap((seed) => [
      [256, 0.001, seed],
      [1024, 0.002, seed],
      [4096, 0.008, seed],
    ]),
  );
  for (const { steps, batch } of pairs) expect(steps).toBe(3 * Math.floor(10_000 / batch));
  // the largest batch took 2 × 6 × 4,096 / 1,000 s
  const [small, middle] = all.filter(({ round }) => round === 'time');
  expect(small!.steps).toBe(Math.round((2 * 6 * 4096) / 256));
  expect(middle!.steps).toBe(Math.round((2 * 6 * 4096) / 1024));
  const [shifts, less, more] = all.filter(({ round }) => round === 'augmentation');
  expect(shifts).toMatchObject({ batch: 1024, shifts: 1, dropout: 0.3 });
  expect(less!.dropout).toBeCloseTo(0.1);
  expect(more!.dropout).toBeCloseTo(0.4);
});

test('a comparison that was stopped goes on where it was', () => {
  const all = runAll();
  for (const done of [0, 5, 9, 14, 16, 19]) expect(runAll(all.slice(0, done))).toEqual(all);
  expect(nextRun(plan, all)).toBeUndefined();
});

test('a rate that diverged is not the best one', () => {
  const done: SweepRecord[] = [];
  for (let i = 0; i < 9; i++) {
    const record = recordOf(nextRun(plan, done)!, done);
    done.push(
      record.learningRate === 0.002 && record.batch === 1024
        ? { ...record, top1: 0.9, divergedAt: 1 }
        : record,
    );
  }
  const next = done.filter(({ batch }) => batch === 1024).map(({ learningRate }) => learningRate);
  const pairs = runAll([...done]).find(({ round, batch }) => round === 'pairs' && batch === 1024)!;
  expect(pairs.learningRate).toBe(next[0]);
});

test('who stops a comparison is told that finished trainings are kept', () => {
  const aborted = AbortSignal.abort(new Interrupted());
  expect(endOfSweep({ signal: aborted }, aborted.reason)).toMatchObject({
    message: 'Stopped by Ctrl-C: finished trainings are kept, so go on with the same command',
  });
  const full = new OutputError('no space');
  expect(endOfSweep({ signal: aborted }, full)).toBe(full);
  expect(endOfSweep({ signal: new AbortController().signal }, aborted.reason)).toBe(aborted.reason);
});

describe('the file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-sweep-'));
    path = join(folder, 'icons-sweep.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const settings = { unseen: 'hugeicons', icons: 10_000 };
  const runs = runAll();

  test('gives back what was written, and nothing where there is none', () => {
    expect(readSweep(path, settings)).toEqual([]);
    const withDivergence = [{ ...runs[0]!, divergedAt: 1 }, ...runs.slice(1)];
    writeSweep(path, { settings, machine: { cpu: 'some' }, runs: withDivergence });
    expect(readSweep(path, settings)).toEqual(withDivergence);
  });

  test.each([
    ['other data', (text: string) => text.replace('"icons": 10000', '"icons": 9'), 'Expected icons 9'],
    ['an accuracy above 1', (text: string) => text.replace('"top1": 0.4', '"top1": 4'), 'top1'],
    ['an unknown round', (text: string) => text.replace('"rates"', '"days"'), 'round'],
    ['text that was cut', (text: string) => text.slice(0, 99), 'Expected JSON'],
  ])('of %s is refused', (_, spoil, message) => {
    writeSweep(path, { settings, machine: {}, runs });
    writeFileSync(path, spoil(readFileSync(path, 'utf8')));
    expect(() => readSweep(path, settings)).toThrow(CheckpointError);
    expect(() => readSweep(path, settings)).toThrow(message);
  });
});
