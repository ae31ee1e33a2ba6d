/**
 * Regions of training scenes: windows on things, windows that hold a part of one, windows on the ground.
 * Refuses windows of which nobody could say what they show.
 */

import { breathe } from '../../breathe.js';
import { Random } from '../../random.js';
import { RegionList, type RegionRows } from '../features/region-rows.js';
import type { Squares } from '../features/squares.js';
import {
  copyWindow,
  pyramidOf,
  type WindowPlace,
  windowFeatures,
  windowPlaces,
} from '../features/windows.js';
import { iou } from '../scenes/boxes.js';
import { type Scene, SceneMaker, type SceneSource } from '../scenes/scene.js';

/** From this overlap on, a window shows the thing. */
const shows = 0.6;
/** Long things fill no square window: their best windows count from here on. */
const showsAtLeast = 0.45;
/** Below the first, a window shows the ground; between both, a part of a thing. */
const ground = 0.15;
export const part = 0.45;
/** Windows of each kind in a scene. */
const windowsPerThing = 4;
const partsPerScene = 8;
const groundsPerScene = 6;

/** Of each window, how much of it is one with the thing that it fits best, and which thing that is. */
export interface Fit {
  overlap: Float32Array;
  thing: Int32Array;
}

export function fitOf({ things }: Scene): Fit {
  const overlap = new Float32Array(windowPlaces.length);
  const thing = new Int32Array(windowPlaces.length).fill(-1);
  windowPlaces.forEach(({ box }, i) => {
    things.forEach((other, t) => {
      const shared = iou(box, other.box);
      if (shared <= overlap[i]!) return;
      overlap[i] = shared;
      thing[i] = t;
    });
  });
  return { overlap, thing };
}

/** @param nothing The number of the text for regions without a thing. */
export async function sceneRegions(
  source: SceneSource,
  scenes: number,
  { seed, nothing, signal }: { seed: number; nothing: number; signal?: AbortSignal },
): Promise<RegionRows> {
  const random = Random.stream(seed, 20);
  const maker = new SceneMaker(source, random);
  const list = new RegionList();
  for (let i = 0; i < scenes; i++) {
    if (i % 16 === 0) await breathe(signal);
    const scene = maker.next();
    const pyramid = pyramidOf(scene.picture);
    for (const { window, thing } of chosenWindows(scene, random)) {
      const label = thing < 0 ? nothing : scene.things[thing]!.concept;
      list.add(windowAt(pyramid, window), label);
    }
  }
  return list.toRows();
}

/** Windows to train on, and the thing that each shows, or -1. */
export function chosenWindows(scene: Scene, random: Random): { window: WindowPlace; thing: number }[] {
  const fit = fitOf(scene);
  const all = Array.from(windowPlaces.keys());
  const some = (candidates: number[], count: number) =>
    Array.from(random.permutation(candidates.length).subarray(0, count), (i) => candidates[i]!);
  const onThings = scene.things.flatMap((_, thing) => {
    const own = all.filter((i) => fit.thing[i] === thing);
    const best = own.reduce((most, i) => Math.max(most, fit.overlap[i]!), 0);
    const least = Math.max(showsAtLeast, Math.min(shows, 0.9 * best));
    return some(
      own.filter((i) => fit.overlap[i]! >= least),
      windowsPerThing,
    ).map((i) => ({ i, thing }));
  });
  const between = (low: number, high: number) =>
    all.filter((i) => fit.overlap[i]! >= low && fit.overlap[i]! < high);
  const others = [
    ...some(between(ground, part), partsPerScene),
    ...some(between(0, ground), groundsPerScene),
  ].map((i) => ({ i, thing: -1 }));
  return [...onThings, ...others].map(({ i, thing }) => ({ window: windowPlaces[i]!, thing }));
}

export function windowAt(pyramid: readonly Squares[], window: WindowPlace): Uint8Array {
  const features = new Uint8Array(windowFeatures);
  copyWindow(pyramid[window.level]!, window, features);
  return features;
}
