/**
 * Objects of named properties, as callers pass them: every property is read once, and the rest of the code works on what
 * was read. A getter that answers differently the second time therefore cannot get past a check.
 *
 * Refuses names that do not exist, so that a typo cannot silently change what is computed.
 */

import { shorten } from './describe';
import { codedError } from './errors';
import { optionHint } from './hints';
import { notImplemented, plainObject } from './validate';

/** Undefined ones are counted as well: each costs time to look at. */
const mostNames = 1000;

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
  const own = Object.keys(given);
  if (own.length > mostNames) {
    throw codedError(
      'ERR_OPTION',
      `Expected at most ${mostNames} names in ${where} but received ${own.length}`,
    );
  }
  for (const name of own) {
    if (known.includes(name as Name) || given[name] === undefined) continue;
    if (later.includes(name)) throw notImplemented(`${where}.${name}`);
    throw codedError(
      'ERR_OPTION',
      `Unknown name ${shorten(name)} in ${where}${optionHint(name, known) || `; known are ${known.join(', ')}`}`,
    );
  }
  // defines each name: a property of Object.prototype could swallow an assignment
  return Object.fromEntries(known.map((name) => [name, given[name]])) as Record<Name, unknown>;
}
