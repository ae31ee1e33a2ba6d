/**
 * Rows of features as the bytes of a file, some rows at a time, in memory that this file owns: the caller's
 * array may change, move or disappear while the system writes.
 *
 * Rounds float32 to 16 bits once, to the nearest, ties to even. Widens 16 bits exactly. Refuses NaN and
 * infinity, numbers beyond the element type, and float16 for bfloat16 or the reverse.
 */

import { types } from 'node:util';
import { fromFloat32Pattern, toFloat32Pattern } from '../matrix/float-patterns';
import type { DType } from '../matrix/host-matrix';
import { fromBits } from '../matrix/narrow';
import type { NativeHostMatrix } from '../native/binding';
import { bufferOf, byteOffsetOf } from '../typed-array';
import { invalid, stableArray } from '../validate';
import { bytesOfElement } from './write-header';

/** About what one write of a file takes: larger ones were not faster. */
const blockBytes = 2 ** 20;

/** Bits of the exponent; all of them are set in NaN and infinity only. */
const exponentOf = { float32: 0x7f800000, float16: 0x7c00, bfloat16: 0x7f80 } as const;

/** Throws ERR_DTYPE for features that cannot become `dtype` without a loss nobody asked for. */
export function checkConversion(from: DType, to: DType): void {
  if (from === to || from === 'float32' || to === 'float32') return;
  throw invalid('ERR_DTYPE', 'features.dtype', `${to} or float32, as the store has ${to},`, from);
}

/**
 * The rows of `source` in blocks of about 1 MiB, as the bytes of `dtype`. The memory of a block is used again
 * for the next one. `firstRow` is the row of the features at which `source` begins, for messages. Throws
 * ERR_NOT_FINITE, ERR_DETACHED or ERR_BUFFER when the block in question is made.
 */
export function* blocksOf(source: NativeHostMatrix, dtype: DType, firstRow = 0): Generator<Uint8Array> {
  const { rows, dim } = source;
  const rowsOfBlock = Math.min(rows, Math.max(1, Math.floor(blockBytes / (dim * bytesOfElement(dtype)))));
  const raw = emptyArray(source.dtype, rowsOfBlock * dim);
  const converted = source.dtype === dtype ? raw : emptyArray(dtype, rowsOfBlock * dim);
  for (let begin = 0; begin < rows; begin += rowsOfBlock) {
    const count = Math.min(rowsOfBlock, rows - begin);
    copyRows(source, begin, count, raw);
    const found = { raw, source, begin: firstRow + begin, dtype };
    refuseUnless(finite(raw, source.dtype, count * dim), found);
    if (raw !== converted) {
      refuseUnless(convert(raw, source.dtype, converted, dtype, count * dim), found);
    }
    yield new Uint8Array(converted.buffer, 0, count * dim * bytesOfElement(dtype));
  }
}

type Elements = Float32Array | Uint16Array;

const emptyArray = (dtype: DType, length: number): Elements =>
  dtype === 'float32' ? new Float32Array(length) : new Uint16Array(length);

/** The same memory as integers. */
const patternsOf = (elements: Elements) =>
  types.isFloat32Array(elements) ? new Uint32Array(elements.buffer) : elements;

/** A copy, before anything is checked: what was checked is what is written. */
function copyRows(source: NativeHostMatrix, begin: number, count: number, into: Elements): void {
  const { data, dim, rowStride } = source;
  stableArray('features.data', data);
  const Kind = types.isFloat32Array(data) ? Float32Array : Uint16Array;
  const view = (element: number, length: number) =>
    new Kind(bufferOf(data) as ArrayBuffer, byteOffsetOf(data) + element * data.BYTES_PER_ELEMENT, length);
  if (rowStride === dim) {
    into.set(view(begin * dim, count * dim));
    return;
  }
  for (let row = 0; row < count; row++) into.set(view((begin + row) * rowStride, dim), row * dim);
}

/** Index of the first NaN or infinity, -1 where there is none. */
function finite(elements: Elements, dtype: DType, length: number): number {
  const exponent = exponentOf[dtype];
  const bits = patternsOf(elements);
  for (let i = 0; i < length; i++) if ((bits[i]! & exponent) === exponent) return i;
  return -1;
}

/** Converts finite elements. Index of the first one that `to` does not have, -1 where there is none. */
function convert(from: Elements, fromType: DType, into: Elements, to: DType, length: number): number {
  const [widen, narrow, exponent] = [toFloat32Pattern[fromType], fromFloat32Pattern[to], exponentOf[to]];
  const [source, target] = [patternsOf(from), patternsOf(into)];
  for (let i = 0; i < length; i++) {
    const pattern = narrow(widen(source[i]!));
    if ((pattern & exponent) === exponent) return i;
    target[i] = pattern;
  }
  return -1;
}

interface Found {
  raw: Elements;
  source: NativeHostMatrix;
  /** Row of the features at which the block begins. */
  begin: number;
  dtype: DType;
}

/** Throws ERR_NOT_FINITE for an index from 0 on. */
function refuseUnless(index: number, { raw, source: { dim, dtype: from }, begin, dtype }: Found): void {
  if (index < 0) return;
  const bits = raw[index]!;
  const value = from === 'float32' ? bits : fromBits(bits, from);
  const where = `features, row ${begin + Math.floor(index / dim)}, column ${index % dim},`;
  throw invalid('ERR_NOT_FINITE', where, `finite number that ${dtype} has`, value);
}
