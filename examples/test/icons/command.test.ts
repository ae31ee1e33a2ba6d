/**
 * Flags, settings, verdict and report of the icon demo: what is refused, what fails, and what a page of results
 * says.
 */

import { UsageError } from '../../src/errors.js';
import { parseIconFlags } from '../../src/icons/cli.js';
import { setRules, unseenSet } from '../../src/icons/data/sets.js';
import { main } from '../../src/icons/main.js';
import type { IconResults, Judged } from '../../src/icons/results.js';
import { iconSettings, trainingSets } from '../../src/icons/settings.js';
import { judgeIcons } from '../../src/icons/verdict.js';
import { renderIconReport } from '../../src/report/icon-report.js';
import { describeCommand, describeReport, describeVerdict } from '../demo-contract.js';
import { results as dictionary } from '../results-sample.js';

describe('flags', () => {
  test('defaults and values', () => {
    expect(parseIconFlags([])).toMatchObject({
      seed: 0,
      out: 'icons-output',
      unseen: 'tabler',
      quick: false,
      resume: false,
    });
    expect(parseIconFlags(['--epochs', '3', '--unseen=hugeicons', '--quick'])).toMatchObject({
      epochs: 3,
      unseen: 'hugeicons',
      quick: true,
    });
    expect(parseIconFlags(['--sweep'])).toMatchObject({ sweep: true, unseen: 'hugeicons' });
  });

  test.each([
    [['--epochs', '0'], 'Expected whole number from 1 to 2147483647 for --epochs but received "0"'],
    [['--batch', '1'], 'for --batch but received "1"'],
    [['--seed', 'x'], 'for --seed but received "x"'],
    [['--threads', '2000'], 'from 1 to 1024 for --threads'],
    [['--out', ''], 'Expected a path for --out'],
    [['--unseen', 'noto'], 'Expected one of bi, carbon, '],
    [['--steps', '3'], "'--steps'"],
    [['--sweep', '--epochs', '3'], 'Expected one of --sweep and --epochs but received both'],
    [['--data', 'x', '--unseen', 'ph'], 'Expected one of --data and --unseen'],
    [['--data', 'x', '--quick'], 'Expected one of --data and --quick'],
    [['--data', ''], 'Expected a path for --data'],
    [['--sweep', '--quick'], 'Expected one of --sweep and --quick'],
    [['stray'], 'stray'],
  ])('%j is refused', (args, message) => {
    expect(() => parseIconFlags(args)).toThrow(UsageError);
    expect(() => parseIconFlags(args)).toThrow(message);
  });
});

describe('settings', () => {
  test('the last batch of an epoch is dropped, and a batch that is too large is refused', () => {
    expect(iconSettings(parseIconFlags(['--epochs', '2']), 5000)).toMatchObject({
      batch: 1024,
      steps: 8,
      cca: true,
    });
    expect(iconSettings(parseIconFlags([]), 300)).toMatchObject({ batch: 64, steps: 80, cca: false });
    expect(() => iconSettings(parseIconFlags(['--batch', '301']), 300)).toThrow(
      'Expected at most 300, the number of training icons, for --batch but received 301',
    );
  });

  test('the tested set never trains, and neither does the one that the figures are about', () => {
    expect(trainingSets({ quick: false, unseen: unseenSet })).toHaveLength(setRules.length - 1);
    const other = trainingSets({ quick: false, unseen: 'hugeicons' });
    expect(other).toHaveLength(setRules.length - 2);
    expect(other).not.toContain(unseenSet);
    expect(other).not.toContain('hugeicons');
    expect(trainingSets({ quick: true, unseen: 'lucide' })).not.toContain('lucide');
  });
});

const scores = (top1: number): Judged['scores'] => ({
  zeroShot: [
    { classes: 100, icons: 169, top1, top5: top1 },
    { classes: 1000, icons: 1358, top1: top1 / 2, top5: top1 },
  ],
  seen: { queries: 1741, icons: 6219, at1: top1 / 3, at10: top1 },
});
const shape = { alignment: 1.234, uniformity: -3.5, effectiveRank: 99.9, gap: 0.5, pairs: 2301 };
const results: IconResults = {
  data: {
    unseen: 'tabler<b>',
    ...{
      unseenIcons: 6219,
      trainIcons: 69_000,
      captions: 27_000,
      seenCaptions: 1741,
      freshCaptions: 3418,
      copies: 286,
    },
    sets: [{ title: '<script>alert(1)</script>', version: '1', licence: 'a&b', icons: 6219 }],
  },
  config: {
    batch: 1024,
    steps: 2,
    epochs: 1,
    seed: 0,
    learningRate: 0.002,
    warmUp: 0.1,
    dropout: 0.3,
    mode: 'quick',
  },
  machine: dictionary.machine,
  judged: [
    { name: 'Untrained <i>', kind: 'untrained', scores: scores(0.01) },
    { name: 'Pixels', kind: 'pixels', scores: { zeroShot: scores(0.8).zeroShot } },
    { name: 'Trained', kind: 'trained', scores: scores(0.9), shape },
  ],
  history: dictionary.history,
  curveClasses: 1000,
  page: { icons: 18_000, bytes: 8.5e6 },
  seconds: dictionary.seconds,
  peakBytes: 1e9,
  running: false,
};

const withTrained = (top1: number): IconResults => ({
  ...results,
  judged: [results.judged[0]!, { name: 'Trained', kind: 'trained', scores: scores(top1) }],
});
describeVerdict(judgeIcons, withTrained, { good: 0.9, bad: 0.2 });

const live = { ...results, running: true, page: undefined, judged: results.judged.slice(0, 2) };
describeReport(renderIconReport, {
  results,
  live,
  link: 'icons.html',
  shows: [
    ...['90.0 % / 90.0 %', 'nearest neighbour 40.0 %', '>30.0 %<', '>–<', '>1.23<'],
    ...['tabler&lt;b&gt;', 'Untrained &lt;i&gt;'],
  ],
});

test('the report of a run that trains says how far it is', () => {
  expect(renderIconReport(live)).toContain('Training: step 2 of 2');
});

describeCommand(main, {
  page: 'icons.html',
  wrong: [
    ['a flag that does not exist', ['--bacth', '3'], 'See npm run demo:icons -- --help'],
    ['--data that is not there', ['--data', 'nowhere'], 'no such file or directory (ENOENT)'],
    ['--data that is a file', ['--data', 'file'], 'Expected a folder for --data but'],
  ],
  flags: ['--epochs', '--batch', '--seed', '--out', '--unseen', '--threads', '--quick', '--resume'],
});
