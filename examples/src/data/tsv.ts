/**
 * A user's own pairs: a UTF-8 file, one `left<TAB>right` a line. Blank lines are skipped and repeated pairs are
 * dropped, because a pair that is in training and in the test would be no test. Refuses lines of any other form,
 * naming file and line.
 */

import { basename } from 'node:path';
import { UsageError } from '../errors.js';
import { readRegularFile } from '../saved/regular-file.js';
import type { Pairs } from './pairs.js';
import { decodeUtf8 } from './utf8.js';

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
      throw new UsageError(
        `Expected two columns, left<TAB>right, in ${path} line ${index + 1} but received ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
    seen.add(line);
    left.push(columns[0]!);
    right.push(columns[1]!);
  }
  return { left, right };
}

/** Throws {@link UsageError} for a file that cannot be read, malformed lines, and fewer than 64 pairs. */
export function loadTsv(path: string): Pairs {
  const { left, right } = parseTsv(decodeUtf8(readRegularFile(path, '--data'), path), path);
  if (left.length < fewestPairs) {
    throw new UsageError(
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
