/**
 * The demo from data to report. What can be wrong with flags, files and folders is found first, in the order of how
 * little time it takes. Of several ranks, the first one prints, saves and measures; the others end after the training.
 * Refuses to compute anything itself: every phase is a module of its own.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessGroup } from 'infcl/distributed';
import { mpi } from 'infcl/mpi';
import type { Flags } from './cli.js';
import { loadCedict } from './data/cedict.js';
import { loadTsv } from './data/tsv.js';
import { endOf } from './end-of-run.js';
import { CheckpointError } from './errors.js';
import { evaluateModel, type Weights } from './evaluate/model-evaluation.js';
import { type Dataset, makeDataset } from './features/dataset.js';
import { hashedColumns } from './features/hashing.js';
import { listenForInterrupt } from './interrupt.js';
import { measureAll } from './measure-run.js';
import { renderReport } from './report/report.js';
import { isFirst, type Run, timed } from './run.js';
import { writeAtomically } from './saved/atomic-file.js';
import { prepareFolder } from './saved/output-folder.js';
import { checkRegularFile } from './saved/regular-file.js';
import { SweepLog } from './saved/sweep-log.js';
import { quickTrainPairs, type Settings, settingsOf } from './settings.js';
import { TrainingDisplay } from './terminal.js';
import { startJax } from './train/jax-side.js';
import type { History } from './train/loop.js';
import { requireRows } from './train/ranks.js';
import { chunkRows, featureDim } from './train/side.js';
import { train } from './train/training.js';
import { judge } from './verdict.js';

const checkpointName = 'checkpoint.bin';
const outputNames = [checkpointName, 'sweep.json', 'report.json', 'report.html'];
/** Weights of two sides, and the optimiser's two arrays beside each. */
const checkpointBytes = 2 * 3 * 4 * hashedColumns * featureDim;
/** Milliseconds that ranks wait for the first one, which also ranks the validation queries. */
const patience = 600_000;

/** Resolves to the exit code. Rejects with a DemoError for what its user can mend, with Interrupted after Ctrl-C. */
export async function runDemo(flags: Flags): Promise<number> {
  const group = flags.ranks && (await mpi({ timeout: patience }));
  checkFiles(flags, group);
  const began = performance.now();
  const dataset = await loadData(flags);
  const settings = settingsOf(flags, dataset);
  if (group) {
    requireRows(settings.training.batch, chunkRows, group);
    settings.training.group = group;
  }
  const sweepLog = settings.sweep && isFirst({ group }) ? openSweepLog(flags, dataset, settings) : undefined;
  const seconds = [{ phase: 'data and features', seconds: (performance.now() - began) / 1000 }];
  if (isFirst({ group })) printData(dataset, group);
  await startJax();
  // until here there is nothing to save, and Ctrl-C ends the process by itself
  const { signal, stopListening } = listenForInterrupt();
  const run: Run = { flags, dataset, settings, group, signal, seconds, sweepLog };
  try {
    return await runPhases(run);
  } catch (error) {
    throw endOf(run, error);
  } finally {
    stopListening();
  }
}

function printData({ pairs, split }: Dataset, group?: ProcessGroup): void {
  const count = (value: number) => value.toLocaleString('en');
  console.log(`${pairs.name}: ${count(pairs.left.length)} pairs, ${count(split.train.length)} to train on`);
  if (group) console.log(`Ranks: ${group.size}, each with its part of every batch`);
}

function checkFiles({ out, data, resume }: Flags, group?: ProcessGroup): void {
  if (data !== undefined) checkRegularFile(data, '--data');
  const checkpoint = join(out, checkpointName);
  if (resume && !existsSync(checkpoint)) {
    throw new CheckpointError(
      `Expected a checkpoint in ${checkpoint} for --resume but there is none: start without --resume`,
    );
  }
  if (isFirst({ group })) prepareFolder(out, outputNames, checkpointBytes);
}

async function runPhases(run: Run): Promise<number> {
  const { out } = run.flags;
  const { weights, history } = await trainModel(run);
  await run.group?.close();
  if (!isFirst(run)) return 0;
  const results = await measureAll(run, weights, history);
  writeAtomically(join(out, 'report.json'), [`${JSON.stringify(results, null, 2)}\n`]);
  writeAtomically(join(out, 'report.html'), [renderReport(results)]);
  console.log(`Report: ${join(out, 'report.html')}`);
  const { failed, lines } = judge(results, run.dataset.pairs.tokens === 'chinese');
  for (const line of lines) (failed ? console.error : console.log)(line);
  return failed ? 1 : 0;
}

async function loadData({ data, seed, quick }: Flags): Promise<Dataset> {
  const pairs = data === undefined ? loadCedict() : await loadTsv(data);
  return makeDataset(pairs, { seed, trainLimit: quick ? quickTrainPairs : undefined });
}

/** Before training, so that a file that cannot be used is refused at once. */
function openSweepLog({ out, resume }: Flags, { pairs, split }: Dataset, settings: Settings): SweepLog {
  const { epochs, batches } = settings.sweep!;
  const { dropout, warmUp } = settings.training;
  const config = {
    data: pairs.name,
    trainPairs: split.train.length,
    epochs,
    batches: batches.join(' '),
    dropout,
    warmUp,
  };
  return new SweepLog(join(out, 'sweep.json'), config, resume);
}

async function trainModel(run: Run): Promise<{ weights: Weights; history: History }> {
  const { flags, dataset, settings, signal } = run;
  const { steps, batch, seed } = settings.training;
  const path = join(flags.out, checkpointName);
  const config = { batch, steps, seed, data: dataset.pairs.name, trainPairs: dataset.split.train.length };
  const first = isFirst(run);
  if (first) console.log(`Training: ${steps} steps of ${batch.toLocaleString('en')} pairs`);
  const points = Math.min(steps, flags.quick ? 3 : 5);
  const at = new Set(Array.from({ length: points }, (_, i) => Math.round(((i + 1) * steps) / points)));
  const validation = dataset.split.validation.subarray(0, 1024);
  const onSaved = (step: number) => {
    run.savedStep = step;
  };
  let display: TrainingDisplay | undefined;
  return timed(run, 'training', async () => {
    try {
      const { model, history } = await train(dataset, settings.training, {
        threads: flags.threads,
        signal,
        checkpoint: { path, resume: flags.resume, config, write: first, onSaved },
        onStart: (done) => {
          if (first) display = new TrainingDisplay(steps, done);
        },
        onProgress: (progress) => display?.progress(progress),
        onStep: (record) => display?.step(record),
        validate: {
          // only the first rank keeps a curve
          at: first ? at : new Set(),
          recallAt1: async ({ left, right }) => {
            const sides = { left: left.weights, right: right.weights };
            return (await evaluateModel(dataset, sides, validation, { signal })).metrics.recallAt1;
          },
        },
      });
      const weights = { left: model.left.weights, right: model.right.weights };
      model.dispose();
      return { weights, history };
    } finally {
      display?.stop();
    }
  });
}
