/**
 * The checks of single arguments, once, where a call begins: "Expected positive integer for threads but
 * received -1 of type number". A value of the wrong type is a TypeError (ERR_TYPE). An impossible value of
 * the right type is a RangeError (ERR_VALUE).
 *
 * Refuses to know any option by name, and never converts: each check returns the value that it was given.
 */

import { types } from 'node:util';
import { describe, isArray, isRevokedProxy } from './describe';
import { codedError, type ErrorCode, type InfclError } from './errors';
import { arrayHint, valueHint } from './hints';
import { bufferOf, isDetached, isResizable } from './typed-array';

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

export function integer(name: string, value: unknown): number {
  requireNumber(name, 'integer', value);
  if (!Number.isSafeInteger(value)) throw invalid('ERR_VALUE', name, 'integer', value);
  return value;
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

/** Above zero even after rounding to float32. */
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
export function fraction(name: string, value: unknown): number {
  requireNumber(name, 'number from 0 to below 1', value);
  if (!(value >= 0 && value < 1)) throw invalid('ERR_VALUE', name, 'number from 0 to below 1', value);
  return value;
}

export function boolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid('ERR_TYPE', name, 'boolean', value);
  return value;
}

export function plainObject(name: string, value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !isRevokedProxy(value);
  if (!isObject || isArray(value) || ArrayBuffer.isView(value)) {
    throw invalid('ERR_TYPE', name, 'object', value);
  }
  return value as Record<string, unknown>;
}

export function callback<F extends (...args: never[]) => unknown>(name: string, value: unknown): F {
  if (typeof value !== 'function') throw invalid('ERR_TYPE', name, 'function', value);
  return value as F;
}

/** By shape and not by class: signals of another realm and of polyfills are accepted. */
export function abortSignal(name: string, value: unknown): AbortSignal {
  const signal = value as Partial<AbortSignal> | null;
  if (
    typeof signal !== 'object' ||
    isRevokedProxy(signal) ||
    typeof signal?.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function' ||
    typeof signal.removeEventListener !== 'function' ||
    typeof signal.throwIfAborted !== 'function'
  ) {
    throw invalid('ERR_TYPE', name, 'AbortSignal', value);
  }
  return value as AbortSignal;
}

/** One of `choices`. A word of `later` is refused as not in this version. */
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
  throw invalid('ERR_VALUE', name, expected, value, valueHint(value, choices));
}

export function notImplemented(what: string, expected?: string): InfclError {
  const instead = expected ? `: expected ${expected}` : '';
  return codedError('ERR_NOT_IMPLEMENTED', `${what} is not in this version of infcl${instead}`);
}

/**
 * Refuses a typed array whose memory may move while native code reads it: detached, or of a resizable buffer.
 */
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

export function float32Array(name: string, value: unknown, hint = ''): Float32Array {
  if (!types.isFloat32Array(value))
    throw invalid('ERR_TYPE', name, 'Float32Array', value, hint || arrayHint('Float32Array', name, value));
  stableArray(name, value);
  return value;
}

export function float64Array(name: string, value: unknown): Float64Array {
  if (!types.isFloat64Array(value))
    throw invalid('ERR_TYPE', name, 'Float64Array', value, arrayHint('Float64Array', name, value));
  stableArray(name, value);
  return value;
}

export function int32Array(name: string, value: unknown): Int32Array {
  if (!types.isInt32Array(value))
    throw invalid('ERR_TYPE', name, 'Int32Array', value, arrayHint('Int32Array', name, value));
  stableArray(name, value);
  return value;
}
