/**
 * Fixed features of a picture, in squares of 4 x 4 pixels: a histogram of 9 directions of edges (Dalal and Triggs
 * 2005) and the mean colour. Windows that overlap share squares. Nothing is learnt here.
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
 * The gradient of a pixel is that of the colour in which it is longest. It votes for the two nearest directions with
 * its length.
 */
function addDirections(
  { width, height, data }: Picture,
  { rows, columns }: Pick<Squares, 'rows' | 'columns'>,
  histograms: Float32Array,
): void {
  const { atan2, sqrt, floor, PI } = Math;
  for (let y = 0; y < rows * squareSide; y++) {
    const up = (y > 0 ? y - 1 : y) * width;
    const down = (y + 1 < height ? y + 1 : y) * width;
    for (let x = 0; x < columns * squareSide; x++) {
      const left = (y * width + (x > 0 ? x - 1 : x)) * 3;
      const right = (y * width + (x + 1 < width ? x + 1 : x)) * 3;
      let gx = 0;
      let gy = 0;
      let square = 0;
      for (let c = 0; c < 3; c++) {
        const dx = data[right + c]! - data[left + c]!;
        const dy = data[(down + x) * 3 + c]! - data[(up + x) * 3 + c]!;
        const own = dx * dx + dy * dy;
        if (own <= square) continue;
        gx = dx;
        gy = dy;
        square = own;
      }
      if (square === 0) continue;
      const length = sqrt(square) / 2;
      const angle = atan2(gy, gx);
      // in bins: the centre of a bin is a whole number
      const position = (bins / PI) * (angle < 0 ? angle + PI : angle) - 0.5;
      const lower = floor(position);
      const weight = position - lower;
      const first = (floor(y / squareSide) * columns + floor(x / squareSide)) * bins;
      // bins lie on a circle; the angle π is the angle 0
      histograms[first + (lower < 0 ? bins - 1 : lower === bins ? 0 : lower)]! += length * (1 - weight);
      histograms[first + (lower + 1 >= bins ? lower + 1 - bins : lower + 1)]! += length * weight;
    }
  }
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
  const sums = new Float32Array(rows * columns * 3);
  for (let y = 0; y < rows * squareSide; y++) {
    for (let x = 0; x < columns * squareSide; x++) {
      const to = (Math.floor(y / squareSide) * columns + Math.floor(x / squareSide)) * 3;
      const from = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) sums[to + c]! += pixels[from + c]!;
    }
  }
  for (let i = 0; i < sums.length; i++)
    data[Math.floor(i / 3) * squareLength + bins + (i % 3)] = Math.max(
      0,
      Math.min(255, Math.round(scale * sums[i]!)),
    );
}
