/**
 * Draws icons as 32 x 32 pixels of ink: 0 is paper, 255 is full ink. Many icons are drawn on one sheet, because a
 * call of the drawing program takes longer than an icon. Refuses colours: everything is black on white.
 */

import type { Drawing } from './icon-set.js';

export const imageSize = 32;
export const imagePixels = imageSize * imageSize;
/** Changes when the pixels of the same icon would change. Caches of other versions are drawn again. */
export const drawingVersion = 1;
/** Icons side by side on a sheet, and rows of them. */
const sheetSide = 16;
export const sheetIcons = sheetSide * sheetSide;

/** From an SVG document to its grey pixels, 255 is white, row by row. Rejects where the document cannot be drawn. */
export type Rasterise = (svg: string) => Promise<Uint8Array>;

/**
 * Ink of at most {@link sheetIcons} icons, uint8 [icons x 32 x 32]. An icon that cannot be drawn is empty.
 */
export async function drawSheet(icons: readonly Drawing[], rasterise: Rasterise): Promise<Uint8Array> {
  try {
    return cut(await rasterise(sheetOf(icons)), icons.length);
  } catch (error) {
    // one bad icon spoils a sheet: each is drawn alone, and only the bad one is left empty
    if (icons.length === 1) return new Uint8Array(imagePixels);
    if (icons.length === 0) throw error;
    const pixels = new Uint8Array(icons.length * imagePixels);
    for (const [i, icon] of icons.entries()) pixels.set(await drawSheet([icon], rasterise), i * imagePixels);
    return pixels;
  }
}

/** One SVG document with all icons, {@link sheetSide} in a row. */
export function sheetOf(icons: readonly Drawing[]): string {
  const width = Math.min(sheetSide, icons.length) * imageSize;
  const height = Math.ceil(icons.length / sheetSide) * imageSize;
  const drawn = icons.map(({ body, box }, i) => {
    const x = (i % sheetSide) * imageSize;
    const y = Math.floor(i / sheetSide) * imageSize;
    return `<svg x="${x}" y="${y}" width="${imageSize}" height="${imageSize}" viewBox="${box.join(' ')}">${withOwnIds(body, i)}</svg>`;
  });
  const names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
  return `<svg ${names} width="${width}" height="${height}" color="#000">${drawn.join('')}</svg>`;
}

/** Icons of one sheet share a document, in which an id may stand once. */
function withOwnIds(body: string, icon: number): string {
  return body.replace(/(\bid="|url\(#|href="#)/g, (start) => `${start}i${icon}-`);
}

/** A sheet of grey pixels to the ink of each icon. */
function cut(sheet: Uint8Array, icons: number): Uint8Array {
  const columns = Math.min(sheetSide, icons);
  const width = columns * imageSize;
  const expected = width * Math.ceil(icons / sheetSide) * imageSize;
  if (sheet.length !== expected) {
    throw new RangeError(`Expected ${expected} grey pixels but received ${sheet.length}`);
  }
  const pixels = new Uint8Array(icons * imagePixels);
  for (let i = 0; i < icons; i++) {
    const left = (i % sheetSide) * imageSize;
    const top = Math.floor(i / sheetSide) * imageSize;
    for (let y = 0; y < imageSize; y++) {
      for (let x = 0; x < imageSize; x++) {
        pixels[i * imagePixels + y * imageSize + x] = 255 - sheet[(top + y) * width + left + x]!;
      }
    }
  }
  return pixels;
}
