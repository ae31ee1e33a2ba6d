/**
 * The whole training: the first phase, the search for hard negatives, the second phase. A resumed run goes
 * through the same parts, and takes finished steps from the checkpoints. Refuses to test.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { timedPhase } from '../../icons/icon-run.js';
import type { History } from '../../train/loop.js';
import { RegionScorer } from '../detect/region-scorer.js';
import type { DetectionRun } from '../detection-run.js';
import { joinRows } from '../features/region-rows.js';
import { trainingSource } from '../scenes/scene.js';
import { hardNegatives } from './mine.js';
import type { RegionModel } from './region-model.js';
import { joinHistories, type Phase, stepsOf, trainPhase } from './train-phase.js';

export const firstCheckpoint = 'checkpoint.bin';
export const hardCheckpoint = 'checkpoint-hard.bin';

/**
 * The trained model, which the caller disposes of. Leaves the history in `run`. Rejects as the loop does.
 * @param model At its start; disposed of here.
 * @param onEpoch Told whenever a checkpoint was written.
 */
export async function trainDetector(
  run: DetectionRun,
  model: RegionModel,
  onEpoch: () => void,
): Promise<RegionModel> {
  const { flags, settings, regions, emoji, seconds } = run;
  const first: Phase = {
    name: 'regions',
    regions,
    epochs: settings.epochs,
    learningRate: settings.learningRate,
    path: join(flags.out, firstCheckpoint),
    resume: flags.resume,
    before: 0,
  };
  const history = await timedPhase(seconds, 'training', () =>
    trainPhase(run, model, first, (found) => report(run, found, onEpoch)),
  );
  run.history = history;
  if (history.diverged !== undefined) return model;
  const hard = await timedPhase(seconds, 'hard negatives', () => mine(run, model));
  console.log(`${hard.rows.toLocaleString('en')} hard negatives from ${settings.hardScenes} new scenes`);
  run.hardRegions = hard.rows;
  const all = joinRows(regions, hard);
  run.hardSteps = stepsOf(all.rows, settings.batch, settings.hardEpochs);
  const successor = model.successor();
  model.dispose();
  const path = join(flags.out, hardCheckpoint);
  const second: Phase = {
    name: 'hard negatives',
    regions: all,
    epochs: settings.hardEpochs,
    learningRate: settings.hardLearningRate,
    path,
    // the run before may have ended in the first phase
    resume: flags.resume && existsSync(path),
    before: history.steps.length,
  };
  const more = await timedPhase(seconds, 'training with hard negatives', () =>
    trainPhase(run, successor, second, (found) => report(run, joinHistories(history, found), onEpoch)),
  );
  run.history = joinHistories(history, more);
  return successor;

  function mine({ centring, signal }: DetectionRun, trained: RegionModel) {
    const { hardScenes: scenes, seed } = settings;
    return hardNegatives(new RegionScorer(trained, centring), trainingSource(emoji), {
      scenes,
      seed,
      signal,
    });
  }
}

function report(run: DetectionRun, history: History, onEpoch: () => void): void {
  run.history = history;
  onEpoch();
}
