/**
 * All icons of a run in one list, with their ink: which ones train, which ones are unseen, and what their captions
 * are. Refuses blank icons, and training icons that look like an unseen one.
 */

import { withoutCopies } from './duplicates.js';
import type { Icon, IconSet } from './icon-set.js';
import { imagePixels } from './render.js';

/** An icon with less ink in all (255 is one black pixel) is blank: an empty spacer, or one that could not be drawn. */
const leastInk = 2000;

export interface CollectedIcon extends Icon {
  /** Number of its set in {@link Collection.sets}. */
  set: number;
}

export interface Collection {
  sets: Omit<IconSet, 'icons'>[];
  icons: CollectedIcon[];
  /** Uint8 [icons x 32 x 32], 255 is full ink. */
  ink: Uint8Array;
  /** Numbers of icons to train on. */
  train: Int32Array;
  /** Numbers of the icons of the unseen set. */
  unseen: Int32Array;
  /** Distinct captions of the training icons, the commonest first, among equal ones by the alphabet. */
  captions: string[];
  /** The place of each training icon's caption in `captions`, in the order of `train`. */
  captionOf: Int32Array;
  /** Training icons that were left out because an unseen one looks alike. */
  copies: number;
}

/** @param unseen The name of the set that is only for tests. */
export function collect(parts: readonly { set: IconSet; ink: Uint8Array }[], unseen: string): Collection {
  const icons: CollectedIcon[] = [];
  const kept: Uint8Array[] = [];
  parts.forEach(({ set, ink }, number) => {
    set.icons.forEach((icon, i) => {
      const own = ink.subarray(i * imagePixels, (i + 1) * imagePixels);
      if (own.reduce((sum, value) => sum + value, 0) < leastInk) return;
      icons.push({ ...icon, set: number });
      kept.push(own);
    });
  });
  const ink = new Uint8Array(icons.length * imagePixels);
  for (const [i, own] of kept.entries()) ink.set(own, i * imagePixels);
  const isUnseen = (icon: number) => parts[icons[icon]!.set]!.set.name === unseen;
  const all = Int32Array.from(icons, (_, i) => i);
  const tests = all.filter(isUnseen);
  const others = all.filter((icon) => !isUnseen(icon));
  const train = withoutCopies(ink, others, tests);
  const { captions, captionOf } = captionsOf(icons, train);
  const sets = parts.map(({ set: { icons: _, ...about } }) => about);
  return {
    sets,
    icons,
    ink,
    train,
    unseen: tests,
    captions,
    captionOf,
    copies: others.length - train.length,
  };
}

function captionsOf(icons: readonly Icon[], rows: Int32Array): Pick<Collection, 'captions' | 'captionOf'> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const { caption } = icons[row]!;
    counts.set(caption, (counts.get(caption) ?? 0) + 1);
  }
  const captions = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1));
  const places = new Map(captions.map((caption, place) => [caption, place]));
  return { captions, captionOf: Int32Array.from(rows, (row) => places.get(icons[row]!.caption)!) };
}
