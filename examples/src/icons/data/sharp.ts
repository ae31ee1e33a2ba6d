/**
 * The drawing program of `examples/icons`, sharp, behind the two functions that the demo needs. Refuses to be
 * loaded before it is installed: the clone itself does not have it.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DrawPicture } from './own-pictures.js';
import { imageSize, type Rasterise } from './render.js';

/** The part of sharp that is used. */
export interface Sharp {
  (input: Buffer | string | Uint8Array, options?: object): SharpImage;
  cache(on: boolean): void;
}

export interface SharpImage {
  rotate(): SharpImage;
  resize(options: object): SharpImage;
  flatten(options: { background: string }): SharpImage;
  toColourspace(name: 'b-w'): SharpImage;
  joinChannel(channel: Buffer, options: object): SharpImage;
  raw(): SharpImage;
  ensureAlpha(): SharpImage;
  png(): SharpImage;
  webp(options: { quality: number }): SharpImage;
  toBuffer(): Promise<Buffer>;
}

const white = '#fff';

/** @param home A folder whose packages include sharp. */
export function loadSharp(home: string): Sharp {
  const sharp = createRequire(join(home, 'package.json'))('sharp') as Sharp;
  sharp.cache(false);
  return sharp;
}

/** Draws documents of icons. @param home The folder `examples/icons`. */
export function sharpRasterise(home: string): Rasterise {
  const sharp = loadSharp(home);
  return async (svg) =>
    sharp(Buffer.from(svg)).flatten({ background: white }).toColourspace('b-w').raw().toBuffer();
}

/** Draws pictures of any size and form, whole, on white. The markup is their ink, for a mask. */
export function sharpDraw(home: string): DrawPicture {
  const sharp = loadSharp(home);
  return async (path) => {
    const size = { width: imageSize, height: imageSize, fit: 'contain', background: white };
    const picture = sharp(path).rotate().flatten({ background: white }).resize(size);
    const ink = (await picture.toColourspace('b-w').raw().toBuffer()).map((grey) => 255 - grey);
    const raw = { raw: { width: imageSize, height: imageSize, channels: 1 } };
    const black = Buffer.alloc(ink.length);
    const png = await sharp(black, raw)
      .toColourspace('b-w')
      .joinChannel(Buffer.from(ink), raw)
      .png()
      .toBuffer();
    const href = `data:image/png;base64,${png.toString('base64')}`;
    return { ink, body: `<image width="${imageSize}" height="${imageSize}" href="${href}"/>` };
  };
}
