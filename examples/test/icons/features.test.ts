/** Features of pictures and of texts: against slow, obvious versions. */

import { crc32 } from 'node:zlib';
import { hash, textColumns, textFeatures, wordsOf } from '../../src/icons/client/text-tokens.js';
import { imagePixels, imageSize } from '../../src/icons/data/render.js';
import { hogFeatures, imageFeatures, type Shift } from '../../src/icons/features/hog.js';
import { centredRows, centringOf, imageMatrix } from '../../src/icons/features/image-matrix.js';
import { columnsInUse, textMatrix } from '../../src/icons/features/text-matrix.js';
import { Random } from '../../src/random.js';

const random = new Random(4);
const noise = Uint8Array.from({ length: imagePixels }, () =>
  random.uniform() < 0.4 ? 255 * random.uniform() : 0,
);

/** The definition, one square and one bin at a time. */
function slowFeatures(ink: Uint8Array, [right, down]: Shift): number[] {
  const at = (x: number, y: number) => {
    const [sx, sy] = [x - right, y - down];
    const inside = [x, y, sx, sy].every((place) => place >= 0 && place < imageSize);
    return inside ? ink[sy * imageSize + sx]! / 255 : 0;
  };
  const vote = (x: number, y: number, bin: number) => {
    const [gx, gy] = [(at(x + 1, y) - at(x - 1, y)) / 2, (at(x, y + 1) - at(x, y - 1)) / 2];
    const angle = (Math.atan2(gy, gx) + Math.PI) % Math.PI;
    const position = (angle / Math.PI) * 9 - 0.5;
    // bins lie on a circle of nine
    const distance = Math.min(...[-9, 0, 9].map((turn) => Math.abs(position + turn - bin)));
    return Math.hypot(gx, gy) * Math.max(0, 1 - distance);
  };
  const histograms = [...Array(576).keys()].map((i) => {
    const [top, left] = [4 * Math.floor(i / 72), 4 * (Math.floor(i / 9) % 8)];
    let sum = 0;
    for (let y = top; y < top + 4; y++) for (let x = left; x < left + 4; x++) sum += vote(x, y, i % 9);
    return sum;
  });
  const histogram = (row: number, column: number, bin: number) => histograms[72 * row + 9 * column + bin]!;
  const energy = (row: number, column: number) =>
    row < 0 || column < 0 || row > 7 || column > 7
      ? 0
      : [...Array(9).keys()].reduce((sum, bin) => sum + histogram(row, column, bin) ** 2, 0);
  const features: number[] = [];
  for (let i = 0; i < 576; i++) {
    const [row, column] = [Math.floor(i / 72), Math.floor(i / 9) % 8];
    let around = 0.5;
    for (const r of [-1, 0, 1]) for (const c of [-1, 0, 1]) around += energy(row + r, column + c);
    features.push(histogram(row, column, i % 9) / Math.sqrt(around));
  }
  for (let i = 0; i < 256; i++) {
    const [x, y] = [2 * (i % 16), 2 * Math.floor(i / 16)];
    features.push((at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4);
  }
  return features;
}

test.each<Shift>([
  [0, 0],
  [1, 0],
  [-1, 1],
])('features of a picture shifted by %d, %d are those of the definition', (...shift) => {
  const features = new Uint8Array(imageFeatures);
  hogFeatures(noise, shift, features);
  const slow = slowFeatures(noise, shift);
  expect(slow).toHaveLength(imageFeatures);
  for (const [i, value] of slow.entries()) expect(Math.abs(features[i]! - 255 * value)).toBeLessThan(0.51);
  expect(features.some((value) => value > 60)).toBe(true);
});

test('rows of a matrix are centred, with a variance of 1 on average', async () => {
  const ink = Uint8Array.from({ length: 40 * imagePixels }, () => (random.uniform() < 0.3 ? 255 : 0));
  const matrix = await imageMatrix(
    ink,
    Int32Array.from({ length: 40 }, (_, i) => i),
    [0, 0],
  );
  const rows = centredRows(
    matrix,
    Int32Array.from({ length: 40 }, (_, i) => i),
    centringOf(matrix),
  );
  let [sum, squares] = [0, 0];
  for (const value of rows) {
    sum += value;
    squares += value * value;
  }
  expect(Math.abs(sum / rows.length)).toBeLessThan(1e-4);
  expect(squares / rows.length).toBeCloseTo(1, 3);
  const [picked] = centredRows(matrix, Int32Array.of(7), centringOf(matrix));
  expect(picked).toBe(rows[7 * imageFeatures]);
});

describe('texts', () => {
  test.each(['', 'cat ', '^ca', 'Größe ', '図書館', '🙂 '])(
    'the hash of "%s" is the CRC-32 of zlib',
    (token) => {
      expect(hash(token)).toBe(crc32(token));
      // from the memory of the function as well
      expect(hash(token)).toBe(crc32(token));
    },
  );

  test.each([
    ['Wi-Fi off', ['wi', 'fi', 'off']],
    ['  \t', []],
    ['<script>', ['script']],
    ['!?🙂', []],
    ['ＡＢＣ １', ['abc', '1']],
    ['Größe 図書館', ['größe', '図書館']],
  ])('the words of %j are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test('a word weighs 1, its parts 0.7 / sqrt(number) each, and all are divided by the length', () => {
    const { columns, values } = textFeatures('Cat');
    const tokens = ['cat ', '^ca', 'cat', 'at$', '^cat', 'cat$'];
    expect(columns).toEqual(tokens.map((token) => crc32(token) % textColumns));
    const part = 0.7 / Math.sqrt(5);
    const length = Math.hypot(1, 0.7);
    expect(values[0]).toBeCloseTo(1 / length, 12);
    for (const value of values.slice(1)) expect(value).toBeCloseTo(part / length, 12);
  });

  test('a text without words has no features, and a book is cut', () => {
    expect(textFeatures('…')).toEqual({ columns: [], values: [] });
    expect(wordsOf('a '.repeat(10_000))).toHaveLength(32);
    expect(wordsOf('x'.repeat(10_000))[0]).toHaveLength(64);
  });

  test('a matrix holds the features of each text, and knows its columns', () => {
    const matrix = textMatrix(['cat', '…', 'big cat']);
    const { columns, values } = textFeatures('big cat');
    const own = (list: ArrayLike<number>) => Array.from(list).slice(matrix.starts[2], matrix.starts[3]);
    expect(Array.from(matrix.starts)).toEqual([0, 6, 6, 6 + columns.length]);
    expect(own(matrix.columns)).toEqual(columns);
    expect(own(matrix.values)).toEqual(values.map(Math.fround));
    const used = columnsInUse(matrix);
    expect(used.reduce((sum, value) => sum + value, 0)).toBe(new Set(matrix.columns).size);
    for (const column of columns) expect(used[column]).toBe(1);
  });
});
