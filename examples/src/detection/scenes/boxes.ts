/** Boxes in pixels of a scene, and how much two of them share. Refuses to know what is in a box. */

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function area({ left, top, right, bottom }: Box): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/** Area that both have. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Intersection over union, from 0 to 1. */
export function iou(a: Box, b: Box): number {
  const both = overlap(a, b);
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}

/** The part of the smaller box that lies in the other, from 0 to 1. */
export function containment(a: Box, b: Box): number {
  const both = overlap(a, b);
  return both === 0 ? 0 : both / Math.min(area(a), area(b));
}
