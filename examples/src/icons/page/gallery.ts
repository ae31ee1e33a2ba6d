/**
 * Which icons the page shows: one of each caption and set, without brands. Refuses to rank them; that is the page's
 * own work.
 */

import type { Collection } from '../data/collection.js';

/** As many as fit into the page beside the text encoder. */
export const mostGalleryIcons = 18_000;
/** Names of companies say nothing of what is seen, and crowd the answers. */
const brand = /^(brand|logo)-|-logo(-|$)/;

/**
 * Numbers of icons: first those of the unseen set, then sets in the order of `shown`, at most `most` in all.
 * @param sets Names of sets to show beside the unseen one; those that the collection lacks are passed over.
 */
export function galleryOf(
  { sets, icons, unseen, train }: Collection,
  most: number,
  shown: readonly string[],
): Int32Array {
  const order = (icon: number) => shown.indexOf(sets[icons[icon]!.set]!.name);
  const others = Array.from(train)
    .filter((icon) => order(icon) >= 0)
    .sort((a, b) => order(a) - order(b) || a - b);
  return Int32Array.from([...onePerCaption(icons, unseen), ...onePerCaption(icons, others)].slice(0, most));
}

/** Of icons with equal set and caption the one with the shortest name, which is the plainest style. */
function onePerCaption(icons: Collection['icons'], numbers: Iterable<number>): number[] {
  const chosen = new Map<string, number>();
  for (const number of numbers) {
    const { name, caption, set } = icons[number]!;
    if (brand.test(name)) continue;
    const key = `${set} ${caption}`;
    const before = chosen.get(key);
    if (before === undefined || name.length < icons[before]!.name.length) chosen.set(key, number);
  }
  return [...chosen.values()];
}
