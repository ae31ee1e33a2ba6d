/** Runs that diverged fail, whatever their figures; quick runs must beat chance besides. */

import { withFeatures } from '../src/collect.js';
import type { Evaluation } from '../src/evaluate/model-evaluation.js';
import type { SweepRun } from '../src/measure/sweep.js';
import type { Results } from '../src/results.js';
import { judge } from '../src/verdict.js';
import { results } from './results-sample.js';

const quick: Results = { ...results, config: { ...results.config, mode: 'quick' } };
const whole: Results = { ...results, config: { ...results.config, mode: 'default' } };
const diverged = { step: 17, what: 'the loss is NaN' };

test('a quick run passes from 10 % on the dictionary, and from twice chance on other data', () => {
  expect(judge(quick, true)).toMatchObject({
    failed: false,
    lines: [expect.stringContaining('Quick check passed')],
  });
  const weak = { ...quick, model: { ...quick.model, recallAt1: 0.09 } };
  expect(judge(weak, true)).toMatchObject({
    failed: true,
    lines: [expect.stringContaining('Quick check FAILED')],
  });
  expect(judge(weak, false).failed).toBe(false);
  expect(judge({ ...quick, untrained: quick.model }, true).failed).toBe(true);
});

test.each([
  ['a quick run', quick],
  ['a whole run', whole],
])('%s that diverged fails with its step, even where recall is perfect', (_, run) => {
  const perfect = { ...run.model, recallAt1: 1 };
  const verdict = judge({ ...run, model: perfect, history: { ...run.history, diverged } }, true);
  expect(verdict.failed).toBe(true);
  expect(verdict.lines[0]).toContain('Training diverged at step 17: the loss is NaN');
  expect(verdict.lines.join()).not.toContain('passed');
});

test('a training of the chart over batch sizes that diverged fails the run', () => {
  const run: SweepRun = {
    panel: 'pairs',
    batch: 12,
    seed: 3,
    steps: 4,
    pairs: 48,
    seconds: 1,
    recallAt1: 0,
    divergedAt: 2,
  };
  const sweep = {
    runs: [run],
    epochs: 1,
    seeds: 1,
    seedsLeftOut: 0,
    batches: [12],
    queries: 8,
    learningRate: 1,
  };
  const { failed, lines } = judge({ ...whole, sweep }, true);
  expect(failed).toBe(true);
  expect(lines).toEqual([expect.stringContaining('batch 12, seed 3 diverged at step 2')]);
  expect(judge(whole, true)).toEqual({ failed: false, lines: [] });
});

test('features that are not finite after training count as divergence at its last step', () => {
  const { history } = results;
  expect(withFeatures(history, 4, { rowsNotFinite: 0 } as Evaluation)).toBe(history);
  const found = withFeatures(history, 4, { rowsNotFinite: 3 } as Evaluation);
  expect(found.diverged).toEqual({ step: 4, what: expect.stringContaining('3 rows of features') });
  const before = { ...history, diverged };
  expect(withFeatures(before, 4, { rowsNotFinite: 3 } as Evaluation)).toBe(before);
});
