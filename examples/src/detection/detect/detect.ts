/**
 * From a scene to boxes with names: all windows are scored, one window of each thing is kept, and the windows
 * that agree with it give the box and the feature together. Refuses to know what is right.
 */

import { copyWindow, pyramidOf, windowFeatures, windowPlaces } from '../features/windows.js';
import { type Box, iou } from '../scenes/boxes.js';
import type { Picture } from '../scenes/picture.js';
import { featureDim } from '../train/region-model.js';
import type { RegionScorer } from './region-scorer.js';
import { suppress } from './suppress.js';

export interface Detection {
  box: Box;
  /** The probability of any thing, which is 1 less that of nothing. */
  objectness: number;
  /** The likeliest concepts, best first. */
  labels: { concept: number; score: number }[];
  /** Mean feature of the windows that agree, float32 [128]. */
  feature: Float32Array;
  /** Fixed features of the kept window, uint8 [768], for baselines. */
  pixels: Uint8Array;
}

/** Windows less surely on a thing are no candidates. */
const leastObjectness = 0.05;
const mostBoxes = 24;
const labelsPerBox = 5;
const suppression = { shared: 0.3, contained: 0.55, most: mostBoxes };
/** A window agrees with a kept one from this overlap on, if it is at least half as surely on a thing. */
const agreement = 0.6;
const allBoxes = windowPlaces.map(({ box }) => box);

export async function detect(
  scorer: RegionScorer,
  picture: Picture,
  signal?: AbortSignal,
): Promise<Detection[]> {
  const pyramid = pyramidOf(picture);
  const pixels = new Uint8Array(windowPlaces.length * windowFeatures);
  windowPlaces.forEach((place, i) => {
    copyWindow(pyramid[place.level]!, place, pixels, i * windowFeatures);
  });
  const features = await scorer.features(pixels, signal);
  const objectness = objectnessOf(scorer, await scorer.probabilities(features, signal));
  const order = Int32Array.from(objectness.keys())
    .filter((i) => objectness[i]! >= leastObjectness)
    .sort((a, b) => objectness[b]! - objectness[a]! || a - b);
  const kept = suppress(allBoxes, order, suppression);
  const merged = kept.map((i) => merge(i, order, objectness, features));
  const means = new Float32Array(merged.length * featureDim);
  for (const [i, { feature }] of merged.entries()) means.set(feature, i * featureDim);
  const probabilities = await scorer.probabilities(means, signal);
  const sure = objectnessOf(scorer, probabilities);
  return merged.map(({ box, feature }, i) => ({
    box,
    feature,
    objectness: sure[i]!,
    labels: likeliest(probabilities.subarray(i * scorer.texts, (i + 1) * scorer.texts - 1), labelsPerBox),
    pixels: pixels.slice(kept[i]! * windowFeatures, (kept[i]! + 1) * windowFeatures),
  }));
}

function objectnessOf({ texts }: RegionScorer, probabilities: Float32Array): Float32Array {
  return Float32Array.from(
    { length: probabilities.length / texts },
    (_, i) => 1 - probabilities[(i + 1) * texts - 1]!,
  );
}

/** Box and feature of the windows that agree with a kept one, each as much as it is sure. */
function merge(
  kept: number,
  candidates: Int32Array,
  objectness: Float32Array,
  features: Float32Array,
): { box: Box; feature: Float32Array } {
  const feature = new Float32Array(featureDim);
  const box = { left: 0, top: 0, right: 0, bottom: 0 };
  let total = 0;
  for (const i of candidates) {
    const weight = objectness[i]!;
    if (weight < objectness[kept]! / 2 || iou(allBoxes[i]!, allBoxes[kept]!) < agreement) continue;
    total += weight;
    for (let d = 0; d < featureDim; d++) feature[d]! += weight * features[i * featureDim + d]!;
    for (const edge of ['left', 'top', 'right', 'bottom'] as const) box[edge] += weight * allBoxes[i]![edge];
  }
  for (let d = 0; d < featureDim; d++) feature[d]! /= total;
  for (const edge of ['left', 'top', 'right', 'bottom'] as const) box[edge] /= total;
  return { box, feature };
}

/** The largest of the values, best first, with their places. */
export function likeliest(values: Float32Array, count: number): { concept: number; score: number }[] {
  const best: { concept: number; score: number }[] = [];
  for (let concept = 0; concept < values.length; concept++) {
    const score = values[concept]!;
    if (best.length === count && score <= best[count - 1]!.score) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.score < score) at--;
    best.splice(at, 0, { concept, score });
    if (best.length > count) best.pop();
  }
  return best;
}
