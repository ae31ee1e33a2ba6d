/** Flags: defaults, values, and what is said about bad ones. */

import { parseFlags } from '../src/cli.js';
import { UsageError } from '../src/errors.js';
import { makeDataset } from '../src/features/dataset.js';
import { settingsOf } from '../src/settings.js';

test('defaults and values', () => {
  expect(parseFlags([])).toMatchObject({
    seed: 0,
    out: 'demo-output',
    quick: false,
    sweep: false,
    resume: false,
  });
  expect(parseFlags([]).ranks).toBeUndefined();
  expect(parseFlags(['--ranks', 'mpi']).ranks).toBe('mpi');
  expect(parseFlags(['--batch', '512', '--seed=3', '--data', 'x.tsv', '--quick'])).toMatchObject({
    batch: 512,
    seed: 3,
    data: 'x.tsv',
    quick: true,
  });
});

test.each([
  [['--batch', '0'], 'Expected whole number from 2 to 2147483647 for --batch but received "0"'],
  [['--steps', '1.5'], 'Expected whole number from 1 to 2147483647 for --steps but received "1.5"'],
  [['--seed', '-1'], "'--seed'"],
  [['--threads', 'many'], 'for --threads but received "many"'],
  [['--threads', '1025'], 'Expected whole number from 1 to 1024 for --threads but received "1025"'],
  [['--threads', '99999999999'], 'for --threads but received "99999999999"'],
  [['--out', ''], 'Expected a path for --out'],
  [['--ranks', '4'], 'Expected mpi for --ranks but received "4"'],
  [['--steps', '3', '--epochs', '2'], 'Expected one of --steps and --epochs but received both'],
  [['--quick', '--sweep'], 'Expected one of --quick and --sweep'],
  [['--bacth', '3'], "'--bacth'"],
  [['stray'], 'stray'],
])('%j is refused', (args, message) => {
  expect(() => parseFlags(args)).toThrow(UsageError);
  expect(() => parseFlags(args)).toThrow(message);
});

describe('settings', () => {
  const words = Array.from({ length: 320 }, (_, i) => `w${i}`);
  const pairs = { name: 'toy', licence: '', leftName: 'l', rightName: 'r', left: words, right: words };
  const dataset = makeDataset({ ...pairs, tokens: 'ngrams' }, { seed: 0 });

  test('the batch leaves four steps an epoch', () => {
    const { training, epochs } = settingsOf(parseFlags([]), dataset);
    expect(training).toMatchObject({ batch: 64, steps: 40 });
    expect(epochs).toBe(10);
  });

  test('a batch larger than the training pairs is refused', () => {
    expect(() => settingsOf(parseFlags(['--batch', '281']), dataset)).toThrow(
      'Expected at most 280, the number of training pairs, for --batch but received 281',
    );
  });
});
