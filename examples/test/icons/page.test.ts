/** The page: its data, its search, its markup, and its behaviour in a real browser. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { type PageHeader, unpack } from '../../src/icons/client/page-data.js';
import { IconSearch } from '../../src/icons/client/search.js';
import { textColumns, textFeatures } from '../../src/icons/client/text-tokens.js';
import { galleryOf } from '../../src/icons/page/gallery.js';
import { inlineScript } from '../../src/icons/page/inline-script.js';
import { pack } from '../../src/icons/page/pack.js';
import { renderPage } from '../../src/icons/page/page-html.js';
import { fromBytes, principalDirections, projectRows, toBytes } from '../../src/icons/page/principal.js';
import { Random } from '../../src/random.js';
import { startJax } from '../../src/train/jax-side.js';
import { Browser, findChromium } from './browser.js';
import { toyCollection } from './toy-icons.js';

const random = new Random(6);
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());

/** The page's script, compiled from the sources as the build does. */
const script = inlineScript((name) => {
  const source = readFileSync(join(__dirname, '../../src/icons/client', name.replace('.js', '.ts')), 'utf8');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  return ts.transpileModule(source, { compilerOptions }).outputText;
});

/**
 * A page of seven icons, one for each of seven words: word i has its own direction, and so has icon i. Two icons
 * are unseen; names and bodies are hostile.
 */
const words = ['rain', 'heart', 'bicycle', 'music', 'snow', 'chart', 'arrow'];
const dim = 8;
const hostile = `<img src=x onerror="window.hacked=1">`;

function toyPage(): { header: PageHeader; data: string } {
  const text = new Float32Array(textColumns * dim);
  words.forEach((word, i) => {
    for (const column of textFeatures(word).columns) text[column * dim + i] = 1;
  });
  const icons = Float32Array.from({ length: words.length * dim }, (_, i) =>
    i % dim === Math.floor(i / dim) ? 1 : 0.01,
  );
  const header: PageHeader = {
    dim,
    columns: textColumns,
    sets: [
      { title: 'Unseen & co', unseen: true },
      { title: 'Other', unseen: false },
    ],
    icons: {
      set: words.map((_, i) => (i < 2 ? 0 : 1)),
      name: words.map((word, i) => (i === 1 ? hostile : `${word}-name`)),
      caption: words.map((word, i) => (i === 1 ? hostile : word)),
      box: words.map(() => '0 0 24 24'),
      body: words.map((_, i) => `<circle cx="12" cy="12" r="${i + 3}"/><script>window.hacked=1</script>`),
    },
    words: [...words, hostile],
  };
  const rows = (data: Float32Array) => toBytes({ rows: data.length / dim, columns: dim, data });
  return { header, data: pack(header, rows(text), rows(icons)) };
}

const page = toyPage();

test('what is packed is unpacked', async () => {
  const { textScales, textValues, iconScales, iconValues, ...header } = await unpack(`\n${page.data}\n`);
  expect(header).toEqual(page.header);
  expect([textScales.length, textValues.length]).toEqual([textColumns, textColumns * dim]);
  expect([iconScales.length, iconValues.length]).toEqual([7, 56]);
  expect(iconScales[3]! * iconValues[3 * dim + 3]!).toBeCloseTo(1, 6);
  await expect(unpack('AAAA')).rejects.toThrow();
});

test('the search finds the icon of a word and the word of an icon, and knows nothing of other texts', async () => {
  const search = new IconSearch(await unpack(page.data));
  words.forEach((word, i) => {
    const feature = search.encode(word.toUpperCase())!;
    expect(Math.hypot(...feature)).toBeCloseTo(1, 5);
    expect(search.icons(feature, 3, false)[0]!.index).toBe(i);
    expect(search.wordsOf(i, 2)[0]!.index).toBe(i);
  });
  expect(search.icons(search.encode('bicycle')!, 10, true).map(({ index }) => index)).toEqual(
    expect.arrayContaining([0, 1]),
  );
  expect(search.icons(search.encode('bicycle')!, 10, true)).toHaveLength(2);
  expect(search.encode('qqqq')).toBeUndefined();
  expect(search.encode('')).toBeUndefined();
});

test('bytes are within half a step of the numbers, and rows of zeros stay so', () => {
  const data = normals(40);
  data.fill(0, 8, 16);
  const bytes = toBytes({ rows: 5, columns: 8, data });
  const back = fromBytes(bytes);
  back.data.forEach((value, i) => {
    expect(Math.abs(value - data[i]!)).toBeLessThanOrEqual(0.51 * bytes.scales[Math.floor(i / 8)]!);
  });
  expect(Array.from(back.data.subarray(8, 16))).toEqual(new Array(8).fill(0));
});

test('principal directions keep dot products where the rows have few directions', async () => {
  await startJax();
  const [rows, wide, narrow] = [60, 12, 4];
  const [left, right] = [normals(rows * narrow), normals(narrow * wide)];
  const data = new Float32Array(rows * wide);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < wide; j++)
      for (let k = 0; k < narrow; k++) data[i * wide + j]! += left[i * narrow + k]! * right[k * wide + j]!;
  const features = { data, shape: [rows, wide] as const };
  const projected = await projectRows(features, await principalDirections([features], narrow));
  const dot = (a: Float32Array, n: number, i: number, j: number) =>
    Array.from({ length: n }, (_, d) => a[i * n + d]! * a[j * n + d]!).reduce((sum, value) => sum + value, 0);
  for (let i = 1; i < rows; i += 7) {
    const exact = dot(data, wide, 0, i);
    expect(Math.abs(dot(projected.data, narrow, 0, i) - exact)).toBeLessThan(0.01 * (1 + Math.abs(exact)));
  }
});

test('the gallery has one icon of each caption and set, the unseen ones first, no brands, and ends where it is full', () => {
  const { icons, sets, unseen } = toyCollection;
  const brands = icons.map((icon, i) => (i % 9 === 0 ? { ...icon, name: `brand-${icon.name}` } : icon));
  const doubled = brands.map((icon) => ({ ...icon, caption: icon.caption.split(' ')[0]! }));
  const shown = ['bold', 'thin'];
  const gallery = galleryOf({ ...toyCollection, icons: doubled }, 100, shown);
  const names = Array.from(gallery, (i) => sets[icons[i]!.set]!.name);
  expect([...new Set(names)]).toEqual(['unseen', 'bold', 'thin']);
  expect(gallery).toHaveLength(12);
  expect(Array.from(gallery, (i) => doubled[i]!.name).some((name) => name.startsWith('brand-'))).toBe(false);
  expect(galleryOf(toyCollection, 90, shown)).toHaveLength(90);
  expect(Array.from(galleryOf(toyCollection, 80, shown))).toEqual(Array.from(unseen));
});

describe('the markup', () => {
  const notices = [{ title: hostile, author: '"&', licence: 'MIT', version: '1', unseen: true }];

  test('escapes what sets say of themselves, and fetches nothing', () => {
    const html = renderPage({ script, data: page.data, notices });
    expect(html).not.toContain(hostile);
    expect(html).toContain('&lt;img src=x onerror=');
    expect(html).not.toMatch(/<link|<img|@import|url\(\s*['"]?http|<[^>]*\ssrc=/i);
    expect(html).toContain('default-src &#39;none&#39;');
  });

  test('takes data in base64 only', () => {
    expect(() => renderPage({ script, data: '</script>', notices })).toThrow('base64');
  });

  test.each([
    ['import of another form', "import x from 'y'\nconst a = 1;", 'Cannot inline'],
    ['export of another form', 'const a = 1;\nexport default a;', 'Cannot inline'],
    ['end of a script', "const a = '</script>';", 'without "</script"'],
  ])('refuses a script with an %s', (_, text, message) => {
    expect(() => inlineScript(() => text)).toThrow(message);
  });
});

const program = findChromium();
(program === undefined ? describe.skip : describe)('in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  const ready = "document.getElementById('status')?.textContent.startsWith('Type a word')";
  const shown = () =>
    browser.evaluate<string[]>("[...document.querySelectorAll('#results button')].map((b) => b.textContent)");
  const status = () => browser.evaluate<string>("document.getElementById('status').textContent");
  const focused = () =>
    browser.evaluate<string>('document.activeElement.textContent || document.activeElement.id');
  const search = async (text: string) => {
    await browser.evaluate(
      "(() => { const q = document.getElementById('query'); q.focus(); q.select(); })()",
    );
    await browser.type(text);
  };
  const visible = (id: string) =>
    browser.evaluate<boolean>(`document.getElementById('${id}').checkVisibility()`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-page-'));
    const path = join(folder, 'icons.html');
    const about = { author: 'nobody', licence: 'MIT', version: '1.0.0' };
    const notices = page.header.sets.map((set) => ({ ...set, ...about }));
    writeFileSync(path, renderPage({ script, data: page.data, notices }));
    url = pathToFileURL(path).href;
    browser = await Browser.start(program!);
  });
  beforeEach(() => browser.open(url, {}, ready));
  afterEach(async () => {
    expect(browser.complaints).toEqual([]);
    // neither a name nor the body of an icon has become markup
    expect(await browser.evaluate('window.hacked')).toBeUndefined();
    expect(await browser.evaluate("document.querySelectorAll('img, main script').length")).toBe(0);
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  test('typing a word shows the nearest icons, best first', async () => {
    expect(await focused()).toBe('query');
    await browser.type('bicycle');
    expect((await shown())[0]).toBe('bicycle');
    expect(await shown()).toHaveLength(7);
    expect(await status()).toBe('The 7 nearest of 7 icons.');
    const mask = await browser.evaluate<string>(
      "getComputedStyle(document.querySelector('#results .icon')).maskImage",
    );
    expect(mask).toContain('data:image/svg+xml');
    expect(decodeURIComponent(mask)).toContain('r="5"');
  });

  test('the switch leaves the unseen set only', async () => {
    await browser.type('bicycle');
    await browser.click('#unseen');
    expect((await shown()).sort()).toEqual([hostile, 'rain']);
    expect(await status()).toBe('The 2 nearest of 2 icons.');
    await browser.click('#unseen');
    expect(await shown()).toHaveLength(7);
  });

  test('choosing an icon shows the nearest words, and choosing a word asks for it', async () => {
    await search('rain');
    await browser.click('#results li:first-child button');
    expect(await visible('detail')).toBe(true);
    expect(await browser.evaluate("document.getElementById('name').textContent")).toBe('rain-name');
    expect(await browser.evaluate("document.getElementById('source').textContent")).toBe(
      'Unseen & co, never seen in training',
    );
    const near = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('#words button')].map((b) => b.textContent)",
    );
    expect(near[0]).toBe('rain');
    expect(near).toContain(hostile);
    await browser.click('#words li:nth-child(2) button');
    expect(await browser.evaluate("document.getElementById('query').value")).toBe(near[1]);
    expect(await visible('detail')).toBe(false);
    expect(await focused()).toBe('query');
  });

  test('an example is asked for, and then makes room', async () => {
    await browser.click('#examples button');
    expect(await browser.evaluate("document.getElementById('query').value")).toBe('rain');
    expect((await shown())[0]).toBe('rain');
    expect(await visible('examples')).toBe(false);
  });

  test.each([
    ['nothing', '', /^Type a word to search 7 icons/],
    ['spaces', '   ', /^Type a word/],
    ['signs', '!?🙂 …', /^Type letters or digits/],
    ['markup', '<b>', /^No part of this text/],
    ['another script', '図書館', /^No part of this text/],
    ['unknown letters', 'qqqqq', /^No part of this text/],
  ])('%s is answered with words', async (_, text, message) => {
    await search('rain');
    await browser.evaluate("document.getElementById('query').select()");
    if (text === '') {
      await browser.evaluate(
        "(() => { const q = document.getElementById('query'); q.value = ''; q.dispatchEvent(new Event('input')); })()",
      );
    } else await browser.type(text);
    expect(await status()).toMatch(message);
    expect(await shown()).toEqual([]);
  });

  test('a text of any length is answered', async () => {
    await search(`rain ${'x'.repeat(5000)} ${'rain '.repeat(500)}`);
    expect((await shown())[0]).toBe('rain');
  });

  test('all of it works with keys', async () => {
    await browser.type('snow');
    await browser.press('ArrowDown');
    expect(await focused()).toBe('snow');
    await browser.press('ArrowRight');
    expect(await focused()).toBe((await shown())[1]);
    await browser.press('ArrowLeft');
    await browser.press('ArrowLeft');
    expect(await focused()).toBe('snow');
    await browser.press('Enter');
    expect(await visible('detail')).toBe(true);
    await browser.press('Escape');
    expect(await visible('detail')).toBe(false);
    expect(await focused()).toBe('snow');
    await browser.press('/');
    expect(await focused()).toBe('query');
    expect(await browser.evaluate("document.getElementById('query').value")).toBe('snow');
  });

  test.each([
    [360, false],
    [360, true],
    [1200, true],
  ])('%d pixels wide, dark %s: nothing sticks out, and text is readable', async (width, dark) => {
    await browser.open(url, { width, height: 700, dark }, ready);
    await browser.type('rain');
    await browser.click('#results li:first-child button');
    expect(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const [ink, paper] = await browser.evaluate<[string, string]>(
      '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
    );
    const light = (colour: string) => Math.max(.../\d+, \d+, \d+/.exec(colour)![0].split(', ').map(Number));
    expect(light(ink) > light(paper)).toBe(dark);
    expect(Math.abs(light(ink) - light(paper))).toBeGreaterThan(150);
  });
});
