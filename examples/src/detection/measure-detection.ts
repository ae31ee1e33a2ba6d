/**
 * What a run of the detection demo measures after training, and the plain numbers of its results. Refuses to
 * compare anything with a training that diverged.
 */

import { timedPhase } from '../icons/icon-run.js';
import { describeMachine } from '../machine.js';
import { percent } from '../terminal.js';
import { nearestNames } from './baseline/nearest-names.js';
import { RegionScorer } from './detect/region-scorer.js';
import type { DetectionRun } from './detection-run.js';
import { judge } from './evaluate/judge.js';
import { shapeOfRegions } from './evaluate/shape.js';
import { type TestedScene, testScenes, testStreams } from './evaluate/test-scenes.js';
import { rowsWhere } from './features/region-rows.js';
import { shownScenes } from './page/build-page.js';
import { ScenesDisplay } from './progress.js';
import type { DetectionResults, StyleNotice } from './results.js';
import { seenSource, unseenSource } from './scenes/scene.js';
import type { RegionModel } from './train/region-model.js';

/** Lines of the report's table. */
const lineOrder = ['neighbour', 'trained', 'seen'];

/** How things and names lie before or after training. */
export async function measureShape(run: DetectionRun, model: RegionModel, name: string): Promise<void> {
  const { centring, validation, signal, shapes } = run;
  const scorer = new RegionScorer(model, centring);
  shapes.push({ name, shape: await shapeOfRegions(model, scorer, validation, signal) });
}

/** The scenes of the test with their boxes, for the page. */
export async function judgeTrained(run: DetectionRun, model: RegionModel): Promise<TestedScene[]> {
  const { emoji, settings, regions, centring, signal, seconds, judged } = run;
  const scorer = new RegionScorer(model, centring);
  const detectIn = (name: string, stream: number, scenes: number, source: ReturnType<typeof unseenSource>) =>
    timedPhase(seconds, name, async () => {
      const display = new ScenesDisplay('detecting', scenes);
      const test = { source, scenes, stream, keep: shownScenes, signal, onScene: display.show };
      try {
        return await testScenes(scorer, test);
      } finally {
        display.stop();
      }
    });
  const tested = await detectIn('test scenes', testStreams.test, settings.tests, unseenSource(emoji));
  const scores = judge(tested, emoji.novel);
  judged.push({ name: 'Trained towers', kind: 'trained', scores });
  console.log(
    `Unseen style: mAP50 ${percent(scores.map)}, base ${percent(scores.base)}, novel ${percent(scores.novel)}`,
  );
  const named = await timedPhase(seconds, 'nearest neighbours', () => {
    const things = rowsWhere(regions, (label) => label < emoji.concepts.length);
    return nearestNames(tested, things, centring, signal);
  });
  judged.push({
    name: 'Nearest training region, same boxes',
    kind: 'neighbour',
    scores: judge(named, emoji.novel),
  });
  if (settings.seenTests > 0) {
    const seen = await detectIn(
      'scenes of seen styles',
      testStreams.seen,
      settings.seenTests,
      seenSource(emoji),
    );
    judged.push({
      name: 'Trained towers, seen styles',
      kind: 'seen',
      scores: judge(seen, emoji.novel),
    });
  }
  return tested;
}

export function noticesOf({ emoji: { training, unseen } }: Pick<DetectionRun, 'emoji'>): StyleNotice[] {
  return [unseen, ...training].map((style) => ({
    title: style.title,
    author: style.author,
    licence: style.licence,
    version: style.version,
    drawings: style.rowOf.filter((row) => row >= 0).length,
    unseen: style === unseen,
  }));
}

export function resultsOf(run: DetectionRun, running: boolean): DetectionResults {
  const { flags, settings, emoji, regions, hardRegions, judged, shapes, history, page, seconds } = run;
  const { batch, epochs, hardEpochs, seed, learningRate, warmUp, dropout, scenes } = settings;
  return {
    data: {
      concepts: emoji.concepts.length,
      novel: emoji.novel.reduce((sum, value) => sum + value, 0),
      trainScenes: scenes,
      regions: regions.rows,
      hardRegions,
      styles: noticesOf(run),
    },
    config: {
      ...{ batch, epochs, hardEpochs, seed, learningRate, warmUp, dropout },
      steps: run.firstSteps + run.hardSteps,
      firstSteps: run.firstSteps,
      mode: flags.quick ? 'quick' : 'default',
    },
    machine: describeMachine(flags.threads),
    judged: [...judged].sort((a, b) => lineOrder.indexOf(a.kind) - lineOrder.indexOf(b.kind)),
    shapes,
    history,
    page,
    seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    running,
  };
}
