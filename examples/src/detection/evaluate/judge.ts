/**
 * Judges the boxes of many scenes: average precision by concept, of all in one ranking, and without names;
 * precision and recall of those above a score. Refuses to know which model found them.
 */

import type { Detection } from '../detect/detect.js';
import type { Thing } from '../scenes/scene.js';
import { averagePrecision, type Found, hits, type Placed } from './average-precision.js';

/** What is in a scene, and what was found there. */
export interface JudgedScene {
  things: readonly Thing[];
  found: readonly Pick<Detection, 'box' | 'objectness' | 'labels'>[];
}

export interface DetectionScores {
  scenes: number;
  things: number;
  /** Mean over concepts that occur, at an overlap of one half. */
  map: number;
  /** The same over concepts of training scenes, and over those that no training scene has. */
  base: number;
  novel: number;
  /** All boxes of all concepts in one ranking. */
  pooled: number;
  /** Boxes without names. */
  agnostic: number;
  /** Of boxes whose best name has at least this score. */
  score: number;
  precision: number;
  recall: number;
}

/** Above this score, precision and recall are told. */
export const toldScore = 0.7;

/** @param novel 1 for concepts that no training scene has; its length is the number of concepts. */
export function judge(scenes: readonly JudgedScene[], novel: Uint8Array): DetectionScores {
  const concepts = novel.length;
  const found: Found[][] = Array.from({ length: concepts }, () => []);
  const wanted: Placed[][] = Array.from({ length: concepts }, () => []);
  scenes.forEach(({ things, found: boxes }, place) => {
    for (const { concept, box } of things) wanted[concept]!.push({ place, box });
    for (const { box, labels } of boxes)
      for (const { concept, score } of labels) found[concept]!.push({ place, box, score });
  });
  const present = Array.from(wanted.keys()).filter((concept) => wanted[concept]!.length > 0);
  const each = new Map(
    present.map((concept) => [concept, averagePrecision(found[concept]!, wanted[concept]!)]),
  );
  const over = (wantedConcept: (concept: number) => boolean) =>
    mean(present.filter(wantedConcept).map((concept) => each.get(concept)!));
  const allWanted = named(wanted, concepts);
  const atScore = pointAt(scenes, allWanted, concepts);
  return {
    scenes: scenes.length,
    things: allWanted.length,
    map: over(() => true),
    base: over((concept) => novel[concept] === 0),
    novel: over((concept) => novel[concept] === 1),
    pooled: averagePrecision(named(found, concepts), allWanted),
    agnostic: agnosticPrecision(scenes),
    ...atScore,
  };
}

/** Boxes that match within a scene and a concept only. */
function named<T extends Placed>(lists: readonly T[][], concepts: number): T[] {
  return lists.flatMap((list, concept) =>
    list.map((own) => ({ ...own, place: own.place * concepts + concept })),
  );
}

function agnosticPrecision(scenes: readonly JudgedScene[]): number {
  const found = scenes.flatMap(({ found: boxes }, place) =>
    boxes.map(({ box, objectness }) => ({ place, box, score: objectness })),
  );
  const wanted = scenes.flatMap(({ things }, place) => things.map(({ box }) => ({ place, box })));
  return averagePrecision(found, wanted);
}

function pointAt(
  scenes: readonly JudgedScene[],
  wanted: readonly Placed[],
  concepts: number,
): Pick<DetectionScores, 'score' | 'precision' | 'recall'> {
  const found = scenes.flatMap(({ found: boxes }, scene) =>
    boxes.flatMap(({ box, labels: [best] }) =>
      best === undefined || best.score < toldScore
        ? []
        : [{ place: scene * concepts + best.concept, box, score: best.score }],
    ),
  );
  const right = hits(found, wanted).filter((hit) => hit.right).length;
  return {
    score: toldScore,
    precision: found.length === 0 ? 0 : right / found.length,
    recall: right / wanted.length,
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * What a box amounts to: a thing and its name, a thing with another name, or no thing that is still to be
 * found.
 */
export type Outcome = 'right' | 'misnamed' | 'wrong';

/**
 * The outcome of each box of a scene, in the given order. Boxes with a better score choose first, so that
 * outcomes hold whatever score a reader asks for.
 */
export function outcomesOf({ things, found }: JudgedScene): Outcome[] {
  const numbered = found.map(({ box, labels }, place) => ({ place, box, score: labels[0]?.score ?? 0 }));
  const wanted = things.map(({ box }) => ({ place: 0, box }));
  const outcomes: Outcome[] = new Array(found.length).fill('wrong');
  const order = [...numbered].sort((a, b) => b.score - a.score);
  // the same search as for scores, one box at a time, to know which thing was taken
  const left = new Set(wanted.keys());
  for (const { place, box, score } of order) {
    const taken = [...left].filter((i) => hits([{ place: 0, box, score }], [wanted[i]!])[0]!.right);
    const same = taken.find((i) => things[i]!.concept === found[place]!.labels[0]?.concept);
    const chosen = same ?? taken[0];
    if (chosen === undefined) continue;
    left.delete(chosen);
    outcomes[place] = same === undefined ? 'misnamed' : 'right';
  }
  return outcomes;
}
