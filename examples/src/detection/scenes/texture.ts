/**
 * Grounds for scenes: one random colour, smooth noise at three scales, stripes. They keep a detector from
 * taking everything that is not plain for a thing. Refuses edges as sharp as those of drawings.
 */

import type { Random } from '../../random.js';
import { blank, type Picture } from './picture.js';

/** Pixels between two values of the noise. */
const noiseScales = [2, 6, 20];
const strongestNoise = 0.13;
const strongestStripes = 0.09;

export function texture(side: number, random: Random): Picture {
  const picture = blank(side, side);
  const colour = [0, 1, 2].map(() => 0.15 + 0.75 * random.uniform());
  const { data } = picture;
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3]!;
  for (const scale of noiseScales) addNoise(picture, scale, strongestNoise * random.uniform(), random);
  if (random.uniform() < 0.6) addStripes(picture, strongestStripes * random.uniform(), random);
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < 0) data[i] = 0;
    else if (data[i]! > 1) data[i] = 1;
  }
  return picture;
}

/**
 * Random values on a coarse grid, and straight lines between them: first along rows of the grid, then between
 * rows.
 */
function addNoise({ width, height, data }: Picture, scale: number, strength: number, random: Random): void {
  const columns = Math.ceil(width / scale) + 1;
  const rows = Math.ceil(height / scale) + 1;
  const line = width * 3;
  const wide = new Float32Array(rows * line);
  for (let row = 0; row < rows; row++) {
    const grid = Float32Array.from({ length: columns * 3 }, () => strength * random.normal());
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / scale);
      const across = x / scale - column;
      const to = row * line + x * 3;
      for (let c = 0; c < 3; c++)
        wide[to + c] = grid[column * 3 + c]! * (1 - across) + grid[column * 3 + 3 + c]! * across;
    }
  }
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / scale);
    const down = y / scale - row;
    const upper = row * line;
    for (let i = 0; i < line; i++)
      data[y * line + i]! += wide[upper + i]! * (1 - down) + wide[upper + line + i]! * down;
  }
}

function addStripes({ width, height, data }: Picture, strength: number, random: Random): void {
  const { sin, cos, PI } = Math;
  const angle = PI * random.uniform();
  const rate = (2 * PI) / (5 + 15 * random.uniform());
  const [along, across] = [rate * cos(angle), rate * sin(angle)];
  const phase = 2 * PI * random.uniform();
  const colour = [0, 1, 2].map(() => strength * (0.5 + random.uniform()));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = sin(along * x + across * y + phase);
      const to = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[to + c]! += wave * colour[c]!;
    }
  }
}
