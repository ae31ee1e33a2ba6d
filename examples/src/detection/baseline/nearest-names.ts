/**
 * The plainest way to name a box: the concept of the training region that looks most alike, by the same fixed
 * features. The boxes are those of the trained model, so that only the names differ. Refuses to train
 * anything.
 */

import { topK } from 'infcl/evaluation';
import type { Detection } from '../detect/detect.js';
import type { JudgedScene } from '../evaluate/judge.js';
import { type Centring, centred, type RegionRows } from '../features/region-rows.js';
import { windowFeatures } from '../features/windows.js';

/** Names of a box, as many as the model gives. */
const names = 5;
/** How fast the score of a name falls with the distance: a usual temperature of contrastive models. */
const temperature = 0.07;

export interface NamedScene extends JudgedScene {
  found: readonly Detection[];
}

/** @param regions Training regions that show a thing; their labels are concepts. */
export async function nearestNames(
  scenes: readonly NamedScene[],
  regions: RegionRows,
  centring: Centring,
  signal?: AbortSignal,
): Promise<JudgedScene[]> {
  const boxes = scenes.flatMap(({ found }) => found);
  const pixels = new Uint8Array(boxes.length * windowFeatures);
  for (const [i, { pixels: own }] of boxes.entries()) pixels.set(own, i * windowFeatures);
  const queries = unitRows(centred({ rows: boxes.length, data: pixels }, centring));
  const keys = unitRows(centred(regions, centring));
  const k = Math.min(names, regions.rows);
  const { indices, scores } =
    boxes.length === 0
      ? { indices: [], scores: [] }
      : await topK(queries, keys, k, { keyIds: regions.labels, signal });
  let box = 0;
  return scenes.map(({ things, found }) => ({
    things,
    found: found.map((own) => {
      const first = box++ * k;
      const near = Array.from({ length: k }, (_, i) => ({
        key: indices[first + i]!,
        alike: scores[first + i]!,
      }));
      return { ...own, labels: namesOf(near, own.objectness, regions.labels) };
    }),
  }));
}

/** The neighbours' concepts. Their scores sum to the probability of a thing. */
function namesOf(
  near: readonly { key: number; alike: number }[],
  objectness: number,
  labels: Int32Array,
): Detection['labels'] {
  const known = near.filter(({ key }) => key >= 0);
  const weights = known.map(({ alike }) => Math.exp((alike - known[0]!.alike) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return known.map(({ key }, i) => ({ concept: labels[key]!, score: (objectness * weights[i]!) / total }));
}

function unitRows(data: Float32Array): { data: Float32Array; shape: readonly [number, number] } {
  for (let first = 0; first < data.length; first += windowFeatures) {
    let square = 0;
    for (let d = first; d < first + windowFeatures; d++) square += data[d]! * data[d]!;
    const length = Math.sqrt(square) || 1;
    for (let d = first; d < first + windowFeatures; d++) data[d]! /= length;
  }
  return { data, shape: [data.length / windowFeatures, windowFeatures] };
}
