/**
 * Captioned pictures: each drawing alone on a texture, in a few variations. Novel concepts are known from
 * these only. The texture matters: on plain paper, a thing of a novel concept in a scene would look like
 * nothing known.
 */

import { breathe } from '../../breathe.js';
import { Random } from '../../random.js';
import { type Emoji, pictureOf } from '../data/emoji.js';
import { RegionList, type RegionRows } from '../features/region-rows.js';
import { squareSide, squaresOf } from '../features/squares.js';
import { copyWindow, windowFeatures, windowSide } from '../features/windows.js';
import { variedLook } from '../scenes/look.js';
import { makeSprite, paste } from '../scenes/sprite.js';
import { texture } from '../scenes/texture.js';

/** One square of ground around the window: histograms look at their neighbours. */
const pictureSide = windowSide + 2 * squareSide;
/** Of the longer side of a drawing, beside that of the window. */
const smallest = 0.78;
const largest = 1.18;
/** Largest shift from the middle, in pixels. */
const shift = 3;

/** @param times Variations of each drawing. */
export async function captionedPictures(
  { concepts, training }: Emoji,
  times: number,
  { seed, signal }: { seed: number; signal?: AbortSignal },
): Promise<RegionRows> {
  const random = Random.stream(seed, 21);
  const list = new RegionList();
  for (const style of training) {
    for (const concept of concepts.keys()) {
      if (style.rowOf[concept]! < 0) continue;
      if (list.length % 64 < times) await breathe(signal);
      const drawing = pictureOf(style, concept);
      for (let i = 0; i < times; i++) list.add(variation(drawing, random), concept);
    }
  }
  return list.toRows();
}

function variation(drawing: Uint8Array, random: Random): Uint8Array {
  const longer = windowSide * (smallest + (largest - smallest) * random.uniform());
  const sprite = makeSprite(drawing, variedLook(longer, random));
  const picture = texture(pictureSide, random);
  const { left, top, right, bottom } = sprite.box;
  const around = () => Math.round(shift * (2 * random.uniform() - 1));
  const x = Math.round((pictureSide - left - right) / 2) + around();
  const y = Math.round((pictureSide - top - bottom) / 2) + around();
  paste(picture, sprite, x, y);
  const features = new Uint8Array(windowFeatures);
  copyWindow(squaresOf(picture), { row: 1, column: 1 }, features);
  return features;
}
