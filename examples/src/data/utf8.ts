/**
 * Bytes of a user's file to text. Refuses what is not UTF-8, and UTF-16 in particular, by line: replaced characters
 * would be learnt as words.
 */

import { constants } from 'node:buffer';
import { UsageError } from '../errors.js';

const lineFeed = 0x0a;

/** Without a byte order mark. Throws {@link UsageError} with the number of the first line that is no text. */
export function decodeUtf8(bytes: Uint8Array, path: string): string {
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw new UsageError(
      `Expected at most ${constants.MAX_STRING_LENGTH} bytes in ${path} but received ${bytes.length}: take a part of it`,
    );
  }
  const text = decode(bytes);
  if (text === undefined) throw notText(path, firstBadLine(bytes), 'bytes that are not');
  // UTF-16 without a mark often is UTF-8 by accident, but has a NUL beside each ASCII character
  const nul = text.indexOf('\0');
  if (nul >= 0) throw notText(path, text.slice(0, nul).split('\n').length, 'a NUL, as UTF-16 has');
  return text;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return undefined;
    throw error;
  }
}

/** Counted from 1. No character of UTF-8 holds the byte of a line feed, so lines can be tried one by one. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found + 1;
    if (decode(bytes.subarray(start, end)) === undefined) return line;
    start = end;
  }
  return line;
}

function notText(path: string, line: number, received: string): UsageError {
  return new UsageError(
    `Expected UTF-8 in ${path} but line ${line} has ${received}: save it as UTF-8, or convert it with iconv`,
  );
}
