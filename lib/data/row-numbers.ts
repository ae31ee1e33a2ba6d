/** The arguments of `read` of a data set: row numbers, copied and checked, and the signal. */

import { isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readRowNumbers(
  rows: unknown,
  options: unknown,
  count: number,
): { numbers: Int32Array; signal: AbortSignal | undefined } {
  const { signal } = readNames('options', options, ['signal']);
  const checkedSignal = signal === undefined ? undefined : check.abortSignal('options.signal', signal);
  if (typeof rows !== 'object' || rows === null || isRevokedProxy(rows)) {
    throw check.invalid('ERR_TYPE', 'rows', 'array of row numbers', rows);
  }
  const length = check.nonNegativeInteger('rows.length', (rows as ArrayLike<unknown>).length);
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const row = check.nonNegativeInteger(`rows[${i}]`, (rows as ArrayLike<unknown>)[i]);
    if (row >= count) {
      throw codedError(
        'ERR_VALUE',
        `Expected rows[${i}] below ${count}, the number of rows, but received ${row}`,
      );
    }
    numbers[i] = row;
  }
  return { numbers, signal: checkedSignal };
}
