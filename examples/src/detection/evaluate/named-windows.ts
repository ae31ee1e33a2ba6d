/**
 * The best window of each thing in scenes that training never sees, and how often a model gives it the right
 * name among all concepts. The learning curve shows this. Refuses to look for things: where they are is
 * given.
 */

import type { Random } from '../../random.js';
import { likeliest } from '../detect/detect.js';
import type { RegionScorer } from '../detect/region-scorer.js';
import { RegionList, type RegionRows } from '../features/region-rows.js';
import { pyramidOf, windowPlaces } from '../features/windows.js';
import { SceneMaker, type SceneSource } from '../scenes/scene.js';
import { fitOf, windowAt } from '../train/scene-regions.js';

export function bestWindows(source: SceneSource, scenes: number, random: Random): RegionRows {
  const maker = new SceneMaker(source, random);
  const list = new RegionList();
  for (let i = 0; i < scenes; i++) {
    const scene = maker.next();
    const { overlap, thing } = fitOf(scene);
    const pyramid = pyramidOf(scene.picture);
    scene.things.forEach(({ concept }, t) => {
      let best = -1;
      for (let w = 0; w < overlap.length; w++)
        if (thing[w] === t && (best < 0 || overlap[w]! > overlap[best]!)) best = w;
      if (best >= 0) list.add(windowAt(pyramid, windowPlaces[best]!), concept);
    });
  }
  return list.toRows();
}

/** From 0 to 1. */
export async function namingAccuracy(
  scorer: RegionScorer,
  things: RegionRows,
  signal?: AbortSignal,
): Promise<number> {
  const probabilities = await scorer.probabilities(await scorer.features(things.data, signal), signal);
  let right = 0;
  things.labels.forEach((label, i) => {
    const own = probabilities.subarray(i * scorer.texts, (i + 1) * scorer.texts - 1);
    if (likeliest(own, 1)[0]!.concept === label) right++;
  });
  return right / things.rows;
}
