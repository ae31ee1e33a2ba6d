/**
 * The comparison of settings (`--sweep`): does a larger batch help, which rate suits, what do shifts and dropout
 * do? Each training is written down when it is done. Refuses to touch the set that the figures are about.
 */

import { join } from 'node:path';
import { Interrupted } from '../../interrupt.js';
import { describeMachine } from '../../machine.js';
import { percent } from '../../terminal.js';
import { trainLoop } from '../../train/loop.js';
import { imageFeaturesOf, textFeaturesOf } from '../evaluate/features.js';
import { judgeFeatures } from '../evaluate/judge-features.js';
import { curveTask } from '../evaluate/task.js';
import { columnsInUse } from '../features/text-matrix.js';
import type { IconRun } from '../icon-run.js';
import { IconBatches } from '../train/icon-batches.js';
import { IconModel } from '../train/icon-model.js';
import { imageChunkRows } from '../train/image-side.js';
import { nextRun, type SweepPlan, type SweepRecord, type SweepSpec } from './plan.js';
import { readSweep, writeSweep } from './sweep-file.js';

export const sweepFile = 'icons-sweep.json';

/**
 * Resolves to the exit code. Rejects with DemoErrors, and with Interrupted after Ctrl-C: finished trainings are
 * kept.
 */
export async function runSweep(run: IconRun): Promise<number> {
  const { flags, settings, prepared } = run;
  const path = join(flags.out, sweepFile);
  const icons = prepared.captionOf.length;
  const plan: SweepPlan = {
    icons,
    batches: [256, 1024, 4096, 16_384].filter((batch) => batch <= icons),
    rateEpochs: 3,
    epochs: 8,
    seeds: [settings.seed, settings.seed + 1],
    dropout: settings.dropout,
    shifts: settings.shifts.length,
  };
  const about = {
    unseen: flags.unseen,
    icons,
    epochs: plan.epochs,
    rateEpochs: plan.rateEpochs,
    seed: settings.seed,
  };
  const runs = readSweep(path, about);
  for (let spec = nextRun(plan, runs); spec !== undefined; spec = nextRun(plan, runs)) {
    const record = await trainOnce(run, spec);
    runs.push(record);
    writeSweep(path, { settings: about, machine: describeMachine(flags.threads), runs });
    console.log(line(record));
  }
  console.log(`Comparison: ${path}`);
  return 0;
}

/** What to tell: finished trainings are kept, and the one that was stopped is made again. */
export function endOfSweep({ signal }: Pick<IconRun, 'signal'>, error: unknown): unknown {
  if (!signal.aborted || (error as Error | undefined)?.name !== 'AbortError') return error;
  return new Interrupted(undefined, 'finished trainings are kept, so go on with the same command');
}

async function trainOnce(run: IconRun, spec: SweepSpec): Promise<SweepRecord> {
  const { prepared, settings, signal, flags } = run;
  const { batch, steps, seed, dropout, learningRate } = spec;
  const data = { ...prepared, images: prepared.images.slice(0, spec.shifts) };
  const batches = new IconBatches(data, { batch, seed, dropout, chunkRows: imageChunkRows });
  const model = new IconModel(columnsInUse(prepared.texts), seed);
  const began = performance.now();
  const history = await trainLoop(
    model,
    (index, options) => model.step(batches.at(index), options),
    { steps, stepsPerEpoch: batches.perEpoch, learningRate, warmUp: settings.warmUp },
    { threads: flags.threads, signal },
  );
  const seconds = (performance.now() - began) / 1000;
  try {
    if (history.diverged) return { ...spec, seconds, top1: 0, at1: 0, divergedAt: history.diverged.step };
    const images = await imageFeaturesOf(model, prepared.unseen, prepared.centring, signal);
    const texts = textFeaturesOf(model, prepared.task.texts);
    const { zeroShot, seen } = await judgeFeatures(prepared.task, images, texts, signal);
    const { classes } = curveTask(prepared.task);
    const { top1 } = zeroShot.find((level) => level.classes === classes)!;
    return { ...spec, seconds, top1, at1: seen?.at1 ?? 0 };
  } finally {
    model.dispose();
  }
}

function line({
  round,
  batch,
  learningRate,
  steps,
  seed,
  dropout,
  shifts,
  seconds,
  top1,
  at1,
  divergedAt,
}: SweepRecord): string {
  const setting = `batch ${batch}, rate ${learningRate}, ${steps} steps, seed ${seed}, dropout ${dropout.toFixed(1)}, ${shifts} shifts`;
  const result = divergedAt
    ? `diverged at step ${divergedAt}`
    : `top-1 ${percent(top1)}, search ${percent(at1)}`;
  return `  ${round}: ${setting}: ${result} in ${seconds.toFixed(0)} s`;
}
