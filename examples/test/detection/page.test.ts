/**
 * The page of scenes: its data, its way from words to boxes, its markup, and its behaviour in a real browser.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { unpack } from '../../src/detection/client/page-data.js';
import { fitsOf } from '../../src/detection/client/query.js';
import type { TestedScene } from '../../src/detection/evaluate/test-scenes.js';
import { conceptTexts } from '../../src/detection/features/concept-texts.js';
import { buildPage, pageScript } from '../../src/detection/page/build-page.js';
import { renderPage } from '../../src/detection/page/page-html.js';
import { blank } from '../../src/detection/scenes/picture.js';
import { sceneSide } from '../../src/detection/scenes/scene.js';
import { featureDim } from '../../src/detection/train/region-model.js';
import { encodeText } from '../../src/icons/client/text-encoder.js';
import { textColumns, textFeatures } from '../../src/icons/client/text-tokens.js';
import { encodeTexts } from '../../src/icons/train/text-side.js';
import { Browser, findChromium } from '../icons/browser.js';

/** The page's script, compiled from the sources as the build does. */
const script = pageScript((name) => {
  const path = join(__dirname, '../../src/detection/client', name.replace('.js', '.ts'));
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  return ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions }).outputText;
});

/** Concept i has its own direction, and so have boxes that show it. One name is hostile. */
const hostile = `<img src=x onerror="window.hacked=1">`;
const concepts = ['rain', 'heart', 'bicycle', hostile].map((label, i) => ({ code: `${i}`, label, tags: [] }));
const texts = conceptTexts(concepts);
const scale = 20;

const textWeights = new Float32Array(textColumns * featureDim);
['rain', 'heart', 'bicycle'].forEach((word, i) => {
  for (const column of textFeatures(word).columns) textWeights[column * featureDim + i] = 1;
});
const direction = (concept: number) => {
  const feature = new Float32Array(featureDim);
  feature[concept] = 1;
  return feature;
};

const box = (left: number, top: number, side = 40) => ({ left, top, right: left + side, bottom: top + side });
const found = (place: ReturnType<typeof box>, concept: number, score: number) => ({
  box: place,
  objectness: score,
  labels: [{ concept, score }],
  feature: direction(concept),
  pixels: new Uint8Array(0),
});
const scenes: TestedScene[] = [
  {
    picture: blank(sceneSide, sceneSide),
    things: [
      { concept: 0, box: box(0, 0) },
      { concept: 1, box: box(60, 60) },
    ],
    // right, another name, nothing there, and one below the slider's first place
    found: [
      found(box(2, 0), 0, 0.9),
      found(box(60, 58), 2, 0.6),
      found(box(85, 5), 3, 0.7),
      found(box(0, 80), 1, 0.01),
    ],
  },
  {
    picture: blank(sceneSide, sceneSide),
    things: [{ concept: 2, box: box(30, 30) }],
    found: [found(box(31, 31), 2, 0.4)],
  },
];
const notices = [
  { title: `Unseen ${hostile}`, author: '"&', licence: 'MIT', version: '1', drawings: 4, unseen: true },
  { title: 'Other', author: 'nobody', licence: 'CC-BY-4.0', version: '1', drawings: 4, unseen: false },
];

const build = () =>
  buildPage({
    emoji: { concepts, novel: Uint8Array.of(0, 1, 0, 0) },
    model: { scale, textWeights, textFeatures: encodeTexts(textWeights, texts, featureDim) },
    scenes,
    notices,
    // a WebP picture of one pixel
    encodePicture: async () =>
      Buffer.from('UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA=', 'base64'),
    script,
  });

let page: Awaited<ReturnType<typeof build>>;
beforeAll(async () => {
  page = await build();
});
const dataOf = (html: string) => /<script id="data" type="text\/plain">([^<]*)</.exec(html)![1]!;

test('the data has every scene, boxes from the least score on, and what they amount to', async () => {
  const data = await unpack(dataOf(page.html));
  expect(page.scenes).toBe(2);
  // as many boxes as things have at least 0.6, and the slider begins at one half or below
  expect(page.html).toContain('value="50"');
  expect(data.scenes.map(({ boxes }) => boxes.map(({ outcome }) => outcome))).toEqual([
    ['right', 'misnamed', 'wrong'],
    ['right'],
  ]);
  expect(data.scenes[0]!.things).toEqual([
    { label: 'rain', novel: false, box: [0, 0, 40, 40] },
    { label: 'heart', novel: true, box: [60, 60, 100, 100] },
  ]);
  expect(data.boxScales).toHaveLength(4);
  expect(data).toMatchObject({ side: sceneSide, dim: featureDim, columns: textColumns, scale });
  await expect(unpack('AAAA')).rejects.toThrow();
});

test('words fit a box as the model says, beside its own name', async () => {
  const data = await unpack(dataOf(page.html));
  const fits = fitsOf(data, encodeText(data, 'BICYCLE!')!);
  expect(fits[1]).toBe(1);
  expect(fits[3]).toBe(1);
  expect(fits[0]).toBeLessThan(1e-3);
  // two words: beside the box's own name and four others, whose products are 0; its name has a score of 0.6
  const both = encodeText(data, 'bicycle rain')!;
  expect(both[2]).toBeLessThan(0.95);
  const expected = Math.exp(scale * both[2]! - Math.log(Math.exp(scale) + 4)) / 0.6;
  expect(fitsOf(data, both)[1]! / expected).toBeCloseTo(1, 1);
  expect(encodeText(data, 'qqqq')).toBeUndefined();
});

test('the markup escapes what sets say of themselves, and fetches nothing', () => {
  expect(page.html).not.toContain(hostile);
  expect(page.html).toContain('&lt;img src=x onerror=');
  expect(page.html).not.toMatch(/<link|@import|url\(\s*['"]?http|<[^>]*\ssrc=/i);
  expect(page.html).toContain('default-src &#39;none&#39;');
  expect(() => renderPage({ script, data: '</script>', notices, startScore: 0.5 })).toThrow('base64');
});

const program = findChromium();
(program === undefined ? describe.skip : describe)('in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  const ready = "document.querySelectorAll('#scenes figure').length === 2";
  const boxes = (kind: string) =>
    browser.evaluate<string[]>(
      `[...document.querySelectorAll('.layer .box.${kind}')].map((b) => b.textContent)`,
    );
  const status = () => browser.evaluate<string>("document.getElementById('status').textContent");
  const slide = (value: number) =>
    browser.evaluate(
      `(() => { const s = document.getElementById('score'); s.value = ${value}; s.dispatchEvent(new Event('input')); })()`,
    );
  const ask = async (text: string) => {
    await browser.evaluate(
      "(() => { const q = document.getElementById('query'); q.focus(); q.select(); })()",
    );
    await browser.type(text);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-page-'));
    const path = join(folder, 'detection.html');
    writeFileSync(path, page.html);
    url = pathToFileURL(path).href;
    browser = await Browser.start(program!);
  });
  beforeEach(() => browser.open(url, {}, ready));
  afterEach(async () => {
    expect(browser.complaints).toEqual([]);
    // no name has become markup
    expect(await browser.evaluate('window.hacked')).toBeUndefined();
    expect(
      await browser.evaluate("document.querySelectorAll('img:not(.frame img), main script').length"),
    ).toBe(0);
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  test('boxes above one half are shown, each by its kind', async () => {
    expect(await boxes('right')).toEqual(['✓ rain 0.90']);
    expect(await boxes('misnamed')).toEqual(['≠ bicycle 0.60']);
    expect(await boxes('wrong')).toEqual([`✗ ${hostile} 0.70`]);
    expect(await status()).toBe(
      '2 scenes. Boxes: 1 right, 1 on a thing with a wrong name, 1 wrong. Things without a box: 1.',
    );
    // a box lies over its thing: 2 of 128 pixels from the left
    const [left, width] = await browser.evaluate<[number, number]>(
      `(() => { const f = document.querySelector('.frame').getBoundingClientRect(), b = document.querySelector('.layer .box.right').getBoundingClientRect();
        return [(b.left - f.left) / f.width, b.width / f.width]; })()`,
    );
    expect(left).toBeCloseTo(2 / 128, 2);
    expect(width).toBeCloseTo(40 / 128, 2);
  });

  test('the slider takes boxes away and brings them back', async () => {
    await slide(30);
    expect(await boxes('right')).toEqual(['✓ rain 0.90', '✓ bicycle 0.40']);
    expect(await browser.evaluate("document.getElementById('shown-score').textContent")).toBe('0.30');
    await slide(95);
    expect(await status()).toContain(
      'Boxes: 0 right, 0 on a thing with a wrong name, 0 wrong. Things without a box: 3',
    );
    await browser.click('#missed');
    expect(await boxes('missing')).toHaveLength(3);
    await slide(5);
    expect(await boxes('missing')).toHaveLength(0);
  });

  test('words highlight the boxes they fit, and bring their scenes first', async () => {
    await ask('bicycle');
    expect(await boxes('asked')).toEqual(['bicycle 1.00', 'bicycle 1.00']);
    expect(await boxes('right')).toEqual([]);
    expect(await status()).toBe(
      'These words fit 2 boxes at least half as well as its name; their scenes come first.',
    );
    await ask('heart');
    expect(await boxes('asked')).toEqual([]);
    expect(await status()).toMatch(
      /^These words fit no box half as well as its name; the best reaches 0\.\d\d/,
    );
    await ask('rain');
    expect(await boxes('asked')).toHaveLength(1);
    expect(await browser.evaluate("document.getElementById('score').disabled")).toBe(true);
  });

  test.each([
    ['markup', '<b>'],
    ['unknown letters', 'qqqqq'],
    ['signs', '!?🙂 …'],
    ['a long text', 'x'.repeat(3000)],
  ])('%s that fits nothing is answered with words', async (_, text) => {
    await ask(text);
    expect(await status()).toMatch(/^No part of these words/);
    expect(await boxes('asked')).toEqual([]);
  });

  test('an example is asked for, and an empty field shows all boxes again', async () => {
    await browser.click('#examples button');
    expect(await browser.evaluate("document.getElementById('query').value")).toBe('dog');
    await browser.evaluate(
      "(() => { const q = document.getElementById('query'); q.value = '  '; q.dispatchEvent(new Event('input')); })()",
    );
    expect(await boxes('right')).toHaveLength(1);
    expect(await browser.evaluate("document.getElementById('score').disabled")).toBe(false);
  });

  test.each([
    [360, false],
    [360, true],
    [1200, true],
  ])('%d pixels wide, dark %s: nothing sticks out, and text is readable', async (width, dark) => {
    await browser.open(url, { width, height: 700, dark }, ready);
    expect(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const [ink, paper] = await browser.evaluate<[string, string]>(
      '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
    );
    const light = (colour: string) => Math.max(.../\d+, \d+, \d+/.exec(colour)![0].split(', ').map(Number));
    expect(light(ink) > light(paper)).toBe(dark);
    expect(Math.abs(light(ink) - light(paper))).toBeGreaterThan(150);
  });
});
