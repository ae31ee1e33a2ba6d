/** Tokens, hashing and padding. */

import { hashRows, padRows } from '../src/features/hashing.js';
import { ngramTokens, pronunciationTokens, writtenWordTokens } from '../src/features/tokens.js';

test('a written word: length, characters alone and by index from both ends', () => {
  expect(writtenWordTokens('词典')).toEqual(['n2', 'u词', 's0词', 'e1词', 'u典', 's1典', 'e0典']);
});

test('a pronunciation: the same on toned syllables, and toneless ones', () => {
  expect(pronunciationTokens('Ci2 dian3')).toEqual([
    ...['n2', 'uci2', 's0ci2', 'e1ci2', 'udian3', 's1dian3', 'e0dian3'],
    ...['tci', 'p0ci', 'tdian', 'p1dian'],
  ]);
});

test('n-grams mark the borders of words', () => {
  expect(ngramTokens('Ab')).toEqual(['^', 'a', 'b', '$', '^a', 'ab', 'b$', '^ab', 'ab$', '^ab$', 'wab']);
});

test('the column is crc32 mod columns and the sign its highest bit', () => {
  // the check value of crc32: 0xcbf43926, whose highest bit is set
  const matrix = hashRows(['123456789'], (text) => [text], 4096);
  expect([...matrix.columns]).toEqual([0xcbf43926 % 4096]);
  expect([...matrix.values]).toEqual([-1]);
});

test('rows have unit length and each column once', () => {
  const matrix = hashRows(['ci2 dian3', 'a1', 'ma1 ma5'], pronunciationTokens, 16);
  for (let i = 0; i < matrix.rows; i++) {
    const [start, end] = [matrix.starts[i]!, matrix.starts[i + 1]!];
    const columns = matrix.columns.subarray(start, end);
    expect(new Set(columns).size).toBe(columns.length);
    const square = matrix.values.subarray(start, end).reduce((sum, value) => sum + value * value, 0);
    expect(square).toBeCloseTo(1, 6);
  }
});

test('padding keeps order and fills with weight 0', () => {
  const matrix = hashRows(['a', 'a b c', 'a b c d e'], (text) => text.split(' '), 4096);
  const padded = padRows(matrix, Int32Array.of(1, 0));
  expect(padded).toMatchObject({ rows: 2, width: 3 });
  expect([...padded.columns.subarray(0, 3)]).toEqual([...matrix.columns.subarray(1, 4)]);
  expect([...padded.values.subarray(3)]).toEqual([matrix.values[0], 0, 0]);
  expect(padRows(matrix, Int32Array.of(2)).width).toBe(5);
});
