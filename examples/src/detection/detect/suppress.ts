/**
 * Keeps one window of each thing: the one most surely on a thing goes first, and takes those away that share
 * too much with it. Refuses to look at labels: a thing is one thing, whatever its name.
 */

import { area, type Box, overlap } from '../scenes/boxes.js';

export interface SuppressOptions {
  /** Intersection over union from which on two windows show one thing. */
  shared: number;
  /**
   * The same for the part of the smaller window that lies in the other: a wheel is no thing beside its car.
   */
  contained: number;
  most: number;
}

/**
 * Numbers of the kept boxes, the surest first.
 * @param order Numbers of boxes, the surest first.
 */
export function suppress(boxes: readonly Box[], order: Int32Array, options: SuppressOptions): number[] {
  const { shared, contained, most } = options;
  const kept: number[] = [];
  for (const i of order) {
    if (kept.length === most) break;
    const box = boxes[i]!;
    const covered = kept.some((k) => {
      const other = boxes[k]!;
      const both = overlap(box, other);
      const smaller = Math.min(area(box), area(other));
      return both > contained * smaller || both > shared * (area(box) + area(other) - both);
    });
    if (!covered) kept.push(i);
  }
  return kept;
}
