/**
 * A user's own pairs: a UTF-8 file, one `left<TAB>right` a line. Blank lines are skipped and repeated pairs are
 * dropped, because a pair that is in training and in the test would be no test. Refuses lines of any other form,
 * naming file and line.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Pairs } from './pairs.js';

/** Fewer pairs than this leave nothing worth ranking. */
const fewestPairs = 64;

export function parseTsv(text: string, path: string): { left: string[]; right: string[] } {
  const seen = new Set<string>();
  const left: string[] = [];
  const right: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').normalize('NFC');
    if (line.trim() === '' || seen.has(line)) continue;
    const columns = line.split('\t').map((column) => column.trim());
    if (columns.length !== 2 || columns.includes('')) {
      throw new TypeError(
        `Expected two columns, left<TAB>right, in ${path} line ${index + 1} but received ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
    seen.add(line);
    left.push(columns[0]!);
    right.push(columns[1]!);
  }
  return { left, right };
}

/** Throws TypeError for malformed lines, RangeError for fewer than 64 pairs, and file-system errors as they are. */
export function loadTsv(path: string): Pairs {
  const { left, right } = parseTsv(readFileSync(path, 'utf8').replace(/^\ufeff/, ''), path);
  if (left.length < fewestPairs) {
    throw new RangeError(
      `Expected at least ${fewestPairs} different pairs in ${path} but received ${left.length}`,
    );
  }
  return {
    name: basename(path),
    licence: `your file ${basename(path)}`,
    leftName: 'left column',
    rightName: 'right column',
    left,
    right,
    tokens: 'ngrams',
  };
}
