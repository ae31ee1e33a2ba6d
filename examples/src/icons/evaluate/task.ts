/**
 * What a model is asked about the unseen set: which captions are classes, which icons they belong to, and which
 * captions icons are searched by. The same questions go to every model and baseline of a run. Refuses to answer
 * them.
 */

import type { SparseMatrix } from '../../features/hashing.js';
import type { Collection } from '../data/collection.js';
import { textMatrix } from '../features/text-matrix.js';

/** Which of the first so many classes an icon shows. */
export interface ZeroShotTask {
  /** The first so many of {@link IconTask.texts}. */
  classes: number;
  /** Places in the unseen set. */
  icons: Int32Array;
  /** The class of each of these icons. */
  labels: Int32Array;
}

/** Captions to search all icons of the unseen set by. */
export interface SearchTask {
  /** Rows of {@link IconTask.texts}. */
  queries: Int32Array;
  /** Places in the unseen set of the icons with this caption, in the form of infcl's `positives`. */
  positives: { offsets: Int32Array; keys: Int32Array };
}

export interface IconTask {
  /** Captions of the unseen set: first those that training icons have too, by how many; then the new ones. */
  captions: string[];
  texts: SparseMatrix;
  /**
   * Among seen captions; among new ones where there are no others, as with pictures that each have their own
   * caption.
   */
  zeroShot: ZeroShotTask[];
  seen: SearchTask;
  fresh: SearchTask;
}

const classCounts = [100, 1000];

/** Which questions the learning curve asks: a thousand classes, or all where there are fewer. */
export function curveTask({ zeroShot }: IconTask): ZeroShotTask {
  return zeroShot.find(({ classes }) => classes === 1000) ?? zeroShot.at(-1)!;
}

export function makeTask({ icons, unseen, captions }: Collection): IconTask {
  const own = new Map<string, number[]>();
  unseen.forEach((icon, place) => {
    const { caption } = icons[icon]!;
    own.set(caption, [...(own.get(caption) ?? []), place]);
  });
  const trained = new Set(captions);
  const seen = captions.filter((caption) => own.has(caption));
  const fresh = [...own.keys()].filter((caption) => !trained.has(caption)).sort();
  const all = [...seen, ...fresh];
  const placesOf = all.map((caption) => own.get(caption)!);
  const classes = seen.length > 0 ? seen.length : all.length;
  const counts = [...classCounts.filter((count) => count < classes), classes];
  return {
    captions: all,
    texts: textMatrix(all),
    zeroShot: counts.map((classes) => zeroShotTask(placesOf, classes)),
    seen: searchTask(placesOf, 0, seen.length),
    fresh: searchTask(placesOf, seen.length, all.length),
  };
}

function zeroShotTask(placesOf: readonly number[][], classes: number): ZeroShotTask {
  const chosen = placesOf.slice(0, classes);
  return {
    classes,
    icons: Int32Array.from(chosen.flat()),
    labels: Int32Array.from(chosen.flatMap((places, label) => places.map(() => label))),
  };
}

function searchTask(placesOf: readonly number[][], first: number, end: number): SearchTask {
  const lists = placesOf.slice(first, end);
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((places, i) => {
    offsets[i + 1] = offsets[i]! + places.length;
  });
  return {
    queries: Int32Array.from(lists, (_, i) => first + i),
    positives: { offsets, keys: Int32Array.from(lists.flat()) },
  };
}
