/**
 * One phase of the training, through the loop of all demos, with progress. There are two: regions of scenes
 * and captioned pictures first, then hard negatives beside them. Refuses to judge beyond the learning curve.
 */

import { imageChunkRows } from '../../icons/train/image-side.js';
import { TrainingDisplay } from '../../terminal.js';
import { epochEnds, type History, type Schedule, trainLoop } from '../../train/loop.js';
import { RegionScorer } from '../detect/region-scorer.js';
import type { DetectionRun } from '../detection-run.js';
import { namingAccuracy } from '../evaluate/named-windows.js';
import type { RegionRows } from '../features/region-rows.js';
import { RegionBatches } from './region-batches.js';
import type { RegionModel } from './region-model.js';

export interface Phase {
  name: string;
  regions: RegionRows;
  epochs: number;
  learningRate: number;
  /** Where its checkpoint goes. */
  path: string;
  /** Whether to go on from there. */
  resume: boolean;
  /** Steps of the phases before. */
  before: number;
}

export const stepsOf = (regions: number, batch: number, epochs: number): number =>
  epochs * Math.floor(regions / batch);

/**
 * The history of this phase. Rejects as the loop does. The caller disposes of the model, except after a
 * rejection.
 * @param onEpoch Told the history so far whenever the checkpoint was written.
 */
export async function trainPhase(
  run: DetectionRun,
  model: RegionModel,
  phase: Phase,
  onEpoch: (history: History) => void,
): Promise<History> {
  const { flags, settings, centring, validation, signal } = run;
  const { batch, seed, dropout, warmUp } = settings;
  const { regions, path, resume, learningRate, before } = phase;
  const batches = new RegionBatches(regions, centring, { batch, seed, dropout, chunkRows: imageChunkRows });
  const steps = phase.epochs * batches.perEpoch;
  const schedule: Schedule = { steps, stepsPerEpoch: batches.perEpoch, learningRate, warmUp };
  const config = { phase: phase.name, batch, steps, seed, regions: regions.rows };
  console.log(`Training, ${phase.name}: ${steps} steps of ${batch.toLocaleString('en')} regions`);
  let display: TrainingDisplay | undefined;
  try {
    return await trainLoop(model, (index, options) => model.step(batches.at(index), options), schedule, {
      threads: flags.threads,
      signal,
      checkpoint: {
        path,
        resume,
        config,
        onSaved: (step, found) => {
          run.savedStep = before + step;
          if (!signal.aborted) onEpoch(found);
        },
      },
      onStart: (done) => {
        display = new TrainingDisplay(steps, done);
      },
      onProgress: (progress) => display?.progress(progress),
      onStep: (record) => display?.step(record),
      validate: {
        at: epochEnds(schedule),
        recallAt1: (trained) => namingAccuracy(new RegionScorer(trained, centring), validation, signal),
      },
    });
  } finally {
    display?.stop();
  }
}

/** Both histories as one; steps of the second count on. */
export function joinHistories(first: History, second: History): History {
  const after = first.steps.length;
  const shifted = <T extends { step: number }>(record: T): T => ({ ...record, step: record.step + after });
  const joined: History = {
    steps: [...first.steps, ...second.steps.map(shifted)],
    curve: [...first.curve, ...second.curve.map(shifted)],
  };
  const diverged = first.diverged ?? (second.diverged && shifted(second.diverged));
  return diverged === undefined ? joined : { ...joined, diverged };
}
