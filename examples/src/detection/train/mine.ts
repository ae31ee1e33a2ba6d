/**
 * Hard negatives: windows of new scenes that hold no whole thing, and that the model takes for one
 * nevertheless. They join the training regions as "nothing". Refuses windows that a person could take for a
 * thing.
 */

import { Random } from '../../random.js';
import type { RegionScorer } from '../detect/region-scorer.js';
import { RegionList, type RegionRows } from '../features/region-rows.js';
import { copyWindow, pyramidOf, windowFeatures, windowPlaces } from '../features/windows.js';
import { SceneMaker, type SceneSource } from '../scenes/scene.js';
import { fitOf, part, windowAt } from './scene-regions.js';

/** Windows of a scene that are asked about. */
const askedPerScene = 700;
const mostPerScene = 60;
/** A window is hard if "nothing" is less likely than this. */
const sureOfNothing = 0.97;

export interface Mining {
  scenes: number;
  seed: number;
  signal?: AbortSignal;
  onScene?: (done: number) => void;
}

export async function hardNegatives(
  scorer: RegionScorer,
  source: SceneSource,
  { scenes, seed, signal, onScene }: Mining,
): Promise<RegionRows> {
  const random = Random.stream(seed, 22);
  const maker = new SceneMaker(source, random);
  const list = new RegionList();
  const nothing = scorer.texts - 1;
  for (let done = 0; done < scenes; done++) {
    const scene = maker.next();
    const pyramid = pyramidOf(scene.picture);
    const { overlap } = fitOf(scene);
    const negatives = Array.from(overlap.keys()).filter((i) => overlap[i]! < part);
    const asked = Array.from(
      random.permutation(negatives.length).subarray(0, askedPerScene),
      (i) => windowPlaces[negatives[i]!]!,
    );
    const pixels = new Uint8Array(asked.length * windowFeatures);
    asked.forEach((place, i) => {
      copyWindow(pyramid[place.level]!, place, pixels, i * windowFeatures);
    });
    const probabilities = await scorer.probabilities(await scorer.features(pixels, signal), signal);
    const sure = asked.map((_, i) => probabilities[(i + 1) * scorer.texts - 1]!);
    const hard = Array.from(sure.keys())
      .filter((i) => sure[i]! < sureOfNothing)
      .sort((a, b) => sure[a]! - sure[b]! || a - b)
      .slice(0, mostPerScene);
    for (const i of hard) list.add(windowAt(pyramid, asked[i]!), nothing);
    onScene?.(done + 1);
  }
  return list.toRows();
}
