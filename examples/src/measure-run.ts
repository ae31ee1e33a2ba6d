/**
 * The phases after training: how good the model is, and what the baseline, the loss and other batch sizes do.
 * Refuses to compare anything with a training that diverged.
 */

import { fileURLToPath } from 'node:url';
import { ccaBaseline } from './baseline/cca-baseline.js';
import { dataNumbers, examplesOf, withFeatures } from './collect.js';
import { homophoneCeiling } from './evaluate/homophones.js';
import { type Evaluation, evaluateModel, type Weights } from './evaluate/model-evaluation.js';
import { describeMachine } from './machine.js';
import { measureLossCost } from './measure/loss-cost.js';
import { type Sweep, sweepBatches } from './measure/sweep.js';
import type { Results } from './results.js';
import { type Run, timed } from './run.js';
import { percent } from './terminal.js';
import type { History } from './train/loop.js';
import { featureDim, initialWeights } from './train/side.js';

const listedExamples = 12;
/** A default run keeps within ten minutes, by leaving out a seed of the last chart if it must. */
const mostSeconds = 570;

export async function measureAll(run: Run, weights: Weights, trained: History): Promise<Results> {
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
  return timed(run, 'recall by batch size', () =>
    sweepBatches(dataset, {
      ...sweep,
      mostSeconds: flags.sweep ? undefined : mostSeconds - elapsed,
      dropout,
      warmUp,
      threads: flags.threads,
      signal,
      log: run.sweepLog,
      onRun: ({ panel, batch, seed, seconds, recallAt1 }) => {
        const budget = panel === 'pairs' ? 'equal pairs' : 'equal time';
        console.log(
          `  ${budget}, batch ${batch}, seed ${seed}: recall@1 ${percent(recallAt1)} in ${seconds.toFixed(1)} s`,
        );
      },
    }),
  );
}

function configNumbers({ settings, flags, group }: Run): Results['config'] {
  const { batch, steps, seed, learningRate, warmUp, dropout } = settings.training;
  const mode = flags.quick ? 'quick' : flags.sweep ? 'sweep' : 'default';
  const numbers = {
    batch,
    steps,
    epochs: settings.epochs,
    seed,
    learningRate,
    warmUp,
    dropout,
    mode,
  } as const;
  return group === undefined ? numbers : { ...numbers, ranks: group.size };
}

function printSummary({ model, untrained }: { model: Evaluation; untrained: Evaluation }): void {
  const { recallAt1, recallAt10, meanReciprocalRank, queries, candidates } = model.metrics;
  console.log(
    `Test: ${queries} queries against ${candidates} candidates: recall@1 ${percent(recallAt1)}, recall@10 ` +
      `${percent(recallAt10)}, MRR ${percent(meanReciprocalRank)} (untrained: recall@1 ${percent(untrained.metrics.recallAt1)})`,
  );
}
