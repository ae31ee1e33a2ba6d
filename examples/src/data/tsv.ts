/**
 * A user's own pairs: a UTF-8 file, one `left<TAB>right` a line, which `infcl/data` reads and checks. Repeated pairs are
 * dropped, because a pair that is in training and in the test would be no test.
 */

import { basename } from 'node:path';
import { isInfclError } from 'infcl';
import { openDataset, type TextBatch } from 'infcl/data';
import { UsageError } from '../errors.js';
import { checkRegularFile } from '../saved/regular-file.js';
import type { Pairs } from './pairs.js';

/** Fewer pairs than this leave nothing worth ranking. */
const fewestPairs = 64;

const tidy = (text: string) => text.normalize('NFC').trim();

/** Throws {@link UsageError}, with the file and the line, for content that is no pairs of texts. */
export async function readPairs(path: string): Promise<{ left: string[]; right: string[] }> {
  const { queries, keys, perQuery } = await readAll(path);
  if (perQuery > 0) {
    throw new UsageError(`Expected two columns, left<TAB>right, in ${path} but received ${2 + perQuery}`);
  }
  const seen = new Set<string>();
  const left: string[] = [];
  const right: string[] = [];
  queries.forEach((query, i) => {
    const [one, other] = [tidy(query), tidy(keys[i]!)];
    if (seen.has(`${one}\t${other}`)) return;
    seen.add(`${one}\t${other}`);
    left.push(one);
    right.push(other);
  });
  return { left, right };
}

async function readAll(path: string): Promise<TextBatch> {
  try {
    const data = await openDataset(path, { format: 'tsv', header: false, quotes: false });
    return await data.read(Array.from({ length: data.rows }, (_, row) => row));
  } catch (error) {
    throw isInfclError(error) && error.code === 'ERR_DATA' ? new UsageError(error.message) : error;
  }
}

/** Throws {@link UsageError} for a file that cannot be read, malformed lines, and fewer than 64 pairs. */
export async function loadTsv(path: string): Promise<Pairs> {
  checkRegularFile(path, '--data');
  const { left, right } = await readPairs(path);
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
