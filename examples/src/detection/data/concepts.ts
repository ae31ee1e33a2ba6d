/**
 * What a scene may show: emoji of five groups with their English names and tags, out of the package
 * `emojibase-data`, and which icon of a set draws each of them. Refuses faces, people, flags and signs: they
 * look alike or say nothing.
 */

import { join } from 'node:path';
import { readJson } from '../../icons/data/icon-set.js';
import { Random } from '../../random.js';

export interface Concept {
  /** Code points in hexadecimal, in lower case, joined by "-", without the variation selector. */
  code: string;
  /** The English name. */
  label: string;
  /** Other words for it. */
  tags: readonly string[];
}

interface EmojiEntry {
  hexcode: string;
  label: string;
  tags?: string[];
  group?: number;
}

/** emojibase's numbers for animals and nature, food and drink, travel and places, activities, objects. */
const takenGroups = new Set([3, 4, 5, 6, 7]);
/** Twenty-four faces of a clock differ in two hands. */
const clockFace = /o’clock|o'clock|-thirty$/;
const mostTags = 7;
/** A concept needs drawings in so many of the training styles. */
const leastStyles = 3;
/** So many concepts are never in a training scene. */
const mostNovel = 93;
/** Fixed, unlike the seed of a run: all runs ask the same questions. */
const novelSeed = 77;

/** All candidates in the order of their codes. @param home The folder `examples/detection`, with packages. */
export function readConcepts(home: string): Concept[] {
  const path = join(home, 'node_modules', 'emojibase-data', 'en', 'data.json');
  return conceptsOf(readJson<EmojiEntry[]>(path));
}

export function conceptsOf(entries: readonly EmojiEntry[]): Concept[] {
  return entries
    .filter(({ group, label }) => group !== undefined && takenGroups.has(group) && !clockFace.test(label))
    .map(({ hexcode, label, tags = [] }) => ({
      code: plainCode(hexcode),
      label: label.toLowerCase(),
      tags: tags.filter((tag) => tag !== label).slice(0, mostTags),
    }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** One way to write a code: sets differ in case and in the variation selector. */
export function plainCode(code: string): string {
  return code.toLowerCase().replaceAll('-fe0f', '');
}

/**
 * The icon of a set for each concept, by code point, else by name; undefined where the set has none. Some
 * sets know no code points, but call an icon as others do.
 * @param codes For the set and others, the best first: from code points to names of icons, as `chars.json`
 * has them.
 */
export function iconsFor(
  concepts: readonly Concept[],
  codes: readonly Readonly<Record<string, string>>[],
  names: ReadonlySet<string>,
): (string | undefined)[] {
  const byCode = codes.map(
    (own) => new Map(Object.entries(own).map(([code, name]) => [plainCode(code), name])),
  );
  return concepts.map(({ code, label }) => {
    const candidates = [...byCode.map((own) => own.get(code)), nameOf(label)];
    return candidates.find((name) => name !== undefined && names.has(name));
  });
}

function nameOf(label: string): string {
  return label.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

/**
 * Numbers of the concepts that the unseen style draws, and enough training styles with it.
 * @param drawn For each style, whether it draws each concept.
 */
export function usableConcepts(
  training: readonly (readonly boolean[])[],
  unseen: readonly boolean[],
): number[] {
  return Array.from(unseen.keys()).filter(
    (i) => unseen[i] && training.filter((style) => style[i]).length >= leastStyles,
  );
}

/** Which of so many concepts are novel: never in a training scene. At most a sixth of all. */
export function novelConcepts(concepts: number): Uint8Array {
  const novel = new Uint8Array(concepts);
  const order = new Random(novelSeed).permutation(concepts);
  for (const concept of order.subarray(0, Math.min(mostNovel, Math.floor(concepts / 6)))) novel[concept] = 1;
  return novel;
}
