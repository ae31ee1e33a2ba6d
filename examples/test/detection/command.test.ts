/**
 * Flags, settings, verdict and report of the detection demo: what is refused, what fails, and what a report
 * says.
 */

import { parseDetectionFlags } from '../../src/detection/cli.js';
import { main } from '../../src/detection/main.js';
import type { DetectionResults, JudgedDetector } from '../../src/detection/results.js';
import { detectionSettings } from '../../src/detection/settings.js';
import { joinHistories } from '../../src/detection/train/train-phase.js';
import { judgeDetection } from '../../src/detection/verdict.js';
import { UsageError } from '../../src/errors.js';
import { renderDetectionReport } from '../../src/report/detection-report.js';
import { describeCommand, describeReport, describeVerdict } from '../demo-contract.js';
import { results as dictionary } from '../results-sample.js';

describe('flags', () => {
  test('defaults and values', () => {
    expect(parseDetectionFlags([])).toMatchObject({ seed: 0, out: 'detection-output', quick: false });
    expect(parseDetectionFlags(['--epochs', '3', '--batch=256', '--quick', '--resume'])).toMatchObject({
      epochs: 3,
      batch: 256,
      quick: true,
      resume: true,
    });
  });

  test.each([
    [['--epochs', '0'], 'Expected whole number from 1 to 2147483647 for --epochs but received "0"'],
    [['--batch', '1'], 'for --batch but received "1"'],
    [['--seed', '-1'], '--seed'],
    [['--threads', '2000'], 'from 1 to 1024 for --threads'],
    [['--out', ''], 'Expected a path for --out'],
    [['--steps', '3'], "'--steps'"],
    [['stray'], 'stray'],
  ])('%j is refused', (args, message) => {
    expect(() => parseDetectionFlags(args)).toThrow(UsageError);
    expect(() => parseDetectionFlags(args)).toThrow(message);
  });
});

test('settings: the second phase has five epochs for eight, at least one', () => {
  const settings = (...args: string[]) => detectionSettings(parseDetectionFlags(args));
  expect(settings()).toMatchObject({ batch: 2048, epochs: 8, hardEpochs: 5, tests: 500 });
  expect(settings('--epochs', '1')).toMatchObject({ epochs: 1, hardEpochs: 1 });
  expect(settings('--epochs', '16', '--batch', '256')).toMatchObject({ hardEpochs: 10, batch: 256 });
  expect(settings('--quick').tests).toBeLessThan(settings().tests);
});

test('two histories become one, and steps count on', () => {
  const [step] = dictionary.history.steps;
  const first = { steps: [step!, { ...step!, step: 2 }], curve: [{ step: 2, recallAt1: 0.5 }] };
  const diverged = { step: 2, what: 'the loss is NaN' };
  const second = { steps: [step!], curve: [{ step: 1, recallAt1: 0.6 }], diverged };
  const joined = joinHistories(first, second);
  expect(joined.steps.map((record) => record.step)).toEqual([1, 2, 3]);
  expect(joined.curve).toEqual([
    { step: 2, recallAt1: 0.5 },
    { step: 3, recallAt1: 0.6 },
  ]);
  expect(joined.diverged).toEqual({ step: 4, what: 'the loss is NaN' });
  expect(joinHistories(first, { steps: [], curve: [] })).toEqual(first);
});

const scores = (map: number): JudgedDetector['scores'] => ({
  ...{ scenes: 500, things: 2250, map, base: map, novel: map / 2, pooled: map / 3, agnostic: 0.7 },
  ...{ score: 0.7, precision: 0.534, recall: 0.328 },
});
const notice = { version: '1', licence: 'a&b', drawings: 626, unseen: true };
const results: DetectionResults = {
  data: {
    ...{ concepts: 626, novel: 93, trainScenes: 1500, regions: 60_000, hardRegions: 20_000 },
    styles: [{ ...notice, title: 'Unseen<b>', author: '<script>alert(1)</script>' }],
  },
  config: {
    ...{ batch: 2048, epochs: 8, hardEpochs: 5, steps: 400, firstSteps: 2, seed: 0 },
    ...{ learningRate: 0.001, warmUp: 0.1, dropout: 0.1, mode: 'quick' },
  },
  machine: dictionary.machine,
  judged: [
    { name: 'Neighbour <i>', kind: 'neighbour', scores: scores(0.3) },
    { name: 'Trained', kind: 'trained', scores: scores(0.48) },
  ],
  shapes: [
    {
      name: 'Trained',
      shape: { alignment: 1.234, uniformity: -3.5, effectiveRank: 99.9, gap: 0.5, things: 450 },
    },
  ],
  history: dictionary.history,
  page: { scenes: 48, bytes: 3.2e6 },
  seconds: dictionary.seconds,
  peakBytes: 1e9,
  running: false,
};

const withTrained = (map: number): DetectionResults => ({
  ...results,
  judged: [{ name: 'Trained', kind: 'trained', scores: scores(map) }],
});
describeVerdict(judgeDetection, withTrained, { good: 0.3, bad: 0.01 });

describeReport(renderDetectionReport, {
  results,
  live: { ...results, running: true, page: undefined, judged: [], shapes: [] },
  link: 'detection.html',
  shows: [
    ...['48.0 %', '24.0 %', '16.0 %', '70.0 %', '53.4 %', '32.8 %', '>1.23<', '20,000'],
    ...['Unseen&lt;b&gt;', 'Neighbour &lt;i&gt;'],
  ],
});

describeCommand(main, {
  page: 'detection.html',
  wrong: [['a flag that does not exist', ['--bacth', '3'], 'See npm run demo:detection -- --help']],
  flags: ['--epochs', '--batch', '--seed', '--out', '--threads', '--quick', '--resume'],
});
