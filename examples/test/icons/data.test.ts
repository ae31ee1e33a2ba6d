/**
 * From names and drawings to icons to train on: captions, blanks, copies of unseen icons, sheets, and the cache of
 * pixels.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { captionOf } from '../../src/icons/data/captions.js';
import { collect } from '../../src/icons/data/collection.js';
import { coarsePicture } from '../../src/icons/data/duplicates.js';
import { type Drawing, type IconSet, readIconSet } from '../../src/icons/data/icon-set.js';
import { missingPackages } from '../../src/icons/data/install.js';
import { type PixelCache, pixelsOf } from '../../src/icons/data/pixel-cache.js';
import { drawSheet, imagePixels, imageSize, sheetIcons, sheetOf } from '../../src/icons/data/render.js';
import { quickSets, ruleOf, setRules, unseenSet } from '../../src/icons/data/sets.js';
import { toyCollection, toyParts } from './toy-icons.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-icons-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['heart-outline', 'heart'],
  ['arrow_down-24-regular', 'arrow down'],
  ['Wifi-Off', 'wifi off'],
  // one suffix only, the longest
  ['home-outline-rounded', 'home'],
  ['light-bold', 'light'],
  // a name that is a style
  ['bold', 'bold'],
  ['-filled', 'filled'],
  ['star--half', 'star half'],
])('the caption of %s is "%s"', (name, caption) => {
  expect(captionOf(name)).toBe(caption);
});

test('suffixes that a set declares count too', () => {
  expect(captionOf('cat-twotone', ['twotone', ''])).toBe('cat');
  expect(captionOf('cat-twotone')).toBe('cat twotone');
});

describe('a set', () => {
  const write = (icons: object) => {
    const home = join(folder, 'node_modules', '@iconify-json', 'some');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'icons.json'), JSON.stringify(icons));
    const licence = { title: 'MIT License', spdx: 'MIT' };
    writeFileSync(
      join(home, 'info.json'),
      JSON.stringify({ name: 'Some', author: { name: 'A. U.' }, license: licence }),
    );
    writeFileSync(join(home, 'metadata.json'), JSON.stringify({ suffixes: { two: 'Two' } }));
    writeFileSync(join(home, 'package.json'), JSON.stringify({ version: '1.2.3' }));
  };

  test('gives the icons that are neither hidden, nor aliases, nor left out by its rule', () => {
    write({
      height: 24,
      icons: {
        'cat-two': { body: '<path/>', width: 20 },
        dog: { body: '<g/>', hidden: true },
        'ios-fox': { body: '<g/>' },
      },
      aliases: { tiger: { parent: 'cat-two' } },
    });
    const set = readIconSet(folder, { name: 'some', keep: (icon) => !icon.startsWith('ios-') });
    expect(set).toEqual({
      name: 'some',
      title: 'Some',
      author: 'A. U.',
      licence: 'MIT',
      version: '1.2.3',
      icons: [{ name: 'cat-two', caption: 'cat', body: '<path/>', box: [0, 0, 20, 24] }],
    });
  });

  test('of another form is refused, and so is a missing one', () => {
    write({ symbols: {} });
    expect(() => readIconSet(folder, { name: 'some' })).toThrow(UsageError);
    expect(() => readIconSet(folder, { name: 'some' })).toThrow('Expected an object "icons"');
    expect(() => readIconSet(folder, { name: 'other' })).toThrow('Cannot read');
  });

  test.each([
    ['fluent', 'cat-24-regular', true],
    ['fluent', 'cat-20-regular', false],
    ['healthicons', 'heart-24px', false],
    ['heroicons', 'bell-16-solid', false],
    ['heroicons', 'bell-solid', true],
    ['ion', 'md-add', false],
    ['ion', 'add-outline', true],
  ])('%s: %s is used: %s', (name, icon, used) => {
    expect(ruleOf(name).keep!(icon)).toBe(used);
  });

  test('of a quick run is a set of the demo, and never the unseen one', () => {
    expect(() => quickSets.map(ruleOf)).not.toThrow();
    expect(quickSets).not.toContain(unseenSet);
    expect(() => ruleOf('noto')).toThrow(RangeError);
  });
});

test('packages that are missing, or of another version, are named', () => {
  const at = (...path: string[]) => join(folder, ...path, 'package.json');
  mkdirSync(join(folder, 'node_modules', 'old'), { recursive: true });
  mkdirSync(join(folder, 'node_modules', 'right'), { recursive: true });
  writeFileSync(at(), JSON.stringify({ dependencies: { old: '2.0.0', right: '1.0.0', absent: '1.0.0' } }));
  writeFileSync(at('node_modules', 'old'), JSON.stringify({ version: '1.0.0' }));
  writeFileSync(at('node_modules', 'right'), JSON.stringify({ version: '1.0.0' }));
  expect(missingPackages(folder)).toEqual(['old', 'absent']);
});

test('each set of the demo is pinned in examples/icons, and the lockfile names no registry', () => {
  const home = join(__dirname, '..', '..', 'icons');
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const { name } of setRules) expect(dependencies[`@iconify-json/${name}`]).toMatch(/^\d+\.\d+\.\d+$/);
  expect(readFileSync(join(home, 'package-lock.json'), 'utf8')).not.toMatch(
    /"resolved"|https?:\/\/[^"]*registry/,
  );
});

describe('a collection', () => {
  const bar = toyParts[0]!;

  test('knows captions by how many training icons have them, and the caption of each', () => {
    const { icons, train, captions, captionOf: caption, unseen, sets } = toyCollection;
    expect(train.length).toBeGreaterThan(200);
    expect(unseen).toHaveLength(80);
    expect(Array.from(unseen, (icon) => sets[icons[icon]!.set]!.name)).not.toContain('thin');
    expect(Array.from(train, (icon) => icons[icon]!.caption)).toEqual(
      Array.from(caption, (place) => captions[place]),
    );
    const counts = captions.map((_, place) => caption.filter((other) => other === place).length);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
  });

  test('leaves out blank icons', () => {
    const ink = bar.ink.slice();
    ink.fill(0, 0, imagePixels);
    ink.fill(1, imagePixels, 2 * imagePixels);
    const { icons } = collect([{ ...bar, ink }], 'none');
    expect(icons).toHaveLength(78);
  });

  test('leaves out training icons that look like an unseen one, and keeps the others', () => {
    const copy = { set: { ...bar.set, name: 'copy' }, ink: bar.ink };
    const { train, unseen, copies } = collect([bar, toyParts[3]!, copy], 'copy');
    expect(unseen).toHaveLength(80);
    expect(copies).toBeGreaterThanOrEqual(80);
    expect(train.length).toBe(160 - copies);
    expect(train.length).toBeGreaterThan(40);
  });

  test('a coarse picture forgives a little ink, not much', () => {
    const ink = new Uint8Array(imagePixels).fill(120);
    const little = ink.map((value, i) => value + (i % 7));
    const much = ink.map((value, i) => (i < 128 ? 255 : value));
    expect(coarsePicture(little)).toBe(coarsePicture(ink));
    expect(coarsePicture(much)).not.toBe(coarsePicture(ink));
  });
});

/** Draws each icon in one grey, which its body names: <g fill="17"/>. Fails on a sheet with the body "bad". */
async function rasterise(svg: string): Promise<Uint8Array> {
  if (svg.includes('bad')) throw new Error('bad');
  const [, width, height] = /^<svg [^>]* width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
  const pixels = new Uint8Array(width! * height!).fill(255);
  for (const [, left, top, grey] of svg.matchAll(/<svg x="(\d+)" y="(\d+)"[^>]*>.*?fill="(\d+)"/g)) {
    for (let y = Number(top); y < Number(top) + imageSize; y++)
      pixels.fill(Number(grey), y * width! + Number(left), y * width! + Number(left) + imageSize);
  }
  return pixels;
}

const grey = (value: number | string): Drawing => ({ body: `<g fill="${value}"/>`, box: [0, 0, 24, 24] });

describe('a sheet', () => {
  test.each([1, 5, 16, 17, sheetIcons])('of %d icons is cut into the ink of each', async (count) => {
    const pixels = await drawSheet(
      Array.from({ length: count }, (_, i) => grey(i)),
      rasterise,
    );
    expect(pixels).toHaveLength(count * imagePixels);
    for (let i = 0; i < count; i++) {
      const own = pixels.subarray(i * imagePixels, (i + 1) * imagePixels);
      expect(own.every((ink) => ink === 255 - i)).toBe(true);
    }
  });

  test('with one icon that cannot be drawn leaves only that one empty', async () => {
    const pixels = await drawSheet([grey(0), { body: 'bad', box: [0, 0, 1, 1] }, grey(5)], rasterise);
    expect([0, 1, 2].map((i) => pixels[i * imagePixels + 9])).toEqual([255, 0, 250]);
  });

  test('keeps the ids of two icons from each other', () => {
    const body = '<mask id="a"><path/></mask><path mask="url(#a)"/><use xlink:href="#a"/>';
    const sheet = sheetOf([grey(1), { body, box: [1, 2, 3, 4] }]);
    expect(sheet).toContain(
      '<mask id="i1-a"><path/></mask><path mask="url(#i1-a)"/><use xlink:href="#i1-a"/>',
    );
    expect(sheet).toContain('viewBox="1 2 3 4"');
  });

  test('of another size than was asked for is refused', async () => {
    // each icon is drawn alone then, fails again, and is empty
    expect(await drawSheet([grey(1), grey(2)], async () => new Uint8Array(3))).toEqual(
      new Uint8Array(2 * imagePixels),
    );
  });
});

describe('the cache of pixels', () => {
  const set: IconSet = {
    ...{ name: 'toy', title: 'Toy', author: '', licence: '', version: '1' },
    icons: Array.from({ length: 300 }, (_, i) => ({ name: `i${i}`, caption: `i${i}`, ...grey(i % 200) })),
  };
  let drawn: number;
  const cache = (): PixelCache => ({
    folder: join(folder, 'cache'),
    program: 'toy 1',
    rasterise: (svg) => {
      drawn++;
      return rasterise(svg);
    },
  });
  beforeEach(() => {
    drawn = 0;
  });

  test('draws once, and tells its progress', async () => {
    const told: number[] = [];
    const first = await pixelsOf(set, { ...cache(), onProgress: (_, done) => told.push(done) });
    expect(drawn).toBe(2);
    expect(told.at(-1)).toBe(300);
    expect(first[299 * imagePixels]).toBe(255 - 99);
    expect(await pixelsOf(set, cache())).toEqual(first);
    expect(drawn).toBe(2);
  });

  test.each([
    ['the version of the set', { ...set, version: '2' }, {}],
    ['the drawing program', set, { program: 'toy 2' }],
    ['the icons', { ...set, icons: set.icons.slice(1) }, {}],
  ])('draws again where %s changed', async (_, changed, settings) => {
    await pixelsOf(set, cache());
    const before = drawn;
    const pixels = await pixelsOf(changed, { ...cache(), ...settings });
    expect(drawn).toBe(before + 2);
    expect(pixels).toHaveLength(changed.icons.length * imagePixels);
  });

  test('draws again where the file was damaged', async () => {
    const first = (await pixelsOf(set, cache())).slice();
    const path = join(folder, 'cache', 'toy.bin');
    const bytes = readFileSync(path);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(path, bytes);
    expect(await pixelsOf(set, cache())).toEqual(first);
    expect(drawn).toBe(4);
  });
});
