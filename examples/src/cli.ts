/**
 * Flags of the demo: reads them, refuses bad values by name, and turns them into the settings of a run. Knows no
 * file but the paths it is given.
 */

import { UsageError } from './errors.js';
import { mostThreads, nonEmpty, readFlags, refuseTogether, wholeNumber } from './flags.js';

export interface Flags {
  batch?: number;
  steps?: number;
  epochs?: number;
  seed: number;
  out: string;
  data?: string;
  quick: boolean;
  sweep: boolean;
  resume: boolean;
  threads?: number;
  /** The processes that an MPI launcher started train one model together. */
  ranks?: 'mpi';
  help: boolean;
}

export const helpText = `npm run demo -- [flags]

Trains a dual encoder from scratch (pronunciation <-> written word of CC-CEDICT, or your own pairs) with the exact
contrastive loss over one large batch, and writes a report.

  --batch N      pairs per step (default 16384; with --data as many as leave four steps an epoch, at most 16384)
  --epochs N     passes over the training pairs (default 10)
  --steps N      steps, instead of --epochs
  --seed N       of the split, the weights and the dropout (default 0)
  --out DIR      where report.html, report.json and checkpoint.bin go (default demo-output)
  --data FILE    your own pairs: UTF-8, one left<TAB>right a line
  --threads N    of the loss (default: all cores)
  --ranks mpi    one training by all processes of an MPI launcher: mpirun -n 4 node examples/dist/demo.js --ranks mpi
  --quick        a short run to see that all works; exits with 1 if recall@1 does not beat chance
  --sweep        the chart over batch sizes at full length (tens of minutes)
  --resume       go on from the checkpoint in --out, with the settings of the first run
  --help         this text

Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.
`;

/** Throws {@link UsageError} for unknown flags and bad values. */
export function parseFlags(args: readonly string[]): Flags {
  const values = readArguments(args);
  const flags: Flags = {
    batch: wholeNumber('--batch', values.batch, 2),
    steps: wholeNumber('--steps', values.steps, 1),
    epochs: wholeNumber('--epochs', values.epochs, 1),
    seed: wholeNumber('--seed', values.seed, 0) ?? 0,
    out: nonEmpty('--out', values.out) ?? 'demo-output',
    data: nonEmpty('--data', values.data),
    quick: values.quick ?? false,
    sweep: values.sweep ?? false,
    resume: values.resume ?? false,
    threads: wholeNumber('--threads', values.threads, 1, mostThreads),
    ranks: readRanks(values.ranks),
    help: values.help ?? false,
  };
  refuseTogether('--steps', flags.steps, '--epochs', flags.epochs);
  refuseTogether('--quick', flags.quick || undefined, '--sweep', flags.sweep || undefined);
  return flags;
}

function readRanks(value: string | undefined): 'mpi' | undefined {
  if (value === undefined || value === 'mpi') return value;
  throw new UsageError(`Expected mpi for --ranks but received ${JSON.stringify(value)}`);
}

const readArguments = (args: readonly string[]) =>
  readFlags(args, {
    texts: ['batch', 'steps', 'epochs', 'seed', 'out', 'data', 'threads', 'ranks'],
    switches: ['quick', 'sweep', 'resume', 'help'],
  });
