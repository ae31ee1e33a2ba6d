/** What the tests of refused mining share: a call whose error is returned, and the form of an expected error. */
import { mineHardNegatives } from '../../lib';
import type { Thrown } from '../lib/fake-binding';

export const bad = (type: typeof Error, code: string, message: string): Thrown => ({ type, code, message });
export const ints = (...values: number[]) => Int32Array.from(values);

/** The error of `mineHardNegatives`, or an error that says that there was none. */
export async function rejection(...[queries, keys, options]: unknown[]) {
  const call = mineHardNegatives as (...args: unknown[]) => Promise<unknown>;
  return call(queries, keys, options).then(
    () => new Error('no error') as never,
    (error) => error,
  );
}
