/**
 * Keys as one matrix, or in parts that come one after the other, so that keys larger than memory can be
 * searched. Parts may come in any order: the first key of each says where it belongs.
 *
 * Refuses keys that come twice, gaps, and keys that cannot be read a second time where that is needed.
 */

import { types } from 'node:util';
import { isArray, isRevokedProxy } from '../../describe';
import { codedError } from '../../errors';
import { rowsHint } from '../../matrix/feature-hints';
import { type ReadableFeatures, toHostMatrix } from '../../matrix/features';
import { isMappedFeatures, type MappedFeatures } from '../../matrix/mapped-features';
import type { NativeHostMatrix } from '../../native/binding';
import { readNames } from '../../read-names';
import * as check from '../../validate';
import { Coverage } from './coverage';

/** Some of the keys. */
export interface KeyPart {
  /** Index of the first key of this part among all keys. */
  firstKey: number;
  /** [rows × D]. The array must stay as it is until the next part is asked for. */
  keys: ReadableFeatures;
}

/** Parts in any order, which together are all keys, each once. */
export type KeyParts = Iterable<KeyPart> | AsyncIterable<KeyPart>;

/** One matrix; a store, which is read in parts; parts; or a function that returns parts, and can do so again. */
export type MiningKeys = ReadableFeatures | KeyParts | (() => KeyParts);

/** A checked part, on the caller's own array. */
export interface CheckedPart {
  /** For messages. */
  name: string;
  firstKey: number;
  keys: NativeHostMatrix;
}

/** Keys that can be read from their beginning. */
export interface KeySource {
  /** The number of all keys, where the keys are one matrix. */
  rows: number | undefined;
  /** Rejects with the errors of a part, and with ERR_CHUNKS where the parts are not all keys, each once. */
  read(): AsyncGenerator<CheckedPart>;
}

/** More keys have no index in an Int32Array. */
const mostKeys = 2 ** 31 - 1;

/**
 * Checks keys that are one matrix, and what can be known of parts before they are read. `readings` says how
 * often the caller will read them. Throws ERR_TYPE, ERR_VALUE, and as {@link readHost}.
 */
export function readKeySource(keys: unknown, dim: number, readings: 1 | 2): KeySource {
  if (isMappedFeatures(keys)) {
    const [rows, width] = keys.shape;
    requireDim('keys', { rows, dim: width }, dim);
    return { rows, read: () => readParts(() => partsOf(keys), dim) };
  }
  if (!isParts(keys)) {
    const matrix = readHost('keys', keys);
    requireDim('keys', matrix, dim);
    return {
      rows: matrix.rows,
      async *read() {
        yield { name: 'keys', firstKey: 0, keys: matrix };
      },
    };
  }
  if (typeof keys !== 'function' && readings === 2 && isReadOnce(keys)) {
    throw codedError(
      'ERR_VALUE',
      'Expected keys that can be read twice, as margins need the scores of all positives before the search, but ' +
        'received an iterator: pass a function that returns the parts, or options.range with a finite max',
    );
  }
  return { rows: undefined, read: () => readParts(keys, dim) };
}

/** Bytes of a store's rows in memory at a time. */
const partBytes = 64 * 2 ** 20;

function* partsOf(store: MappedFeatures): Generator<KeyPart> {
  const [rows, dim] = store.shape;
  const step = Math.max(1, Math.floor(partBytes / (4 * dim)));
  for (let firstKey = 0; firstKey < rows; firstKey += step) {
    yield { firstKey, keys: store.rows(firstKey, Math.min(rows, firstKey + step)) };
  }
}

/** A matrix of another library may be iterable too, so `data` decides. */
function isParts(keys: unknown): keys is KeyParts | (() => unknown) {
  if (typeof keys === 'function') return true;
  if (typeof keys !== 'object' || keys === null || isRevokedProxy(keys)) return false;
  if (ArrayBuffer.isView(keys) || types.isAnyArrayBuffer(keys) || 'data' in keys) return false;
  return isIterable(keys);
}

function isIterable(value: unknown): value is KeyParts {
  if (typeof value !== 'object' || value === null || isRevokedProxy(value)) return false;
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = value as Record<symbol, unknown>;
  return typeof later === 'function' || typeof now === 'function';
}

/** Iterators return themselves as their iterator; other iterables return a new one. */
function isReadOnce(parts: KeyParts): boolean {
  return typeof (parts as { next?: unknown }).next === 'function';
}

async function* readParts(keys: KeyParts | (() => unknown), dim: number): AsyncGenerator<CheckedPart> {
  const parts = typeof keys === 'function' ? keys() : keys;
  if (!isIterable(parts)) {
    const hint = types.isPromise(parts) ? '; an async function* returns parts that come later' : '';
    throw check.invalid('ERR_TYPE', 'keys()', 'iterable of parts { firstKey, keys }', parts, hint);
  }
  const coverage = new Coverage();
  let index = 0;
  for await (const value of parts) {
    const part = readPart(`keys[${index++}]`, value, keys);
    requireDim(part.name, part.keys, dim);
    coverage.add({ name: part.name, firstKey: part.firstKey, rows: part.keys.rows });
    yield part;
  }
  coverage.requireWhole();
}

/** `all`: what the parts came from, for a hint. */
function readPart(name: string, part: unknown, all: unknown): CheckedPart {
  if (typeof part !== 'object' || part === null || isArray(part) || ArrayBuffer.isView(part)) {
    throw check.invalid('ERR_TYPE', name, 'part { firstKey, keys }', part, rowsHint('keys', all));
  }
  if ('data' in part) {
    const hint = `; { firstKey, keys: matrix } is a part, and firstKey the index of its first key`;
    throw check.invalid('ERR_TYPE', name, 'part { firstKey, keys }', part, hint);
  }
  const given = readNames(name, part, ['firstKey', 'keys']);
  const firstKey = check.nonNegativeInteger(`${name}.firstKey`, given.firstKey);
  const keys = readHost(`${name}.keys`, given.keys);
  if (firstKey + keys.rows > mostKeys) {
    throw check.invalid('ERR_VALUE', `${name}.firstKey`, `at most ${mostKeys - keys.rows}`, firstKey);
  }
  return { name: `${name}.keys`, firstKey, keys };
}

/** Throws ERR_SHAPE. */
function requireDim(name: string, keys: Pick<NativeHostMatrix, 'rows' | 'dim'>, dim: number): void {
  if (keys.dim === dim) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected dim ${dim}, as queries has, for ${name} but received [${keys.rows}, ${keys.dim}]`,
  );
}

/**
 * Features on the host, on the caller's own array, or a copy of those in a store; the search looks for NaN. Throws
 * ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED. For a store also ERR_DISPOSED, ERR_STORE or
 * ERR_OUT_OF_MEMORY.
 */
export function readHost(name: string, features: unknown): NativeHostMatrix {
  return toHostMatrix(name, features);
}
