/**
 * From a text to the columns and weights of the text encoder's input: words and parts of words, hashed. Training in
 * Node and the page in a browser both run this file, so that they see the same. Refuses to keep a vocabulary, and
 * imports nothing.
 */

export const textColumns = 16_384;
/** Weight of all parts of a word together, beside 1 for the word. */
const partsWeight = 0.7;
/** A page that is given a whole book answers for its beginning. */
const mostWords = 32;
const mostLetters = 64;

export interface TextFeatures {
  columns: number[];
  /** Their squares sum to 1, unless there is no column. */
  values: number[];
}

/** Words of letters and digits of any script, in lower case. */
export function wordsOf(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return words
    .filter((word) => word !== '')
    .slice(0, mostWords)
    .map((word) => [...word].slice(0, mostLetters).join(''));
}

/**
 * Each word weighs 1. Its parts, which are 3 and 4 letters long with the ends marked as ^ and $, weigh 0.7 /
 * sqrt(number of parts) each. Tokens in one column add up.
 */
export function textFeatures(text: string): TextFeatures {
  const weights = new Map<number, number>();
  const add = (token: string, weight: number) => {
    const column = hash(token) % textColumns;
    weights.set(column, (weights.get(column) ?? 0) + weight);
  };
  for (const word of wordsOf(text)) {
    // no part contains a space
    add(`${word} `, 1);
    const parts = partsOf(word);
    for (const part of parts) add(part, partsWeight / Math.sqrt(parts.length));
  }
  const length = Math.hypot(...weights.values());
  return { columns: [...weights.keys()], values: [...weights.values()].map((weight) => weight / length) };
}

function partsOf(word: string): string[] {
  const letters = ['^', ...word, '$'];
  const parts: string[] = [];
  for (const length of [3, 4]) {
    for (let i = 0; i + length <= letters.length; i++) parts.push(letters.slice(i, i + length).join(''));
  }
  return parts;
}

const hashes = new Map<string, number>();
const utf8 = new TextEncoder();
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of the UTF-8 bytes, as zlib computes it. */
export function hash(token: string): number {
  const known = hashes.get(token);
  if (known !== undefined) return known;
  let crc = 0xffffffff;
  for (const byte of utf8.encode(token)) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 255]!;
  const value = (crc ^ 0xffffffff) >>> 0;
  hashes.set(token, value);
  return value;
}
