/**
 * A short, readable description of any value that a caller may have passed, for messages.
 *
 * Refuses to throw and to take long, also for constructors whose name cannot be read, revoked Proxies, and
 * strings of a million characters.
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

/**
 * The same for a value that should have been a shape: the first few elements, numbers bare, other values with
 * their types.
 */
export function describeList(values: readonly unknown[]): string {
  const shown = Array.from(values.slice(0, 4), (value) =>
    typeof value === 'number' ? String(value) : describe(value),
  );
  return `[${shown.join(', ')}${values.length > shown.length ? ', …' : ''}]`;
}

/** `Array.isArray` without its TypeError for a revoked Proxy. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether the value is a Proxy whose target is gone: none of its properties can be read. */
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

/** A property of any value; undefined where it cannot be read. */
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
