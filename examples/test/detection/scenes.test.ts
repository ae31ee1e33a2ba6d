/** Scenes, their drawings and boxes, and the fixed features of windows, against slow, obvious versions. */

import { emojiSide, pictureOf } from '../../src/detection/data/emoji.js';
import { squareLength, squaresOf } from '../../src/detection/features/squares.js';
import {
  copyWindow,
  pyramidOf,
  windowFeatures,
  windowPlaces,
  windowSquares,
} from '../../src/detection/features/windows.js';
import { area, containment, iou } from '../../src/detection/scenes/boxes.js';
import { plainLook, variedLook } from '../../src/detection/scenes/look.js';
import { blank, resized, toBytes } from '../../src/detection/scenes/picture.js';
import {
  SceneMaker,
  sceneSide,
  seenSource,
  trainingSource,
  unseenSource,
} from '../../src/detection/scenes/scene.js';
import { makeSprite, paste } from '../../src/detection/scenes/sprite.js';
import { texture } from '../../src/detection/scenes/texture.js';
import { Random } from '../../src/random.js';
import { toyEmoji } from './toy-emoji.js';

const square = (left: number, top: number, side: number) => ({
  left,
  top,
  right: left + side,
  bottom: top + side,
});

test('boxes share what they share', () => {
  expect(iou(square(0, 0, 10), square(5, 0, 10))).toBeCloseTo(50 / 150, 12);
  expect(iou(square(0, 0, 10), square(10, 0, 10))).toBe(0);
  expect(containment(square(0, 0, 10), square(2, 2, 4))).toBe(1);
  expect(iou(square(0, 0, 10), square(2, 2, 4))).toBeCloseTo(0.16, 12);
  expect(area({ left: 3, top: 0, right: 2, bottom: 5 })).toBe(0);
});

describe('a picture of another side', () => {
  test('of one colour keeps it, and a slope stays a slope', () => {
    const slope = blank(20, 20);
    slope.data.forEach((_, i) => {
      slope.data[i] = i % 3 === 0 ? Math.floor((i / 3) % 20) / 20 : 0.5;
    });
    const { data } = resized(slope, 40);
    for (let x = 2; x < 38; x++) {
      expect(data[(7 * 40 + x) * 3]).toBeCloseTo(((x + 0.5) / 2 - 0.5) / 20, 5);
      expect(data[(7 * 40 + x) * 3 + 1]).toBeCloseTo(0.5, 6);
    }
  });

  test('of its own side is the same', () => {
    const picture = texture(24, new Random(3));
    expect(resized(picture, 24).data).toEqual(picture.data);
  });
});

test('a texture lies between 0 and 1, and no two are alike', () => {
  const random = new Random(4);
  const [first, second] = [texture(40, random), texture(40, random)];
  for (const { data } of [first, second]) {
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...data)).toBeLessThanOrEqual(1);
  }
  expect(first.data).not.toEqual(second.data);
  expect(texture(40, new Random(4)).data).toEqual(first.data);
  expect(toBytes(first)).toHaveLength(40 * 40 * 3);
});

describe('a sprite', () => {
  const disc = pictureOf(toyEmoji.training[0]!, 0);

  test.each([22, 40, 62])('of %d pixels has a box of that side', (longer) => {
    const { box } = makeSprite(disc, plainLook(longer));
    for (const side of [box.right - box.left, box.bottom - box.top])
      expect(Math.abs(side - longer)).toBeLessThanOrEqual(1);
  });

  test('lies over the ground, and what is beyond the border is cut off', () => {
    const picture = blank(30, 30);
    picture.data.fill(0.5);
    const sprite = makeSprite(disc, plainLook(22));
    paste(picture, sprite, -sprite.box.left - 11, 0);
    const middle = (sprite.box.top + 11) * 30;
    // the right half of a red disc, then the ground
    expect(picture.data[middle * 3]).toBeCloseTo(230 / 255, 1);
    expect(picture.data[middle * 3 + 2]).toBeCloseTo(40 / 255, 1);
    expect(Array.from(picture.data.subarray((middle + 15) * 3, (middle + 15) * 3 + 3))).toEqual([
      0.5, 0.5, 0.5,
    ]);
  });

  test('that varies stays within the colours, and mirrors', () => {
    const random = new Random(5);
    for (let i = 0; i < 20; i++) {
      const { data } = makeSprite(disc, variedLook(30, random));
      const opacity = (at: number) => data[at - (at % 4) + 3]!;
      expect(data.every((value, at) => value >= 0 && value <= opacity(at) + 1e-6)).toBe(true);
    }
    const halfDisc = disc.slice();
    for (let i = 0; i < emojiSide * emojiSide; i++)
      if (i % emojiSide >= 32) halfDisc.fill(0, 4 * i, 4 * i + 3);
    const mass = (mirrored: boolean) => {
      const { width, data } = makeSprite(halfDisc, { ...plainLook(40), mirrored });
      let sum = 0;
      for (let i = 0; i < data.length / 4; i++) sum += data[4 * i]! * ((i % width) + 0.5 - width / 2);
      return sum;
    };
    expect(mass(false)).toBeLessThan(-1);
    expect(mass(true)).toBeCloseTo(-mass(false), 1);
  });
});

describe('scenes', () => {
  const make = (seed: number, source = trainingSource(toyEmoji)) => new SceneMaker(source, new Random(seed));

  test('have things inside, apart from each other, and no novel ones for training', () => {
    const maker = make(1);
    const seen = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const { things } = maker.next();
      expect(things.length).toBeGreaterThanOrEqual(1);
      expect(things.length).toBeLessThanOrEqual(6);
      for (const { concept, box } of things) {
        seen.add(concept);
        expect(Object.values(box).every((edge) => edge >= 0 && edge <= sceneSide)).toBe(true);
        const others = things.filter((other) => other.box !== box);
        expect(others.every((other) => containment(other.box, box) <= 0.05)).toBe(true);
      }
    }
    expect(seen.size).toBe(11);
    expect(seen.has(5)).toBe(false);
  });

  test('are a function of their random numbers', () => {
    const [first, second] = [make(2).next(), make(2).next()];
    expect(first).toEqual(second);
    expect(make(3).next().picture.data).not.toEqual(first.picture.data);
  });

  test.each([
    ['the unseen style', unseenSource],
    ['seen styles', seenSource],
  ])('of %s have every concept about equally often', (_, source) => {
    const maker = make(6, source(toyEmoji));
    const counts = new Int32Array(12);
    for (let i = 0; i < 40; i++) for (const { concept } of maker.next().things) counts[concept]!++;
    expect(Math.min(...counts)).toBeGreaterThan(0.5 * Math.max(...counts));
  });

  test('show a thing where its box is', () => {
    const { picture, things } = make(7, unseenSource(toyEmoji)).next();
    const [{ concept, box }] = things as [(typeof things)[number]];
    const label = toyEmoji.concepts[concept]!.label;
    const strongest = ['red', 'green', 'blue'].findIndex((name) => label.startsWith(name));
    // a ring is open in its middle: look at its left rim
    const y = Math.round((box.top + box.bottom) / 2);
    const at = (y * sceneSide + Math.round(box.left) + 3) * 3;
    const pixel = Array.from(picture.data.subarray(at, at + 3));
    expect(Math.max(...pixel)).toBe(pixel[strongest]);
  });
});

describe('squares', () => {
  /** As the definition says, with Math.atan2. */
  function slow(picture: ReturnType<typeof texture>, row: number, column: number): number[] {
    const { width, height, data } = picture;
    const histogram = (r: number, c: number) => {
      const bins = new Array<number>(9).fill(0);
      for (let y = 4 * r; y < 4 * r + 4; y++)
        for (let x = 4 * c; x < 4 * c + 4; x++) {
          const at = (px: number, py: number, k: number) =>
            data[
              (Math.max(0, Math.min(height - 1, py)) * width + Math.max(0, Math.min(width - 1, px))) * 3 + k
            ]!;
          const gradients = [0, 1, 2].map((k) => [
            at(x + 1, y, k) - at(x - 1, y, k),
            at(x, y + 1, k) - at(x, y - 1, k),
          ]);
          const [gx, gy] = gradients.reduce((a, b) =>
            Math.hypot(b[0]!, b[1]!) > Math.hypot(a[0]!, a[1]!) ? b : a,
          ) as [number, number];
          const angle = (Math.atan2(gy, gx) + Math.PI) % Math.PI;
          const position = (9 * angle) / Math.PI - 0.5;
          const lower = Math.floor(position);
          const weight = position - lower;
          bins[(lower + 9) % 9]! += (Math.hypot(gx, gy) / 2) * (1 - weight);
          bins[(lower + 10) % 9]! += (Math.hypot(gx, gy) / 2) * weight;
        }
      return bins;
    };
    let energy = 0.5;
    for (let r = Math.max(0, row - 1); r <= Math.min(height / 4 - 1, row + 1); r++)
      for (let c = Math.max(0, column - 1); c <= Math.min(width / 4 - 1, column + 1); c++)
        energy += histogram(r, c).reduce((sum, value) => sum + value * value, 0);
    return histogram(row, column).map((value) => (255 * value) / Math.sqrt(energy));
  }

  test('have directions and colours as the definition says', () => {
    const random = new Random(8);
    const picture = texture(16, random);
    // edges in all directions
    picture.data.forEach((value, i) => {
      picture.data[i] = value * random.uniform();
    });
    const { rows, columns, data } = squaresOf(picture);
    expect([rows, columns]).toEqual([4, 4]);
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < 4; column++) {
        const own = data.subarray((row * 4 + column) * squareLength, (row * 4 + column + 1) * squareLength);
        slow(picture, row, column).forEach((value, bin) => {
          expect(Math.abs(own[bin]! - value)).toBeLessThan(0.8);
        });
        let red = 0;
        for (let y = 0; y < 4; y++)
          for (let x = 0; x < 4; x++) red += picture.data[((4 * row + y) * 16 + 4 * column + x) * 3]! / 16;
        expect(Math.abs(own[9]! - 255 * red)).toBeLessThan(0.6);
      }
  });

  test('of a plain picture have no direction', () => {
    const plain = blank(8, 8);
    plain.data.fill(0.25);
    const { data } = squaresOf(plain);
    expect(Array.from(data.subarray(0, squareLength))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 64, 64]);
  });
});

describe('windows', () => {
  test('lie within the scene, and have five sizes at steps of an eighth', () => {
    const sizes = windowPlaces.map(({ box }) => box.right - box.left);
    expect(windowPlaces.length).toBeGreaterThan(2000);
    expect(new Set(sizes.map((size) => size.toFixed(3))).size).toBe(5);
    const fits = ({ left, top, right, bottom }: (typeof windowPlaces)[0]['box']) =>
      left >= 0 && right <= sceneSide + 1e-9 && Math.abs(bottom - top - (right - left)) < 1e-9;
    expect(windowPlaces.every(({ box }) => fits(box))).toBe(true);
    const [first, second] = windowPlaces as readonly [(typeof windowPlaces)[0], (typeof windowPlaces)[0]];
    expect(second.box.left - first.box.left).toBeCloseTo(sizes[0]! / 8, 6);
  });

  test('copy their own squares', () => {
    const pyramid = pyramidOf(texture(sceneSide, new Random(9)));
    const place = windowPlaces.find(({ level, row, column }) => level === 2 && row === 3 && column === 5)!;
    const copy = new Uint8Array(windowFeatures + 7);
    copyWindow(pyramid[2]!, place, copy, 7);
    const { columns, data } = pyramid[2]!;
    for (const [r, c] of [
      [0, 0],
      [7, 7],
      [2, 6],
    ] as const) {
      const from = ((3 + r) * columns + 5 + c) * squareLength;
      const to = 7 + (r * windowSquares + c) * squareLength;
      expect(copy.subarray(to, to + squareLength)).toEqual(data.subarray(from, from + squareLength));
    }
    expect(Array.from(copy.subarray(0, 7))).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});
