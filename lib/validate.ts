/**
 * The vocabulary in which arguments are checked, once, at the edge: "Expected positive integer for threads but
 * received -1 of type number". A value of the wrong type is a TypeError (ERR_TYPE), one of the right type that cannot
 * be is a RangeError (ERR_VALUE).
 *
 * Refuses to know any option by name, and never converts: what comes in is what goes on.
 */

import { types } from 'node:util';
import { codedError, type ErrorCode, type InfclError } from './errors';
import { bufferOf, isDetached, isResizable } from './typed-array';

/** A readable, short rendering of anything a caller may have passed. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  const text = String(value);
  return `${text.length > 60 ? `${text.slice(0, 60)}…` : text} of type ${typeof value}`;
}

/** The same of what should have been a shape: numbers bare, anything else with its type, no more than a few. */
export function describeList(values: readonly unknown[]): string {
  const shown = Array.from(values.slice(0, 4), (value) =>
    typeof value === 'number' ? String(value) : describe(value),
  );
  return `[${shown.join(', ')}${values.length > shown.length ? ', …' : ''}]`;
}

export function invalid(
  code: ErrorCode,
  name: string,
  expected: string,
  received: unknown,
  hint = '',
): InfclError {
  return codedError(code, `Expected ${expected} for ${name} but received ${describe(received)}${hint}`);
}

function requireNumber(name: string, expected: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw invalid('ERR_TYPE', name, expected, value);
}

export function positiveInteger(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  const expected = most === Number.MAX_SAFE_INTEGER ? 'positive integer' : `positive integer up to ${most}`;
  requireNumber(name, expected, value);
  if (!Number.isSafeInteger(value) || value < 1 || value > most) {
    throw invalid('ERR_VALUE', name, expected, value);
  }
  return value;
}

export function nonNegativeInteger(name: string, value: unknown): number {
  requireNumber(name, 'non-negative integer', value);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalid('ERR_VALUE', name, 'non-negative integer', value);
  }
  return value;
}

/** Above zero once rounded to float32. */
export function positiveFloat(name: string, value: unknown, most: number): number {
  const expected = `positive number up to ${most}`;
  requireNumber(name, expected, value);
  if (!(Math.fround(value) > 0 && value <= most)) throw invalid('ERR_VALUE', name, expected, value);
  return value;
}

export function numberBetween(name: string, value: unknown, least: number, most: number): number {
  const expected = `number from ${least} to ${most}`;
  requireNumber(name, expected, value);
  if (!(value >= least && value <= most)) throw invalid('ERR_VALUE', name, expected, value);
  return value;
}

export function finiteNumber(name: string, value: unknown): number {
  requireNumber(name, 'finite number', value);
  if (!Number.isFinite(value)) throw invalid('ERR_VALUE', name, 'finite number', value);
  return value;
}

/** At least 0 and below 1. */
export function share(name: string, value: unknown): number {
  requireNumber(name, 'number from 0 to below 1', value);
  if (!(value >= 0 && value < 1)) throw invalid('ERR_VALUE', name, 'number from 0 to below 1', value);
  return value;
}

export function boolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid('ERR_TYPE', name, 'boolean', value);
  return value;
}

export function plainObject(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw invalid('ERR_TYPE', name, 'object', value);
  }
  return value as Record<string, unknown>;
}

export function callback<F extends (...args: never[]) => unknown>(name: string, value: unknown): F {
  if (typeof value !== 'function') throw invalid('ERR_TYPE', name, 'function', value);
  return value as F;
}

/** By shape and not by class: signals of another realm and of polyfills are as good. */
export function abortSignal(name: string, value: unknown): AbortSignal {
  const signal = value as Partial<AbortSignal> | null;
  if (
    typeof signal !== 'object' ||
    typeof signal?.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function' ||
    typeof signal.removeEventListener !== 'function' ||
    typeof signal.throwIfAborted !== 'function'
  ) {
    throw invalid('ERR_TYPE', name, 'AbortSignal', value);
  }
  return value as AbortSignal;
}

/** One of `choices`; one of `later` is recognised and refused as not in this version. */
export function oneOf<T extends string>(
  name: string,
  value: unknown,
  choices: readonly T[],
  later: readonly string[] = [],
): T {
  const expected = `one of ${choices.join(', ')}`;
  if (typeof value !== 'string') throw invalid('ERR_TYPE', name, expected, value);
  if (choices.includes(value as T)) return value as T;
  if (later.includes(value)) throw notImplemented(`${name} '${value}'`, expected);
  throw invalid('ERR_VALUE', name, expected, value, didYouMean(value, choices));
}

export function notImplemented(what: string, expected?: string): InfclError {
  const instead = expected ? `: expected ${expected}` : '';
  return codedError('ERR_NOT_IMPLEMENTED', `${what} is not in this version of infcl${instead}`);
}

/** A hint for messages, or nothing where no candidate is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  // more than half the letters wrong is no typo
  return nearest && nearest.distance <= nearest.candidate.length / 2
    ? `; did you mean ${nearest.candidate}?`
    : '';
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A typed array whose memory stays where it is while native code reads it: attached, of fixed length. */
export function stableArray(name: string, value: ArrayBufferView): void {
  const buffer = bufferOf(value);
  if (isResizable(buffer)) {
    throw codedError('ERR_BUFFER', `Expected a fixed-length buffer for ${name} but received a resizable one`);
  }
  if (isDetached(buffer)) {
    throw codedError('ERR_DETACHED', `Expected an attached buffer for ${name} but received a detached one`);
  }
}

// Recognised by brand, not by class: under Jest, and across vm contexts, classes differ between realms.

export function float32Array(name: string, value: unknown): Float32Array {
  if (!types.isFloat32Array(value)) throw invalid('ERR_TYPE', name, 'Float32Array', value);
  stableArray(name, value);
  return value;
}

export function int32Array(name: string, value: unknown): Int32Array {
  if (!types.isInt32Array(value)) throw invalid('ERR_TYPE', name, 'Int32Array', value);
  stableArray(name, value);
  return value;
}
