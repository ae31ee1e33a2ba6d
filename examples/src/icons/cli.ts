/** Flags of the icon demo: reads them, and refuses bad values by name. Knows no file but the paths it is given. */

import { UsageError } from '../errors.js';
import { mostThreads, nonEmpty, readFlags, refuseTogether, wholeNumber } from '../flags.js';
import { comparedSet, setRules, unseenSet } from './data/sets.js';

export interface IconFlags {
  batch?: number;
  epochs?: number;
  seed: number;
  out: string;
  unseen: string;
  /** A folder of one's own pictures. */
  data?: string;
  quick: boolean;
  sweep: boolean;
  resume: boolean;
  threads?: number;
  help: boolean;
}

export const helpCommand = 'npm run demo:icons -- --help';

export const helpText = `npm run demo:icons -- [flags]

Trains an image tower and a text tower from scratch on icon sets of npm, tests them on a set that training never saw,
and writes a report and a page to search icons with. The first run installs the sets and draws the icons.

  --epochs N     passes over the training icons (default 20)
  --batch N      icons per step (default 1024)
  --seed N       of the weights, the order, the shifts and the dropout (default 0)
  --out DIR      where icons.html, report.html, report.json and checkpoint.bin go (default icons-output)
  --unseen SET   the set to test on (default ${unseenSet}); with another one, ${unseenSet} is left out altogether
  --data DIR     your own pictures instead, at least 64: file names are captions, or captions.tsv has them (path, tab,
                 caption); a tenth is held out for the test
  --threads N    of the loss (default: all cores)
  --quick        a short run on some of the sets; exits with 1 if accuracy does not beat chance by far
  --sweep        compares batch sizes, rates, shifts and dropout on hugeicons, without tabler, and writes icons-sweep.json;
                 takes more than an hour, and goes on from what the file has
  --resume       go on from the checkpoint in --out, with the settings of the first run
  --help         this text

Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.
`;

/** Throws {@link UsageError} for unknown flags and bad values. */
export function parseIconFlags(args: readonly string[]): IconFlags {
  const values = readArguments(args);
  const unseen = values.unseen ?? (values.sweep ? comparedSet : unseenSet);
  if (!setRules.some(({ name }) => name === unseen)) {
    const names = setRules.map(({ name }) => name).join(', ');
    throw new UsageError(`Expected one of ${names} for --unseen but received ${JSON.stringify(unseen)}`);
  }
  const flags: IconFlags = {
    batch: wholeNumber('--batch', values.batch, 2),
    epochs: wholeNumber('--epochs', values.epochs, 1),
    seed: wholeNumber('--seed', values.seed, 0) ?? 0,
    out: nonEmpty('--out', values.out) ?? 'icons-output',
    unseen,
    data: nonEmpty('--data', values.data),
    quick: values.quick ?? false,
    sweep: values.sweep ?? false,
    resume: values.resume ?? false,
    threads: wholeNumber('--threads', values.threads, 1, mostThreads),
    help: values.help ?? false,
  };
  refuseBesideSweep(values);
  refuseTogether('--data', values.data, '--unseen', values.unseen);
  refuseTogether('--data', values.data, '--quick', values.quick);
  return flags;
}

/** A comparison sets all of these itself. */
function refuseBesideSweep(values: ReturnType<typeof readArguments>): void {
  if (!values.sweep) return;
  for (const name of ['batch', 'epochs', 'unseen', 'data', 'quick', 'resume'] as const)
    refuseTogether('--sweep', values.sweep, `--${name}`, values[name]);
}

const readArguments = (args: readonly string[]) =>
  readFlags(args, {
    texts: ['batch', 'epochs', 'seed', 'out', 'unseen', 'data', 'threads'],
    switches: ['quick', 'sweep', 'resume', 'help'],
  });
