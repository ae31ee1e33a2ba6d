/** The dictionary's rules and figures, the split, and files of a user's own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCedict, parseCedict } from '../src/data/cedict.js';
import { cedictSizes, scaledSizes, splitRows } from '../src/data/pairs.js';
import { readPairs } from '../src/data/tsv.js';

describe('CC-CEDICT', () => {
  test('keeps the 95,940 words that mean something themselves', () => {
    const { left, right } = loadCedict();
    expect(right).toHaveLength(95_940);
    expect(left).toHaveLength(95_940);
    expect(new Set(right).size).toBe(95_940);
    expect(right.every((word, i) => left[i]!.split(' ').length === word.length)).toBe(true);
    expect(left[right.indexOf('词典')]).toBe('ci2 dian3');
  });

  test.each([
    ['a plain row', '詞典 词典 [ci2 dian3] /dictionary/', [['词典', 'ci2 dian3']]],
    ['ü as v', '綠 绿 [lu:4] /green/', [['绿', 'lv4']]],
    ['no proper names', '北京 北京 [Bei3 jing1] /Beijing, capital of China/', []],
    ['no mere variants', '喆 喆 [zhe2] /old variant of 哲[zhe2]/', []],
    ['no mere classifiers or abbreviations', '個 个 [ge4] /CL:個|个[ge4]/abbr. for something/', []],
    ['a sense beside a variant is enough', '喆 喆 [zhe2] /variant of 哲[zhe2]/wise/', [['喆', 'zhe2']]],
    ['nothing but brackets is no sense', '啊 啊 [a5] /(particle)/', []],
    ['no letters', '3C 3C [san1 C] /computers/', []],
    ['comments', '# 詞典 词典 [ci2 dian3] /dictionary/', []],
    ['the first row of a word', '長 长 [chang2] /long/\n長 长 [zhang3] /chief/', [['长', 'chang2']]],
    ['as many syllables as characters', '瓩 瓩 [qian1 wa3] /kilowatt/', []],
  ])('%s', (_, text, expected) => {
    const { pinyin, words } = parseCedict(text);
    expect(words.map((word, i) => [word, pinyin[i]])).toEqual(expected);
  });
});

describe('split', () => {
  test('parts are disjoint, of the asked sizes, and depend on the seed alone', () => {
    const split = splitRows(95_940, cedictSizes, 7);
    const all = [...split.test, ...split.validation, ...split.train];
    expect([split.test.length, split.validation.length, split.train.length]).toEqual([2048, 2048, 65_536]);
    expect(new Set(all).size).toBe(all.length);
    expect(Math.min(...split.test)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...split.test)).toBeLessThan(95_940);
    expect(splitRows(95_940, cedictSizes, 7).test).toEqual(split.test);
    expect(splitRows(95_940, cedictSizes, 8).test).not.toEqual(split.test);
  });

  test('scales with the data and refuses too little of it', () => {
    expect(scaledSizes(160)).toEqual({ test: 10, validation: 10, train: 140 });
    expect(scaledSizes(1_000_000).test).toBe(2048);
    expect(() => splitRows(10, cedictSizes, 0)).toThrow(
      'Expected at least 69632 pairs for the split but received 10',
    );
  });
});

describe('TSV', () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-tsv-'));
  const path = join(folder, 'x.tsv');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('reads pairs, skips blank lines, drops repeats', async () => {
    writeFileSync(path, 'a b\tc\r\n\nd\te\n a b\tc \n"q\te\u0301\n');
    expect(await readPairs(path)).toEqual({ left: ['a b', 'd', '"q'], right: ['c', 'e', '\u00e9'] });
  });

  test.each(['a\tb\nno tab', 'a\tb\nx\ty\tz', 'a\tb\n\ty'])('refuses %j by line', async (text) => {
    writeFileSync(path, text);
    await expect(readPairs(path)).rejects.toThrow(`${path}:2: Expected`);
  });
});
