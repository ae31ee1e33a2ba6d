/**
 * Flags of the detection demo: reads them, and refuses bad values by name. Knows no file but the path it is
 * given.
 */

import { mostThreads, nonEmpty, readFlags, wholeNumber } from '../flags.js';

export interface DetectionFlags {
  batch?: number;
  epochs?: number;
  seed: number;
  out: string;
  quick: boolean;
  resume: boolean;
  threads?: number;
  help: boolean;
}

export const helpCommand = 'npm run demo:detection -- --help';

export const helpText = `npm run demo:detection -- [flags]

Trains a detector from scratch on scenes of emoji, and tests it on scenes in a drawing style that training never
saw, with concepts that no training scene had. Writes a report and a page of scenes with boxes to search by words.
The first run installs the emoji sets and draws them.

  --epochs N     passes over the first training regions (default 8); those with hard negatives follow, 5 for 8
  --batch N      regions per step (default 2048)
  --seed N       of scenes to train on, of weights, order and dropout (default 0); test scenes are always the same
  --out DIR      where detection.html, report.html, report.json and two checkpoints go (default detection-output)
  --threads N    of the loss (default: all cores)
  --quick        a short run on few scenes; exits with 1 if precision does not beat a low mark
  --resume       go on from the checkpoints in --out, with the settings of the first run
  --help         this text

Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.
`;

/** Throws UsageError for unknown flags and bad values. */
export function parseDetectionFlags(args: readonly string[]): DetectionFlags {
  const values = readFlags(args, {
    texts: ['batch', 'epochs', 'seed', 'out', 'threads'],
    switches: ['quick', 'resume', 'help'],
  });
  return {
    batch: wholeNumber('--batch', values.batch, 2),
    epochs: wholeNumber('--epochs', values.epochs, 1),
    seed: wholeNumber('--seed', values.seed, 0) ?? 0,
    out: nonEmpty('--out', values.out) ?? 'detection-output',
    quick: values.quick ?? false,
    resume: values.resume ?? false,
    threads: wholeNumber('--threads', values.threads, 1, mostThreads),
    help: values.help ?? false,
  };
}
