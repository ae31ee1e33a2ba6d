/**
 * A short, readable rendering of anything a caller may have passed, for messages.
 *
 * Refuses to throw and to take long: constructors whose name cannot be read, revoked Proxies and strings of a million
 * characters come here as well.
 */

import { types } from 'node:util';

const longest = 60;

export function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value === 'object') return describeObject(value);
  if (typeof value === 'function') return `function ${nameOf(value) || '(anonymous)'}`;
  return `${describePrimitive(value)} of type ${typeof value}`;
}

/** The same of what should have been a shape: numbers bare, anything else with its type, no more than a few. */
export function describeList(values: readonly unknown[]): string {
  const shown = Array.from(values.slice(0, 4), (value) =>
    typeof value === 'number' ? String(value) : describe(value),
  );
  return `[${shown.join(', ')}${values.length > shown.length ? ', …' : ''}]`;
}

/** Without Array.isArray's TypeError for a revoked Proxy. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** A Proxy whose target is gone: nothing can be read of it. */
export function isRevokedProxy(value: unknown): boolean {
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

function describeObject(value: object): string {
  if (isRevokedProxy(value)) return 'a revoked Proxy';
  const instance = `an instance of ${nameOf(read(value, 'constructor')) || 'Object'}`;
  return types.isProxy(value) ? `a Proxy of ${instance}` : instance;
}

function nameOf(value: unknown): string {
  const name = read(value, 'name');
  return typeof name === 'string' ? shorten(name) : '';
}

/** A property of anything, or undefined where it cannot be read. */
function read(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function describePrimitive(value: unknown): string {
  // writing out a million digits takes seconds
  if (typeof value === 'bigint' && (value >= 1n << 256n || value <= -1n << 256n)) return 'more than 256 bits';
  return shorten(String(value));
}
