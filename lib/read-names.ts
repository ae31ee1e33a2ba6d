/**
 * Reads objects of named properties from callers. Every property is read once, into a copy that all later
 * code uses. A getter that answers differently the second time cannot get past a check.
 *
 * Refuses unknown names, so that a typo cannot silently change the result.
 */

import { shorten } from './describe';
import { codedError } from './errors';
import { optionHint } from './hints';
import { notImplemented, plainObject } from './validate';

/** Includes names whose value is undefined: looking at each one costs time. */
const mostNames = 1000;

/**
 * A plain copy of `value` with exactly the names of `known`; absent properties are undefined. Throws ERR_TYPE
 * for a value that is no object, ERR_OPTION for an unknown name, ERR_NOT_IMPLEMENTED for one of `later`.
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
  // defines each name: a setter on Object.prototype could swallow an assignment
  return Object.fromEntries(known.map((name) => [name, given[name]])) as Record<Name, unknown>;
}
