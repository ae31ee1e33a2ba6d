/**
 * From names and drawings to concepts: which emoji count, which icon draws them, which are novel, and the
 * licences.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Concept,
  conceptsOf,
  iconsFor,
  novelConcepts,
  plainCode,
  usableConcepts,
} from '../../src/detection/data/concepts.js';
import { colourForm, emojiSide, pictureOf } from '../../src/detection/data/emoji.js';
import { trainingStyles, unseenStyle } from '../../src/detection/data/styles.js';
import { conceptTexts } from '../../src/detection/features/concept-texts.js';
import { textColumns, textFeatures } from '../../src/icons/client/text-tokens.js';
import { drawSheet } from '../../src/icons/data/render.js';
import { toyEmoji } from './toy-emoji.js';

const concept = (code: string, label: string, tags: string[] = []): Concept => ({ code, label, tags });

test('concepts are emoji of five groups, without faces of clocks, in the order of their codes', () => {
  const entry = (hexcode: string, label: string, group?: number, tags?: string[]) => ({
    hexcode,
    label,
    group,
    tags,
  });
  const entries = [
    entry('1F436', 'Dog face', 3, ['dog', 'Dog face', 'pet', 'a', 'b', 'c', 'd', 'e', 'f', 'g']),
    entry('2600-FE0F', 'sun', 5),
    entry('1F600', 'grinning face', 0),
    entry('1F551', 'two o’clock', 5),
    entry('1F55E', 'three-thirty', 5),
    entry('1F1E6', 'regional indicator'),
    entry('1F525', 'fire', 5, ['flame']),
  ];
  expect(conceptsOf(entries)).toEqual([
    concept('1f436', 'dog face', ['dog', 'pet', 'a', 'b', 'c', 'd', 'e']),
    concept('1f525', 'fire', ['flame']),
    concept('2600', 'sun'),
  ]);
  expect(plainCode('26F4-FE0F')).toBe('26f4');
});

test('an icon is found by code point, in the own table before others, else by name', () => {
  const concepts = [
    concept('1', 'sun'),
    concept('2', 'full moon'),
    concept('3', 'star'),
    concept('4', 'comet'),
  ];
  const names = new Set(['sunny', 'full-moon', 'star-1', 'other']);
  const codes = [{ '1-FE0F': 'sunny' }, { '1': 'other', '3': 'star-1' }];
  expect(iconsFor(concepts, codes, names)).toEqual(['sunny', 'full-moon', 'star-1', undefined]);
});

test('a concept needs the unseen style and three of the others', () => {
  const styles = [
    [true, true, true, false],
    [true, true, false, true],
    [true, false, true, true],
    [false, true, true, true],
  ];
  expect(usableConcepts(styles, [true, false, true, true])).toEqual([0, 2, 3]);
  expect(usableConcepts(styles.slice(0, 2), [true, true, true, true])).toEqual([]);
});

test('ninety-three of many concepts are novel, the same ones each time', () => {
  const novel = novelConcepts(626);
  expect(novel.reduce((sum, value) => sum + value, 0)).toBe(93);
  expect(novelConcepts(626)).toEqual(novel);
  expect(novelConcepts(12).reduce((sum, value) => sum + value, 0)).toBe(2);
});

test('drawings have colours multiplied by opacity, and blank ones do not count', () => {
  const picture = pictureOf(toyEmoji.training[0]!, 0);
  expect(picture).toHaveLength(emojiSide * emojiSide * 4);
  for (let i = 0; i < picture.length; i += 4)
    if (Math.max(...picture.subarray(i, i + 3)) > picture[i + 3]!) throw new Error('brighter than opaque');
  expect(() => pictureOf(toyEmoji.training[2]!, 3)).toThrow('Expected a drawing of concept 3 in small');
});

test('a sheet in colours is cut into the pixels of each icon', async () => {
  const rasterise = async (svg: string) => {
    const [, width, height] = /^<svg [^>]* width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
    expect([width, height]).toEqual([2 * emojiSide, emojiSide]);
    const pixels = new Uint8Array(width! * height! * 4);
    for (let i = 0; i < pixels.length; i++) pixels[i] = (i % 4) + ((i >> 2) % width! < emojiSide ? 10 : 20);
    return pixels;
  };
  const icon = { body: '<g/>', box: [0, 0, 1, 1] as const };
  const pixels = await drawSheet([icon, icon], rasterise, colourForm);
  const bytes = emojiSide * emojiSide * 4;
  expect(pixels).toHaveLength(2 * bytes);
  expect(Array.from(pixels.subarray(bytes - 4, bytes + 4))).toEqual([10, 11, 12, 13, 20, 21, 22, 23]);
});

test('texts are names with other words at a smaller weight, then "background"', () => {
  const texts = conceptTexts([
    { label: 'red apple', tags: ['fruit'] },
    { label: 'ship', tags: [] },
  ]);
  expect([texts.rows, texts.columnCount]).toEqual([3, textColumns]);
  const rowOf = (row: number) =>
    new Map(
      Array.from(texts.columns.subarray(texts.starts[row], texts.starts[row + 1]), (column, i) => [
        column,
        texts.values[texts.starts[row]! + i]!,
      ]),
    );
  for (const row of [0, 1, 2]) expect(Math.hypot(...rowOf(row).values())).toBeCloseTo(1, 5);
  const weight = (text: string, row: number) => {
    const { columns, values } = textFeatures(text);
    return columns.reduce((sum, column, i) => sum + values[i]! * (rowOf(row).get(column) ?? 0), 0);
  };
  expect(weight('red apple', 0)).toBeGreaterThan(0.9);
  expect(weight('fruit', 0) / weight('red apple', 0)).toBeCloseTo(0.35, 1);
  expect(weight('ship', 1)).toBeCloseTo(1, 5);
  expect(weight('background', 2)).toBeCloseTo(1, 5);
});

test('every set is pinned, the unseen one never trains, and the lock file names no registry', () => {
  const home = join(__dirname, '../../detection');
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const name of [...trainingStyles, unseenStyle])
    expect(dependencies[`@iconify-json/${name}`]).toMatch(/^\d+\.\d+\.\d+$/);
  for (const name of ['emojibase-data', 'sharp']) expect(dependencies[name]).toMatch(/^\d+\.\d+\.\d+$/);
  expect(trainingStyles.some((name) => name.startsWith('fluent'))).toBe(false);
  // sets that ask others to share alike
  expect(Object.keys(dependencies).filter((name) => /openmoji|emojione-v1/.test(name))).toEqual([]);
  expect(readFileSync(join(home, 'package-lock.json'), 'utf8')).not.toMatch(
    /"resolved"|https?:\/\/[^"]*registry/,
  );
});
