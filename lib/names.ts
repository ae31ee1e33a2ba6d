/**
 * Objects of named properties, as callers pass them: every property is read once, and the rest of the code works on what
 * was read. A getter that answers differently the second time therefore cannot get past a check.
 *
 * Refuses names that do not exist, so that a typo cannot silently change what is computed.
 */

import { codedError } from './errors';
import { didYouMean, notImplemented, plainObject } from './validate';

/**
 * A plain copy of `value` with exactly the names of `known`, undefined where absent. Throws ERR_TYPE for what is no
 * object, ERR_OPTION for an unknown name, ERR_NOT_IMPLEMENTED for one of `later`.
 */
export function readNames<Name extends string>(
  where: string,
  value: unknown,
  known: readonly Name[],
  later: readonly string[] = [],
): Record<Name, unknown> {
  const given = plainObject(where, value);
  for (const name of Object.keys(given)) {
    if (known.includes(name as Name) || given[name] === undefined) continue;
    if (later.includes(name)) throw notImplemented(`${where}.${name}`);
    throw codedError(
      'ERR_OPTION',
      `Unknown name ${name} in ${where}${didYouMean(name, known) || `; known are ${known.join(', ')}`}`,
    );
  }
  const read = {} as Record<Name, unknown>;
  for (const name of known) read[name] = given[name];
  return read;
}
