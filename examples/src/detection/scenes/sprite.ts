/**
 * A drawing as it is put into a scene: at some size, and for training turned, mirrored, stretched and tinted
 * a little. Refuses to choose these; see `look.ts`.
 */

import { emojiSide } from '../data/emoji.js';
import type { Box } from './boxes.js';
import type { Picture } from './picture.js';

export interface Look {
  /** The longer side of the drawing, in pixels. */
  longer: number;
  /** In radians. */
  turn: number;
  mirrored: boolean;
  /** Width over height, beside that of the drawing itself. */
  stretch: number;
  /** Each colour becomes gain · colour + lift. */
  gain: readonly [number, number, number];
  lift: number;
}

export interface Sprite {
  width: number;
  height: number;
  /** Float32 [height x width x 4]; colours are already multiplied by opacity. */
  data: Float32Array;
  /** The drawing within these pixels, tight. */
  box: Box;
}

/** A pixel belongs to the drawing from this opacity on. */
const leastOpacity = 0.3;

/** @param pixels Uint8 [64 x 64 x 4], colours multiplied by opacity. */
export function makeSprite(pixels: Uint8Array, look: Look): Sprite {
  const { cos, sin, abs, ceil, sqrt } = Math;
  const source = boundsOf(emojiSide, emojiSide, (at) => pixels[4 * at + 3]! >= 255 * leastOpacity);
  const stretch = sqrt(look.stretch);
  const wide = (source.right - source.left) * stretch;
  const high = (source.bottom - source.top) / stretch;
  const scale = look.longer / Math.max(wide, high);
  const [c, s] = [cos(look.turn), sin(look.turn)];
  const width = ceil(scale * (wide * abs(c) + high * abs(s))) + 2;
  const height = ceil(scale * (wide * abs(s) + high * abs(c))) + 2;
  // two source pixels a pixel and more are read from a picture of half the side
  const half = scale < 0.7;
  const level = half ? halved(pixels) : pixels;
  const side = half ? emojiSide / 2 : emojiSide;
  const perPixel = (half ? 0.5 : 1) / scale;
  const centre = [
    (half ? 0.5 : 1) * ((source.left + source.right) / 2),
    (half ? 0.5 : 1) * ((source.top + source.bottom) / 2),
  ];
  const data = new Float32Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = x + 0.5 - width / 2;
      const dy = y + 0.5 - height / 2;
      const along = ((c * dx + s * dy) * perPixel) / stretch;
      const down = (-s * dx + c * dy) * perPixel * stretch;
      const sourceX = centre[0]! + (look.mirrored ? -along : along) - 0.5;
      sample(level, side, sourceX, centre[1]! + down - 0.5, data, (y * width + x) * 4);
    }
  }
  tint(data, look);
  return { width, height, data, box: boundsOf(width, height, (at) => data[4 * at + 3]! >= leastOpacity) };
}

/** Lays the sprite over the picture, its first pixel at these coordinates. What lies outside is cut off. */
export function paste({ width, height, data }: Picture, sprite: Sprite, left: number, top: number): void {
  for (let y = Math.max(0, -top); y < Math.min(sprite.height, height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(sprite.width, width - left); x++) {
      const from = (y * sprite.width + x) * 4;
      const to = ((top + y) * width + left + x) * 3;
      const through = 1 - sprite.data[from + 3]!;
      for (let c = 0; c < 3; c++) data[to + c] = data[to + c]! * through + sprite.data[from + c]!;
    }
  }
}

/** The smallest box around the pixels that belong; the whole area where none does. */
export function boundsOf(width: number, height: number, belongs: (at: number) => boolean): Box {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!belongs(y * width + x)) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      bottom = y + 1;
    }
  }
  return right === 0 ? { left: 0, top: 0, right: width, bottom: height } : { left, top, right, bottom };
}

/** Means of 2 x 2 pixels. */
function halved(pixels: Uint8Array): Uint8Array {
  const side = emojiSide / 2;
  const result = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (2 * y * emojiSide + 2 * x) * 4;
      const below = from + emojiSide * 4;
      for (let c = 0; c < 4; c++) {
        const sum = pixels[from + c]! + pixels[from + 4 + c]! + pixels[below + c]! + pixels[below + 4 + c]!;
        result[(y * side + x) * 4 + c] = (sum + 2) >> 2;
      }
    }
  }
  return result;
}

/** Bilinear, with nothing beyond the border. Writes four numbers from 0 to 1. */
function sample(
  pixels: Uint8Array,
  side: number,
  x: number,
  y: number,
  target: Float32Array,
  at: number,
): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < -1 || top < -1 || left >= side || top >= side) return;
  for (let dy = 0; dy < 2; dy++) {
    const row = top + dy;
    if (row < 0 || row >= side) continue;
    for (let dx = 0; dx < 2; dx++) {
      const column = left + dx;
      if (column < 0 || column >= side) continue;
      const weight = (dx === 0 ? 1 - (x - left) : x - left) * (dy === 0 ? 1 - (y - top) : y - top);
      const from = (row * side + column) * 4;
      for (let c = 0; c < 4; c++) target[at + c]! += (weight * pixels[from + c]!) / 255;
    }
  }
}

function tint(data: Float32Array, { gain, lift }: Look): void {
  if (lift === 0 && gain.every((value) => value === 1)) return;
  for (let i = 0; i < data.length; i += 4) {
    const opacity = data[i + 3]!;
    for (let c = 0; c < 3; c++)
      data[i + c] = Math.max(0, Math.min(opacity, gain[c]! * data[i + c]! + lift * opacity));
  }
}
