/**
 * Fixed features of a picture, in squares of 4 x 4 pixels: a histogram of 9 directions of edges (Dalal and
 * Triggs 2005) and the mean colour. Windows that overlap share squares. Nothing is learnt here.
 */

import type { Picture } from '../scenes/picture.js';

/** Side of a square, in pixels. */
export const squareSide = 4;
const bins = 9;
/** Numbers of a square: directions, then red, green, blue. */
export const squareLength = bins + 3;
/** Keeps a histogram of nearly empty surroundings from being blown up. */
const leastEnergy = 0.5;

export interface Squares {
  rows: number;
  columns: number;
  /** Uint8 [rows x columns x 12], 255 for 1. */
  data: Uint8Array;
}

/** Pixels at the right and lower border that fill no square are left out. */
export function squaresOf(picture: Picture): Squares {
  const rows = Math.floor(picture.height / squareSide);
  const columns = Math.floor(picture.width / squareSide);
  const histograms = new Float32Array(rows * columns * bins);
  addDirections(picture, { rows, columns }, histograms);
  const data = new Uint8Array(rows * columns * squareLength);
  writeDirections(histograms, { rows, columns, data });
  writeColours(picture, { rows, columns, data });
  return { rows, columns, data };
}

/**
 * The gradient of a pixel is that of the colour in which it is longest. It votes for the two nearest
 * directions with its length.
 */
function addDirections(
  { width, height, data }: Picture,
  { rows, columns }: Pick<Squares, 'rows' | 'columns'>,
  histograms: Float32Array,
): void {
  const line = width * 3;
  for (let y = 0; y < rows * squareSide; y++) {
    const up = y > 0 ? -line : 0;
    const down = y + 1 < height ? line : 0;
    const rowOfSquares = Math.floor(y / squareSide) * columns;
    for (let x = 0; x < columns * squareSide; x++) {
      const at = y * line + x * 3;
      const left = x > 0 ? at - 3 : at;
      const right = x + 1 < width ? at + 3 : at;
      let gx = 0;
      let gy = 0;
      let square = 0;
      for (let c = 0; c < 3; c++) {
        const dx = data[right + c]! - data[left + c]!;
        const dy = data[at + down + c]! - data[at + up + c]!;
        const own = dx * dx + dy * dy;
        if (own <= square) continue;
        gx = dx;
        gy = dy;
        square = own;
      }
      if (square === 0) continue;
      vote(histograms, (rowOfSquares + Math.floor(x / squareSide)) * bins, gx, gy, Math.sqrt(square) / 2);
    }
  }
}

/** @param first The first bin of a square. */
function vote(histograms: Float32Array, first: number, gx: number, gy: number, length: number): void {
  // in bins: the centre of a bin is a whole number
  const position = (bins / Math.PI) * direction(gx, gy) - 0.5;
  const lower = Math.floor(position);
  const weight = position - lower;
  // bins lie on a circle; the angle π is the angle 0
  histograms[first + (lower < 0 ? bins - 1 : lower === bins ? 0 : lower)]! += length * (1 - weight);
  histograms[first + (lower + 1 >= bins ? lower + 1 - bins : lower + 1)]! += length * weight;
}

/**
 * The angle of a line in [0, π]: atan2 without its sign, to 0.0003, by a polynomial of the seventh degree.
 * Pixels ask so often that Math.atan2 would take a large part of the time.
 */
function direction(x: number, y: number): number {
  const across = x < 0 ? -x : x;
  const along = y < 0 ? -y : y;
  const ratio = across > along ? along / across : across / along;
  const square = ratio * ratio;
  const small = ((-0.0464964749 * square + 0.15931422) * square - 0.327622764) * square * ratio + ratio;
  const acute = across > along ? small : Math.PI / 2 - small;
  // a line has no sign: (-x, y) and (x, -y) are one
  return x < 0 !== y < 0 ? Math.PI - acute : acute;
}

/** A histogram is divided by the square root of the energy of the 3 x 3 squares around it. */
function writeDirections(histograms: Float32Array, { rows, columns, data }: Squares): void {
  const energy = new Float32Array(rows * columns);
  for (let i = 0; i < energy.length; i++) {
    for (let bin = i * bins; bin < (i + 1) * bins; bin++) energy[i]! += histograms[bin]! * histograms[bin]!;
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let around = leastEnergy;
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++)
          around += energy[r * columns + c]!;
      }
      const scale = 255 / Math.sqrt(around);
      const at = row * columns + column;
      // a histogram's square is part of the energy: no value is above 1
      for (let bin = 0; bin < bins; bin++)
        data[at * squareLength + bin] = Math.round(scale * histograms[at * bins + bin]!);
    }
  }
}

function writeColours({ width, data: pixels }: Picture, { rows, columns, data }: Squares): void {
  const scale = 255 / (squareSide * squareSide);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const to = (row * columns + column) * squareLength + bins;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let y = row * squareSide; y < (row + 1) * squareSide; y++) {
          const first = (y * width + column * squareSide) * 3 + c;
          for (let i = first; i < first + squareSide * 3; i += 3) sum += pixels[i]!;
        }
        data[to + c] = Math.max(0, Math.min(255, Math.round(scale * sum)));
      }
    }
  }
}
