/**
 * All drawings of a run: for each style and concept a picture of 64 x 64 pixels in colours and opacity.
 * Refuses drawings with almost nothing on them.
 */

import type { IconSet } from '../../icons/data/icon-set.js';
import { type PictureForm, pictureBytes } from '../../icons/data/render.js';
import type { Concept } from './concepts.js';

export const emojiSide = 64;

/** Red, green, blue and opacity, row by row. */
export const colourForm: PictureForm = {
  side: emojiSide,
  channels: 4,
  inverted: false,
  version: 'colours 1',
};

const bytesEach = pictureBytes(colourForm);
/** A drawing with less opacity in all is blank: 255 is one opaque pixel. */
const leastOpacity = 255 * 64;

export interface Style extends Omit<IconSet, 'icons'> {
  /** The row of each concept in `pictures`, or -1. */
  rowOf: Int32Array;
  /** Uint8 [rows x 64 x 64 x 4]; colours are already multiplied by opacity. */
  pictures: Uint8Array;
}

export interface Emoji {
  concepts: Concept[];
  /** 1 for concepts that no training scene shows. */
  novel: Uint8Array;
  training: Style[];
  unseen: Style;
}

/** The picture of a concept in a style. Throws RangeError where the style has none. */
export function pictureOf({ name, rowOf, pictures }: Style, concept: number): Uint8Array {
  const row = rowOf[concept]!;
  if (row < 0) throw new RangeError(`Expected a drawing of concept ${concept} in ${name} but there is none`);
  return pictures.subarray(row * bytesEach, (row + 1) * bytesEach);
}

/**
 * A style from drawn pictures.
 * @param rows The row of each concept in `drawn`, or -1.
 * @param drawn As the drawing program gives them; multiplied by opacity in place.
 */
export function styleOf({ icons: _, ...about }: IconSet, rows: Int32Array, drawn: Uint8Array): Style {
  multiplyByOpacity(drawn);
  const rowOf = rows.map((row) => (row >= 0 && opacityOf(drawn, row) >= leastOpacity ? row : -1));
  return { ...about, rowOf, pictures: drawn };
}

/** Averages of neighbouring pixels are right for such colours only. */
function multiplyByOpacity(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 4) {
    const opacity = pixels[i + 3]!;
    if (opacity === 255) continue;
    for (let c = i; c < i + 3; c++) pixels[c] = Math.round((pixels[c]! * opacity) / 255);
  }
}

function opacityOf(pixels: Uint8Array, row: number): number {
  let sum = 0;
  for (let i = row * bytesEach + 3; i < (row + 1) * bytesEach; i += 4) sum += pixels[i]!;
  return sum;
}
