/**
 * Finds training icons that look like an icon of the unseen set: sets copy each other, and a copy of a test icon
 * must not be trained on. Compares coarse pictures, and refuses to look closer: a near miss costs a training icon,
 * not an honest figure.
 */

import { imagePixels, imageSize } from './render.js';

const coarseSide = 8;
const patch = imageSize / coarseSide;
/** Width of a step of grey, of 255. */
const step = 24;

/** The picture's 8 x 8 means in steps of 24, as a string to compare. @param ink Uint8 [32 x 32]. */
export function coarsePicture(ink: Uint8Array): string {
  const codes = new Uint8Array(coarseSide * coarseSide);
  for (let row = 0; row < coarseSide; row++) {
    for (let column = 0; column < coarseSide; column++) {
      let sum = 0;
      for (let y = row * patch; y < (row + 1) * patch; y++) {
        for (let x = column * patch; x < (column + 1) * patch; x++) sum += ink[y * imageSize + x]!;
      }
      codes[row * coarseSide + column] = Math.floor(sum / (patch * patch) / step);
    }
  }
  return String.fromCharCode(...codes);
}

/** Those of `candidates` whose coarse picture no picture of `others` has. Both are numbers of pictures in `ink`. */
export function withoutCopies(ink: Uint8Array, candidates: Int32Array, others: Int32Array): Int32Array {
  const pictureOf = (icon: number) =>
    coarsePicture(ink.subarray(icon * imagePixels, (icon + 1) * imagePixels));
  const taken = new Set(Array.from(others, pictureOf));
  return candidates.filter((icon) => !taken.has(pictureOf(icon)));
}
