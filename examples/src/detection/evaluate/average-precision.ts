/**
 * Average precision of a ranking of boxes: the area under precision over recall, as PASCAL VOC 2010 and COCO
 * define it, at an intersection over union of one half. Refuses to know what labels mean: a caller says which
 * boxes may match.
 */

import { type Box, iou } from '../scenes/boxes.js';

/** A box in a place. Boxes match within one place only: a scene, or a scene and a concept. */
export interface Placed {
  place: number;
  box: Box;
}

export interface Found extends Placed {
  score: number;
}

export const matchingOverlap = 0.5;

/**
 * Whether each found box is right, in the order of their scores, the best first. A box is right if it fits a
 * wanted one that no better box has taken. A box that is found a second time is wrong.
 */
export function hits(found: readonly Found[], wanted: readonly Placed[]): { found: Found; right: boolean }[] {
  const places = new Map<number, { box: Box; taken: boolean }[]>();
  for (const { place, box } of wanted) {
    const list = places.get(place) ?? [];
    list.push({ box, taken: false });
    places.set(place, list);
  }
  return [...found]
    .sort((a, b) => b.score - a.score)
    .map((own) => {
      let best: { box: Box; taken: boolean } | undefined;
      let most = matchingOverlap;
      for (const candidate of places.get(own.place) ?? []) {
        const shared = iou(own.box, candidate.box);
        if (candidate.taken || shared < most) continue;
        best = candidate;
        most = shared;
      }
      if (best !== undefined) best.taken = true;
      return { found: own, right: best !== undefined };
    });
}

/** From 0 to 1. Throws RangeError where nothing is wanted: no ranking is right or wrong then. */
export function averagePrecision(found: readonly Found[], wanted: readonly Placed[]): number {
  if (wanted.length === 0) throw new RangeError('Expected at least one wanted box but received none');
  const rights = hits(found, wanted).map(({ right }) => right);
  const precisions: number[] = [];
  let hit = 0;
  rights.forEach((right, i) => {
    if (right) precisions.push(++hit / (i + 1));
  });
  // the precision at a recall is the best one at this recall or beyond
  let [sum, best] = [0, 0];
  for (const precision of precisions.reverse()) {
    best = Math.max(best, precision);
    sum += best;
  }
  return sum / wanted.length;
}
