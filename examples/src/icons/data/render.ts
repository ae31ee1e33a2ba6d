/**
 * Draws icons as 32 x 32 pixels of ink: 0 is paper, 255 is full ink. Many icons are drawn on one sheet,
 * because a call of the drawing program takes longer than an icon. Pictures of another form, such as colours,
 * name their form.
 */

import type { Drawing } from './icon-set.js';

export const imageSize = 32;
export const imagePixels = imageSize * imageSize;
/** Changes when the pixels of the same icon would change. Caches of other versions are drawn again. */
export const drawingVersion = 1;
/** Icons side by side on a sheet, and rows of them. */
const sheetSide = 16;
export const sheetIcons = sheetSide * sheetSide;

/** What the bytes of a picture are. */
export interface PictureForm {
  /** Pixels along a side. */
  side: number;
  /** Bytes of a pixel, as the drawing program gives them. */
  channels: number;
  /** Whether 255 of the drawing program becomes 0: white paper is no ink. */
  inverted: boolean;
  /** Changes when the bytes of the same icon would change. Caches of other versions are drawn again. */
  version: number | string;
}

/** One byte of ink a pixel. */
export const inkForm: PictureForm = {
  side: imageSize,
  channels: 1,
  inverted: true,
  version: drawingVersion,
};

export const pictureBytes = ({ side, channels }: PictureForm): number => side * side * channels;

/**
 * From an SVG document to its pixels, 255 is white, row by row. Rejects where the document cannot be drawn.
 */
export type Rasterise = (svg: string) => Promise<Uint8Array>;

/**
 * Pictures of at most {@link sheetIcons} icons, uint8 [icons x side x side x channels]: by default their ink.
 * An icon that cannot be drawn is empty.
 */
export async function drawSheet(
  icons: readonly Drawing[],
  rasterise: Rasterise,
  form: PictureForm = inkForm,
): Promise<Uint8Array> {
  const bytes = pictureBytes(form);
  try {
    return cut(await rasterise(sheetOf(icons, form.side)), icons.length, form);
  } catch (error) {
    // one bad icon spoils a sheet: each is drawn alone, and only the bad one is left empty
    if (icons.length === 1) return new Uint8Array(bytes);
    if (icons.length === 0) throw error;
    const pixels = new Uint8Array(icons.length * bytes);
    for (const [i, icon] of icons.entries()) pixels.set(await drawSheet([icon], rasterise, form), i * bytes);
    return pixels;
  }
}

/** One SVG document with all icons, {@link sheetSide} in a row. @param side Of an icon, in pixels. */
export function sheetOf(icons: readonly Drawing[], side = imageSize): string {
  const width = Math.min(sheetSide, icons.length) * side;
  const height = Math.ceil(icons.length / sheetSide) * side;
  const drawn = icons.map(({ body, box }, i) => {
    const x = (i % sheetSide) * side;
    const y = Math.floor(i / sheetSide) * side;
    return `<svg x="${x}" y="${y}" width="${side}" height="${side}" viewBox="${box.join(' ')}">${withOwnIds(body, i)}</svg>`;
  });
  const names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
  return `<svg ${names} width="${width}" height="${height}" color="#000">${drawn.join('')}</svg>`;
}

/** Icons of one sheet share a document, in which an id may stand once. */
function withOwnIds(body: string, icon: number): string {
  return body.replace(/(\bid="|url\(#|href="#)/g, (start) => `${start}i${icon}-`);
}

/** A sheet of pixels to the picture of each icon. */
function cut(sheet: Uint8Array, icons: number, form: PictureForm): Uint8Array {
  const { side, channels, inverted } = form;
  const columns = Math.min(sheetSide, icons);
  const width = columns * side;
  const expected = width * Math.ceil(icons / sheetSide) * side * channels;
  if (sheet.length !== expected) {
    throw new RangeError(`Expected ${expected} bytes of pixels but received ${sheet.length}`);
  }
  const pixels = new Uint8Array(icons * pictureBytes(form));
  const line = side * channels;
  for (let i = 0; i < icons; i++) {
    const left = (i % sheetSide) * side;
    const top = Math.floor(i / sheetSide) * side;
    for (let y = 0; y < side; y++) {
      const from = ((top + y) * width + left) * channels;
      pixels.set(sheet.subarray(from, from + line), (i * side + y) * line);
    }
  }
  return inverted ? pixels.map((value) => 255 - value) : pixels;
}
