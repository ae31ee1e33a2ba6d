/**
 * Reads a whole file that a person named. Refuses what is no regular file: a FIFO or a terminal would keep the process
 * waiting where no Ctrl-C is heard.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { UsageError } from '../errors.js';

/** Throws {@link UsageError}, which names the file by `what` and path. */
export function readRegularFile(path: string, what: string): Buffer {
  return withRegularFile(path, what, (file) => readFileSync(file));
}

/** As {@link readRegularFile}, of a file that is read later. */
export function checkRegularFile(path: string, what: string): void {
  withRegularFile(path, what, () => undefined);
}

function withRegularFile<T>(path: string, what: string, use: (file: number) => T): T {
  try {
    // without O_NONBLOCK the opening of a FIFO waits for someone to write; Windows has neither
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = fstatSync(file);
      if (!stats.isFile())
        throw new UsageError(`Expected a file for ${what} but ${path} is ${kindOf(stats)}`);
      return use(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ${what} ${path}: ${systemReason(error)}`);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** "no such file or directory (ENOENT)" of an error of node:fs. Rethrows what is none: that is a defect. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  const [, reason = message] = /^[A-Z0-9]+: (.*?)(?:, \w+.*)?$/.exec(message) ?? [];
  return `${reason} (${code})`;
}
