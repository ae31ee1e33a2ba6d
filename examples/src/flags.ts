/** Reads flags and checks single ones, for the command lines of all demos. Refuses values by the name of their flag. */

import { parseArgs } from 'node:util';
import { UsageError } from './errors.js';

/**
 * The flags as they were written, undefined where absent. Throws {@link UsageError} for unknown flags, for words that
 * are no flag, and for a flag without its value.
 */
export function readFlags<Text extends string, Switch extends string>(
  args: readonly string[],
  names: { texts: readonly Text[]; switches: readonly Switch[] },
): Partial<Record<Text, string> & Record<Switch, boolean>> {
  const options = Object.fromEntries([
    ...names.texts.map((name) => [name, { type: 'string' }] as const),
    ...names.switches.map((name) => [name, { type: 'boolean' }] as const),
  ]);
  try {
    return parseArgs({ args: [...args], options }).values as Partial<
      Record<Text, string> & Record<Switch, boolean>
    >;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** As many as infcl takes. */
export const mostThreads = 1024;

export function wholeNumber(
  flag: string,
  value: string | undefined,
  least: number,
  most = 2 ** 31 - 1,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new UsageError(
      `Expected whole number from ${least} to ${most} for ${flag} but received ${JSON.stringify(value)}`,
    );
  }
  return number;
}

export function nonEmpty(flag: string, value: string | undefined): string | undefined {
  if (value === '') throw new UsageError(`Expected a path for ${flag} but received ""`);
  return value;
}

export function refuseTogether(flagA: string, a: unknown, flagB: string, b: unknown): void {
  if (a !== undefined && b !== undefined) {
    throw new UsageError(`Expected one of ${flagA} and ${flagB} but received both`);
  }
}
