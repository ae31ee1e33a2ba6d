/**
 * Made-up icons for tests: bars of some directions, lengths and places, drawn in two "sets" that differ in the
 * width of a line. Refuses to say anything about accuracy on real icons.
 */

import { type Collection, collect } from '../../src/icons/data/collection.js';
import type { IconSet } from '../../src/icons/data/icon-set.js';
import { imagePixels, imageSize } from '../../src/icons/data/render.js';

const directions = ['flat', 'steep', 'rising', 'falling'] as const;
const places = ['left', 'right', 'top', 'bottom', 'middle'] as const;
const sizes = ['tiny', 'small', 'large', 'huge'] as const;

const slopes = { flat: [1, 0], steep: [0, 1], rising: [1, -1], falling: [1, 1] } as const;
const centres = {
  left: [10, 16],
  right: [22, 16],
  top: [16, 10],
  bottom: [16, 22],
  middle: [16, 16],
} as const;
const lengths = { tiny: 4, small: 6, large: 8, huge: 10 } as const;

/** All combinations: 80 captions of three words. */
const figures = directions.flatMap((direction) =>
  places.flatMap((place) => sizes.map((size) => ({ direction, place, size }))),
);

/** Ink of a bar, 255 near its middle line, less further away. @param width Half of the bar's width, in pixels. */
function bar({ direction, place, size }: (typeof figures)[number], width: number): Uint8Array {
  const [dx, dy] = slopes[direction];
  const [cx, cy] = centres[place];
  const norm = Math.hypot(dx, dy);
  const ink = new Uint8Array(imagePixels);
  for (let y = 0; y < imageSize; y++) {
    for (let x = 0; x < imageSize; x++) {
      const along = ((x - cx) * dx + (y - cy) * dy) / norm;
      const across = ((x - cx) * dy - (y - cy) * dx) / norm;
      const beyond = Math.max(Math.abs(along) - lengths[size], Math.abs(across) - width);
      ink[y * imageSize + x] = Math.round(255 * Math.min(1, Math.max(0, 1 - beyond)));
    }
  }
  return ink;
}

function toySet(name: string, width: number): { set: IconSet; ink: Uint8Array } {
  const icons = figures.map(({ direction, place, size }) => ({
    name: `${direction}-${place}-${size}`,
    caption: `${direction} ${place} ${size}`,
    body: `<path d="M${direction.length} ${place.length}h${size.length}" stroke="currentColor" stroke-width="${width}"/>`,
    box: [0, 0, 24, 24] as const,
  }));
  const ink = new Uint8Array(icons.length * imagePixels);
  for (const [i, figure] of figures.entries()) ink.set(bar(figure, width), i * imagePixels);
  const about = { title: `Toy ${name}`, author: 'nobody', licence: 'MIT', version: '1.0.0' };
  return { set: { name, ...about, icons }, ink };
}

/** Four widths to train on, and a fifth that is unseen. */
export const toyParts = [
  toySet('thin', 1),
  toySet('light', 1.5),
  toySet('bold', 2.5),
  toySet('black', 3),
  toySet('unseen', 2),
];

export const toyCollection: Collection = collect(toyParts, 'unseen');
