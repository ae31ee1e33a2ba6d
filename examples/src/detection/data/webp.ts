/** Writes pictures of scenes as WebP, by the drawing program. Refuses pictures that are not square. */

import { loadSharp } from '../../icons/data/sharp.js';
import type { EncodePicture } from '../page/build-page.js';

const quality = 82;

/** @param home The folder `examples/detection`, with packages. */
export function encodeWebp(home: string): EncodePicture {
  const sharp = loadSharp(home);
  return (pixels, side) =>
    sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .webp({ quality })
      .toBuffer();
}
