/**
 * The table form of a refusal: what was given, and the code and words of the error. Every row is one test
 * that `expectRefused` makes; the class of the error follows from its code.
 */
import { expectRefused, matrix, type Thrown } from './fake-binding';

export interface Refusal {
  what: string;
  options: unknown;
  code: string;
  /** Part of the message. */
  message: string;
  /** Default: as many as the three queries. */
  keys?: unknown;
}

export const classOf: Record<string, Thrown['type']> = {
  ERR_TYPE: TypeError,
  ERR_OPTION: TypeError,
  ERR_DETACHED: TypeError,
  ERR_ENCODER: TypeError,
  ERR_NOT_IMPLEMENTED: Error,
  ERR_BACKEND_UNAVAILABLE: Error,
  ERR_DEVICE: Error,
  ERR_DTYPE: TypeError,
};

/** Makes the tests: three queries of four features, and keys like them unless the row brings its own. */
export function refuses(name: string, rows: Refusal[], gradientOnly = false): void {
  it.each(rows)(`${name}: $what`, ({ options, code, message, keys = matrix(3, 4) }) =>
    expectRefused(
      { queries: matrix(3, 4), keys, options },
      { type: classOf[code] ?? RangeError, code, message },
      gradientOnly,
    ),
  );
}

type MakeRefusal = (what: string, options: unknown, message: string) => Refusal;
const withCode =
  (code: string): MakeRefusal =>
  (what, options, message) => ({ what, options, code, message });

export const badValue = withCode('ERR_VALUE');
export const badType = withCode('ERR_TYPE');
export const badShape = withCode('ERR_SHAPE');
export const badName = withCode('ERR_OPTION');
export const notYet = withCode('ERR_NOT_IMPLEMENTED');
export const overlapping = withCode('ERR_OVERLAP');
export const detached = withCode('ERR_DETACHED');
