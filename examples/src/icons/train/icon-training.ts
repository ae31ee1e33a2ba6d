/**
 * Trains the icon model through the loop of all demos, and shows the progress. Refuses to judge beyond the learning
 * curve.
 */

import { TrainingDisplay } from '../../terminal.js';
import { epochEnds, type Schedule, trainLoop } from '../../train/loop.js';
import { someRows, textFeaturesOf } from '../evaluate/features.js';
import { judgeZeroShot } from '../evaluate/judge-features.js';
import { curveTask } from '../evaluate/task.js';
import { centredRows } from '../features/image-matrix.js';
import { columnsInUse } from '../features/text-matrix.js';
import type { IconRun } from '../icon-run.js';
import { IconBatches } from './icon-batches.js';
import { featureDim, IconModel } from './icon-model.js';
import { encodeImages, imageChunkRows } from './image-side.js';

/**
 * Leaves the history in `run`. Rejects as the loop does. The caller disposes of the model.
 * @param onEpoch Told whenever the checkpoint was written.
 */
export async function trainIcons(run: IconRun, path: string, onEpoch: () => void): Promise<IconModel> {
  const { flags, settings, prepared, signal } = run;
  const { batch, steps, seed, dropout, learningRate, warmUp } = settings;
  const batches = new IconBatches(prepared, { batch, seed, dropout, chunkRows: imageChunkRows });
  const schedule: Schedule = { steps, stepsPerEpoch: batches.perEpoch, learningRate, warmUp };
  const model = new IconModel(columnsInUse(prepared.texts), seed);
  const { unseen, data = '' } = flags;
  const config = { batch, steps, seed, unseen, data, trainIcons: prepared.captionOf.length };
  console.log(`Training: ${steps} steps of ${batch.toLocaleString('en')} icons`);
  let display: TrainingDisplay | undefined;
  try {
    const history = await trainLoop(
      model,
      (index, options) => model.step(batches.at(index), options),
      schedule,
      {
        threads: flags.threads,
        signal,
        checkpoint: {
          path,
          resume: flags.resume,
          config,
          onSaved: (step, found) => {
            run.savedStep = step;
            run.history = found;
            if (!signal.aborted) onEpoch();
          },
        },
        onStart: (done) => {
          display = new TrainingDisplay(steps, done);
        },
        onProgress: (progress) => display?.progress(progress),
        onStep: (record) => display?.step(record),
        validate: { at: epochEnds(schedule), recallAt1: (trained) => curvePoint(run, trained) },
      },
    );
    run.history = history;
    return model;
  } finally {
    display?.stop();
  }
}

async function curvePoint({ prepared, signal }: IconRun, model: IconModel): Promise<number> {
  const { task, unseen, centring } = prepared;
  const part = curveTask(task);
  const input = (first: number, end: number) =>
    centredRows(unseen, part.icons.subarray(first, end), centring);
  const data = await encodeImages(model.image, part.icons.length, input, signal);
  const rows = Int32Array.from({ length: part.classes }, (_, i) => i);
  const texts = someRows(textFeaturesOf(model, task.texts), rows);
  const own = Int32Array.from(part.icons, (_, i) => i);
  const images = { data, shape: [part.icons.length, featureDim] as const };
  return (await judgeZeroShot({ ...part, icons: own }, images, texts, signal)).top1;
}
