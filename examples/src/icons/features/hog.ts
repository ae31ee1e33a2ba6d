/**
 * Fixed features of a picture of 32 x 32 pixels: histograms of oriented gradients (Dalal and Triggs 2005), and the
 * mean ink of small squares. Nothing is learnt here. Refuses pictures of other sizes.
 */

import { imageSize } from '../data/render.js';

/** Side of a histogram's square, in pixels, and squares along a side. */
const squareSize = 4;
const squares = imageSize / squareSize;
const bins = 9;
/** Mean ink is that of squares of 2 x 2 pixels. */
const inkSize = 2;
const inkSquares = imageSize / inkSize;
const histogramLength = squares * squares * bins;

/** 8 x 8 histograms of 9 directions, then 16 x 16 means. */
export const imageFeatures = histogramLength + inkSquares * inkSquares;

/** Keeps a histogram of nearly empty surroundings from being blown up. */
const leastEnergy = 0.5;

/** How far a picture is moved before its features are taken, in pixels to the right and down. */
export type Shift = readonly [right: number, down: number];

/**
 * Writes {@link imageFeatures} bytes, 255 for 1.
 *
 * A gradient votes for the two nearest of 9 directions in [0, π) with its length, in one square. A histogram is
 * divided by the square root of the energy of the 3 x 3 squares around it.
 * @param ink Uint8 [32 x 32], 255 is full ink. Beyond the border is paper.
 */
export function hogFeatures(ink: Uint8Array, [right, down]: Shift, features: Uint8Array): void {
  const picture = shifted(ink, right, down);
  const histograms = histogramsOf(picture);
  writeHistograms(histograms, features);
  writeInk(picture, features);
}

/** Side of a picture with a border of paper, one pixel wide: gradients need no question about borders. */
const paddedSide = imageSize + 2;

/** The moved picture within a border, from 0 to 1. */
function shifted(ink: Uint8Array, right: number, down: number): Float32Array {
  const picture = new Float32Array(paddedSide * paddedSide);
  for (let y = Math.max(0, down); y < Math.min(imageSize, imageSize + down); y++) {
    for (let x = Math.max(0, right); x < Math.min(imageSize, imageSize + right); x++)
      picture[(y + 1) * paddedSide + x + 1] = ink[(y - down) * imageSize + x - right]! / 255;
  }
  return picture;
}

function histogramsOf(picture: Float32Array): Float32Array {
  // locals, because globals are slow to look up under Jest
  const { atan2, sqrt, floor, PI } = Math;
  const histograms = new Float32Array(histogramLength);
  for (let y = 0; y < imageSize; y++) {
    const rowOfSquares = floor(y / squareSize) * squares;
    for (let x = 0; x < imageSize; x++) {
      const at = (y + 1) * paddedSide + x + 1;
      const gx = (picture[at + 1]! - picture[at - 1]!) / 2;
      const gy = (picture[at + paddedSide]! - picture[at - paddedSide]!) / 2;
      if (gx === 0 && gy === 0) continue;
      const length = sqrt(gx * gx + gy * gy);
      const angle = atan2(gy, gx);
      // in bins: the centre of a bin is a whole number
      const position = (bins / PI) * (angle < 0 ? angle + PI : angle) - 0.5;
      const lower = floor(position);
      const weight = position - lower;
      const square = (rowOfSquares + floor(x / squareSize)) * bins;
      // bins lie on a circle; the angle π is the angle 0
      histograms[square + (lower < 0 ? bins - 1 : lower === bins ? 0 : lower)]! += length * (1 - weight);
      histograms[square + (lower + 1 >= bins ? lower + 1 - bins : lower + 1)]! += length * weight;
    }
  }
  return histograms;
}

function writeHistograms(histograms: Float32Array, features: Uint8Array): void {
  const energy = new Float32Array(squares * squares);
  for (let i = 0; i < histogramLength; i++) energy[Math.floor(i / bins)]! += histograms[i]! ** 2;
  for (let row = 0; row < squares; row++) {
    for (let column = 0; column < squares; column++) {
      let around = leastEnergy;
      for (let r = Math.max(0, row - 1); r <= Math.min(squares - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(squares - 1, column + 1); c++)
          around += energy[r * squares + c]!;
      }
      const scale = 255 / Math.sqrt(around);
      const first = (row * squares + column) * bins;
      // a histogram's square is part of the energy: no value is above 1
      for (let i = first; i < first + bins; i++) features[i] = Math.round(scale * histograms[i]!);
    }
  }
}

function writeInk(picture: Float32Array, features: Uint8Array): void {
  const scale = 255 / (inkSize * inkSize);
  for (let row = 0; row < inkSquares; row++) {
    for (let column = 0; column < inkSquares; column++) {
      let sum = 0;
      for (let y = row * inkSize; y < (row + 1) * inkSize; y++) {
        for (let x = column * inkSize; x < (column + 1) * inkSize; x++)
          sum += picture[(y + 1) * paddedSide + x + 1]!;
      }
      features[histogramLength + row * inkSquares + column] = Math.round(scale * sum);
    }
  }
}
