/**
 * The demo from data to report, phase by phase, each timed. Refuses to compute anything itself: every phase is a
 * module of its own.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ccaBaseline } from './baseline/cca-baseline.js';
import type { Flags } from './cli.js';
import { dataNumbers, examplesOf, withFeatures } from './collect.js';
import { loadCedict } from './data/cedict.js';
import { loadTsv } from './data/tsv.js';
import { UsageError } from './errors.js';
import { homophoneCeiling } from './evaluate/homophones.js';
import { type Evaluation, evaluateModel, type Weights } from './evaluate/model-evaluation.js';
import { type Dataset, makeDataset } from './features/dataset.js';
import { describeMachine } from './machine.js';
import { measureLossCost } from './measure/loss-cost.js';
import { type Sweep, sweepBatches } from './measure/sweep.js';
import { renderReport } from './report/report.js';
import type { Results } from './results.js';
import { SweepLog } from './saved/sweep-log.js';
import { quickTrainPairs, type Settings, settingsOf } from './settings.js';
import { percent, TrainingDisplay } from './terminal.js';
import { startJax } from './train/jax-side.js';
import { featureDim, initialWeights } from './train/side.js';
import { type History, train } from './train/training.js';
import { judge } from './verdict.js';

const listedExamples = 12;
/** A default run keeps within ten minutes, by leaving out a seed of the last chart if it must. */
const mostSeconds = 570;

interface Run {
  flags: Flags;
  dataset: Dataset;
  settings: Settings;
  signal: AbortSignal;
  seconds: Results['seconds'];
}

/** Resolves to the exit code. Rejects with the signal's reason when interrupted. */
export async function runDemo(flags: Flags, signal: AbortSignal): Promise<number> {
  await startJax();
  const seconds: Results['seconds'] = [];
  const began = performance.now();
  const dataset = loadData(flags);
  const settings = settingsOf(flags, dataset);
  mkdirSync(flags.out, { recursive: true });
  seconds.push({ phase: 'data and features', seconds: (performance.now() - began) / 1000 });
  const { left } = dataset.pairs;
  console.log(
    `${dataset.pairs.name}: ${left.length.toLocaleString('en')} pairs, ${dataset.split.train.length.toLocaleString('en')} to train on`,
  );
  const run: Run = { flags, dataset, settings, signal, seconds };

  const { weights, history } = await trainModel(run);
  const results = await measureAll(run, weights, history);
  writeFileSync(join(flags.out, 'report.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(flags.out, 'report.html'), renderReport(results));
  console.log(`Report: ${join(flags.out, 'report.html')}`);
  const { failed, lines } = judge(results, dataset.pairs.tokens === 'chinese');
  for (const line of lines) (failed ? console.error : console.log)(line);
  return failed ? 1 : 0;
}

function loadData(flags: Flags): Dataset {
  const { data, seed, quick } = flags;
  if (data === undefined) {
    return makeDataset(loadCedict(), { seed, trainLimit: quick ? quickTrainPairs : undefined });
  }
  try {
    return makeDataset(loadTsv(data), { seed, trainLimit: quick ? quickTrainPairs : undefined });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Runs one phase and notes how long it took. */
async function timed<T>(run: Run, phase: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  run.seconds.push({ phase, seconds });
  console.log(`${phase}: ${seconds.toFixed(1)} s`);
  return result;
}

async function trainModel(run: Run): Promise<{ weights: Weights; history: History }> {
  const { flags, dataset, settings, signal } = run;
  const { steps, batch, seed } = settings.training;
  const path = join(flags.out, 'checkpoint.bin');
  const config = { batch, steps, seed, data: dataset.pairs.name, trainPairs: dataset.split.train.length };
  console.log(`Training: ${steps} steps of ${batch.toLocaleString('en')} pairs`);
  const points = Math.min(steps, flags.quick ? 3 : 5);
  const at = new Set(Array.from({ length: points }, (_, i) => Math.round(((i + 1) * steps) / points)));
  const validation = dataset.split.validation.subarray(0, 1024);
  let display: TrainingDisplay | undefined;
  return timed(run, 'training', async () => {
    try {
      const { model, history } = await train(dataset, settings.training, {
        threads: flags.threads,
        signal,
        checkpoint: { path, resume: flags.resume, config },
        onStart: (done) => {
          display = new TrainingDisplay(steps, done);
        },
        onProgress: (progress) => display?.progress(progress),
        onStep: (record) => display?.step(record),
        validate: {
          at,
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

async function measureAll(run: Run, weights: Weights, trained: History): Promise<Results> {
  const { flags, dataset, settings, signal, seconds } = run;
  const { test } = dataset.split;
  const { seed, steps } = settings.training;
  const model = await timed(run, 'ranking the test queries', () =>
    evaluateModel(dataset, weights, test, { listed: listedExamples, signal }),
  );
  const atStart = { left: initialWeights(seed, 1), right: initialWeights(seed, 2) };
  const untrained = await timed(run, 'the same, untrained', () =>
    evaluateModel(dataset, atStart, test, { signal }),
  );
  const history = withFeatures(trained, steps, model);
  // what takes minutes is of no use beside a failed training
  const comparisons = history.diverged ? {} : await compare(run);
  printSummary({ model, untrained });
  return {
    data: dataNumbers(dataset),
    config: configNumbers(run),
    machine: describeMachine(flags.threads),
    untrained: untrained.metrics,
    model: model.metrics,
    ceiling: homophoneCeiling(dataset.pairs.left, test),
    history,
    examples: examplesOf(dataset, model),
    ...comparisons,
    seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

async function compare(run: Run): Promise<Pick<Results, 'cca' | 'lossCost' | 'sweep'>> {
  const { flags, dataset, settings, signal } = run;
  const cca = settings.baseline
    ? await timed(run, 'linear CCA baseline', () => ccaBaseline(dataset, signal))
    : undefined;
  const lossCost = await timed(run, 'cost of the loss by batch size', () =>
    measureLossCost({
      ...settings.lossCost,
      dim: featureDim,
      child: fileURLToPath(new URL('./measure/loss-child.js', import.meta.url)),
      threads: flags.threads,
      signal,
    }),
  );
  return { cca, lossCost, sweep: await sweepIfWanted(run) };
}

async function sweepIfWanted(run: Run): Promise<Sweep | undefined> {
  const { settings, dataset, flags, signal } = run;
  const { sweep } = settings;
  if (sweep === undefined) return undefined;
  const elapsed = run.seconds.reduce((sum, { seconds }) => sum + seconds, 0);
  const { dropout, warmUp } = settings.training;
  const config = {
    data: dataset.pairs.name,
    trainPairs: dataset.split.train.length,
    epochs: sweep.epochs,
    batches: sweep.batches.join(' '),
    dropout,
    warmUp,
  };
  const log = new SweepLog(join(flags.out, 'sweep.json'), config, flags.resume);
  return timed(run, 'recall by batch size', () =>
    sweepBatches(dataset, {
      ...sweep,
      mostSeconds: flags.sweep ? undefined : mostSeconds - elapsed,
      dropout,
      warmUp,
      threads: flags.threads,
      signal,
      log,
      onRun: ({ panel, batch, seed, seconds, recallAt1 }) => {
        const budget = panel === 'pairs' ? 'equal pairs' : 'equal time';
        console.log(
          `  ${budget}, batch ${batch}, seed ${seed}: recall@1 ${percent(recallAt1)} in ${seconds.toFixed(1)} s`,
        );
      },
    }),
  );
}

function configNumbers({ settings, flags }: Run): Results['config'] {
  const { batch, steps, seed, learningRate, warmUp, dropout } = settings.training;
  const mode = flags.quick ? 'quick' : flags.sweep ? 'sweep' : 'default';
  return { batch, steps, epochs: settings.epochs, seed, learningRate, warmUp, dropout, mode };
}

function printSummary({ model, untrained }: { model: Evaluation; untrained: Evaluation }): void {
  const { recallAt1, recallAt10, meanReciprocalRank, queries, candidates } = model.metrics;
  console.log(
    `Test: ${queries} queries against ${candidates} candidates: recall@1 ${percent(recallAt1)}, recall@10 ` +
      `${percent(recallAt10)}, MRR ${percent(meanReciprocalRank)} (untrained: recall@1 ${percent(untrained.metrics.recallAt1)})`,
  );
}
