/**
 * The folder of --out, made and tried out before any work: whether it can hold what the run will write. Refuses files of
 * other kinds in the places of its own, and leaves nothing of the trial.
 */

import { mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutputError } from '../errors.js';
import { tryWriting } from './atomic-file.js';
import { systemReason } from './regular-file.js';

/**
 * Throws {@link OutputError}.
 * @param names Files that the run will write into the folder.
 * @param bytes Size of the largest of them.
 */
export function prepareFolder(path: string, names: readonly string[], bytes: number): void {
  makeFolder(path);
  for (const name of names) {
    const place = join(path, name);
    const found = statOf(place);
    if (found !== undefined && !found.isFile()) {
      throw new OutputError(
        `Expected a file, or none yet, in ${place} but found another kind of entry: move it away`,
      );
    }
  }
  tryWriting(path, bytes);
}

/** One level at a time: the recursive form of mkdir never ends below /proc. */
function makeFolder(path: string): void {
  const missing: string[] = [];
  let existing = path;
  let found = statOf(existing);
  while (found === undefined && dirname(existing) !== existing) {
    missing.push(existing);
    existing = dirname(existing);
    found = statOf(existing);
  }
  if (!found?.isDirectory()) {
    throw new OutputError(`Expected a folder for --out but ${existing} is a file: choose another --out`);
  }
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      throw new OutputError(`Cannot make the folder ${folder}: ${systemReason(error)}`);
    }
  }
}

/** Undefined for what does not exist, of which a path below a file is a case. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw new OutputError(`Cannot use ${path} for --out: ${systemReason(error)}`);
  }
}
