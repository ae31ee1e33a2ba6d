/**
 * Windows over a scene: squares of five sizes at steps of an eighth of their side. The scene is resized until
 * a window has 32 pixels, so that windows of one size share their squares. Refuses to say what a window
 * shows.
 */

import type { Box } from '../scenes/boxes.js';
import { type Picture, resized } from '../scenes/picture.js';
import { sceneSide } from '../scenes/scene.js';
import { type Squares, squareLength, squareSide, squaresOf } from './squares.js';

/** Of a window, in pixels of the scene. */
const windowSizes = [24, 30, 38, 48, 60];
/** Squares along a window. */
export const windowSquares = 8;
/** Pixels along a window, once the scene is resized. */
export const windowSide = windowSquares * squareSide;
/** Numbers of a window's features: 8 x 8 squares of 12. */
export const windowFeatures = windowSquares * windowSquares * squareLength;

export interface WindowPlace {
  level: number;
  /** First row and column of squares, at this level. */
  row: number;
  column: number;
  /** In pixels of the scene. */
  box: Box;
}

const sideAt = (size: number) => Math.round((sceneSide * windowSide) / size);

function placesOfLevel(size: number, level: number): WindowPlace[] {
  const side = sideAt(size);
  const squares = Math.floor(side / squareSide);
  const pixel = sceneSide / side;
  const places: WindowPlace[] = [];
  for (let row = 0; row + windowSquares <= squares; row++) {
    for (let column = 0; column + windowSquares <= squares; column++) {
      const left = column * squareSide * pixel;
      const top = row * squareSide * pixel;
      const box = { left, top, right: left + windowSide * pixel, bottom: top + windowSide * pixel };
      places.push({ level, row, column, box });
    }
  }
  return places;
}

/** All windows of a scene, the same for each scene. */
export const windowPlaces: readonly WindowPlace[] = windowSizes.flatMap(placesOfLevel);

/** The squares of a scene, one level for each size of windows. */
export function pyramidOf(picture: Picture): Squares[] {
  return windowSizes.map((size) => squaresOf(resized(picture, sideAt(size))));
}

/** Copies the features of the window that begins at these squares. @param at Where in `target`. */
export function copyWindow(
  { columns, data }: Squares,
  { row, column }: Pick<WindowPlace, 'row' | 'column'>,
  target: Uint8Array,
  at = 0,
): void {
  const length = windowSquares * squareLength;
  for (let r = 0; r < windowSquares; r++) {
    const from = ((row + r) * columns + column) * squareLength;
    target.set(data.subarray(from, from + length), at + r * length);
  }
}
