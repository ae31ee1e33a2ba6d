/** The picture of two loss curves: it shows runs that differ in the number of ranks alone. */

import { type CurveRun, differences, ranksChart } from '../src/report/ranks-chart.js';
import type { StepRecord } from '../src/train/loop.js';
import { results } from './results-sample.js';

const run = (losses: number[], config: Partial<CurveRun['config']> = {}): CurveRun => ({
  config: { ...results.config, steps: losses.length, ...config },
  history: { steps: losses.map((loss, i) => ({ step: i + 1, loss }) as StepRecord), curve: [] },
});

test('tells how far the losses are apart', () => {
  const found = differences(run([8, 4, 2]), run([8, 4.4, 1.9], { ranks: 4 }));
  expect(found.map((difference) => Number(difference.toFixed(9)))).toEqual([0, 0.1, 0.05]);
});

test.each<[string, CurveRun, CurveRun, string]>([
  ['runs of one process', run([1]), run([1]), 'one of ranks'],
  ['runs of ranks', run([1], { ranks: 2 }), run([1], { ranks: 4 }), 'one of ranks'],
  ['runs of other seeds', run([1]), run([1], { ranks: 4, seed: 77 }), '"seed":77'],
])('refuses %s', (_, one, several, text) => {
  expect(() => differences(one, several)).toThrow(text);
});

test('draws both curves, with the colours of light and dark pages', () => {
  const svg = ranksChart(run([8, 4, 2]), run([8, 4.4, 1.9], { ranks: 4 }));
  expect(svg).toMatch(/^<svg role="img" aria-label="Loss by step of one process and of 4 ranks/);
  for (const name of ['one process', '4 ranks', 'relative difference']) expect(svg).toContain(`>${name}<`);
  expect(svg).toContain('prefers-color-scheme: dark');
});
