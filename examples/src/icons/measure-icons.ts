/**
 * What a run of the icon demo measures, before and after training, and the plain numbers of its results. Refuses to
 * compare anything with a training that diverged.
 */

import { describeMachine } from '../machine.js';
import { percent } from '../terminal.js';
import { judgeCca } from './baseline/judge-cca.js';
import { judgeNeighbours } from './baseline/neighbours.js';
import { type Features, imageFeaturesOf, textFeaturesOf } from './evaluate/features.js';
import { judgeFeatures, type Scores } from './evaluate/judge-features.js';
import { type FeatureShape, shapeOf } from './evaluate/shape.js';
import { curveTask } from './evaluate/task.js';
import { columnsInUse } from './features/text-matrix.js';
import { type IconRun, timedPhase } from './icon-run.js';
import { classesOf, unitFeatures, unitPixels } from './prepare.js';
import type { IconResults, Judged } from './results.js';
import { IconModel } from './train/icon-model.js';

/** Lines of the report's table, from the plainest to the trained ones. */
const lineOrder: readonly Judged['kind'][] = ['untrained', 'pixels', 'features', 'cca', 'trained', 'page'];

/** What needs no training: the report shows it while the model trains. */
export async function judgeBefore(run: IconRun): Promise<void> {
  const { prepared, settings, signal, seconds, judged } = run;
  const { collection, task, images, unseen, centring, texts } = prepared;
  const model = new IconModel(columnsInUse(texts), settings.seed);
  try {
    const { scores, shape } = await timedPhase(seconds, 'untrained model', () => judgeModel(run, model));
    judged.push({ name: 'Untrained, same weights at step 0', kind: 'untrained', scores, shape });
  } finally {
    model.dispose();
  }
  // a neighbour whose caption the unseen set lacks is never an answer
  const classOf = classesOf(prepared);
  const known = Int32Array.from(classOf.keys()).filter((row) => classOf[row]! >= 0);
  if (known.length === 0) return;
  const classes = known.map((row) => classOf[row]!);
  await timedPhase(seconds, 'nearest neighbours by pixels', async () => {
    const icons = known.map((row) => collection.train[row]!);
    const train = await unitPixels(collection, icons);
    const tests = await unitPixels(collection, collection.unseen);
    const scores = await judgeNeighbours(task, { train, unseen: tests, classOf: classes }, signal);
    judged.push({ name: 'Nearest training icon by pixels', kind: 'pixels', scores });
  });
  await timedPhase(seconds, 'nearest neighbours by features', async () => {
    const train = await unitFeatures(images[0]!, known, centring);
    const all = Int32Array.from({ length: unseen.rows }, (_, i) => i);
    const tests = await unitFeatures(unseen, all, centring);
    const scores = await judgeNeighbours(task, { train, unseen: tests, classOf: classes }, signal);
    judged.push({ name: 'Nearest training icon by the same features', kind: 'features', scores });
  });
}

/** The features of the unseen set, for the page; none where training diverged. */
export async function judgeAfter(run: IconRun, model: IconModel): Promise<Features | undefined> {
  if (run.history.diverged !== undefined) return undefined;
  const { scores, shape, images } = await timedPhase(run.seconds, 'trained model', () =>
    judgeModel(run, model),
  );
  run.judged.push({ name: 'Trained towers', kind: 'trained', scores, shape });
  for (const { classes, top1, top5 } of scores.zeroShot)
    console.log(`Unseen set, ${classes} classes: top-1 ${percent(top1)}, top-5 ${percent(top5)}`);
  await judgeLinear(run);
  return images;
}

async function judgeLinear({ prepared, settings, signal, seconds, judged }: IconRun): Promise<void> {
  if (!settings.cca) return;
  const { task, images, unseen, centring, texts, captionOf } = prepared;
  const question = { task, train: images[0]!, unseen, centring, texts, captionOf };
  const scores = await timedPhase(seconds, 'linear CCA', () => judgeCca(question, signal));
  judged.push({ name: 'Linear CCA on the same features', kind: 'cca', scores });
}

async function judgeModel(
  { prepared, signal }: IconRun,
  model: IconModel,
): Promise<{ scores: Scores; shape?: FeatureShape; images: Features }> {
  const { task, unseen, centring } = prepared;
  const images = await imageFeaturesOf(model, unseen, centring, signal);
  const texts = textFeaturesOf(model, task.texts);
  const scores = await judgeFeatures(task, images, texts, signal);
  return { scores, shape: await shapeOf(task, images, texts, signal), images };
}

export function resultsOf(run: IconRun, running: boolean): IconResults {
  const { flags, settings, prepared, judged, history, page, seconds } = run;
  const { collection, task } = prepared;
  const { sets, icons, unseen, train, captions, copies } = collection;
  const { batch, steps, epochs, seed, learningRate, warmUp, dropout } = settings;
  return {
    data: {
      unseen: flags.unseen,
      unseenIcons: unseen.length,
      trainIcons: train.length,
      captions: captions.length,
      seenCaptions: task.seen.queries.length,
      freshCaptions: task.fresh.queries.length,
      copies,
      sets: sets.map(({ title, version, licence }, number) => ({
        title,
        version,
        licence,
        icons: icons.reduce((sum, { set }) => sum + (set === number ? 1 : 0), 0),
      })),
    },
    config: {
      ...{ batch, steps, epochs, seed, learningRate, warmUp, dropout },
      mode: flags.quick ? 'quick' : 'default',
    },
    machine: describeMachine(flags.threads),
    judged: [...judged].sort((a, b) => lineOrder.indexOf(a.kind) - lineOrder.indexOf(b.kind)),
    history,
    curveClasses: curveTask(task).classes,
    page,
    seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    running,
  };
}
