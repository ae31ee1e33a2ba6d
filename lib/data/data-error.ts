/** Errors about the content of a file: ERR_DATA, with the file and the line. */

import { shorten } from '../describe';
import { codedError, type InfclError } from '../errors';

/** @param where The file and the line, as "pairs.tsv:12". */
export function dataError(where: string, text: string, cause?: unknown): InfclError {
  return codedError('ERR_DATA', `${where}: ${text}`, cause);
}

/** A text of a file as a message shows it: short, in quotes, without control characters. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text));
}
