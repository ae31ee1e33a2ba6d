/**
 * One vector for each row, from the vectors of its tokens. Padding may be at either end: the mask says which
 * tokens count. Sums are float64, results float32.
 *
 * Refuses masks of other values than 0 and 1, and rows without a token: their mean is 0 / 0.
 */

import { types } from 'node:util';
import { describe } from '../../describe';
import { codedError } from '../../errors';
import { kindOf, lengthOf } from '../../typed-array';
import * as check from '../../validate';
import type { Pooling } from './options';
import type { OnnxFeatures } from './types';

/** Features of all tokens, row-major. */
export interface Tokens {
  data: OnnxFeatures['data'];
  rows: number;
  tokens: number;
  dim: number;
}

/** 1 for a token and 0 for padding, row-major. */
export interface Mask {
  data: Uint8Array;
  rows: number;
  tokens: number;
}

const maskName = 'the mask of options.pool';

/** Throws ERR_SHAPE, ERR_DTYPE or ERR_VALUE. */
export function readMask(dims: readonly number[], data: unknown): Mask {
  const [rows, tokens] = dims as [number, number];
  if (kindOf(data) === undefined) throw check.invalid('ERR_DTYPE', maskName, 'typed array', data);
  if (dims.length !== 2 || lengthOf(data as ArrayBufferView) !== rows * tokens) {
    const received = `[${dims.join(', ')}] with ${lengthOf(data as ArrayBufferView)} elements`;
    throw codedError(
      'ERR_SHAPE',
      `Expected [rows, tokens] for the shape of ${maskName} but received ${received}`,
    );
  }
  const mask = Uint8Array.from(data as ArrayLike<number | bigint>, (value, at) => {
    if (Number(value) === 0 || Number(value) === 1) return Number(value);
    throw codedError(
      'ERR_VALUE',
      `Expected 0 or 1 for element ${at} of ${maskName} but received ${describe(value)}`,
    );
  });
  for (let row = 0; row < rows; row++) {
    if (mask.subarray(row * tokens, (row + 1) * tokens).includes(1)) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected at least one token in row ${row} of ${maskName} but received none: leave empty inputs out`,
    );
  }
  return { data: mask, rows, tokens };
}

/** Features [rows x dim]. Without a mask every token counts. Throws ERR_SHAPE, ERR_DTYPE or ERR_VALUE. */
export function poolTokens(
  pool: NonNullable<Pooling>,
  { data, rows, tokens, dim }: Tokens,
  mask: Mask | undefined,
): Float32Array {
  if (mask && (mask.rows !== rows || mask.tokens !== tokens)) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [${rows}, ${tokens}], as in the output, for the shape of ${maskName} but received [${mask.rows}, ${mask.tokens}]`,
    );
  }
  const elements = kindOf(data) === undefined ? 0 : lengthOf(data);
  if (elements === 0 || elements !== rows * tokens * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [rows, tokens, dim], all positive, from the model but received [${rows}, ${tokens}, ${dim}] ` +
        `with ${elements} elements`,
    );
  }
  const features = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const counted = markedTokens(row, tokens, mask);
    const into = features.subarray(row * dim, (row + 1) * dim);
    const vectorOf = (token: number) => toFloat32(slice(data, (row * tokens + token) * dim, dim));
    if (pool === 'mean') into.set(meanOf(counted.map(vectorOf), dim));
    else into.set(vectorOf(pool === 'first' ? counted[0]! : counted.at(-1)!));
  }
  return features;
}

/** The tokens of a row that count, in order. */
function markedTokens(row: number, tokens: number, mask: Mask | undefined): number[] {
  const all = Array.from({ length: tokens }, (_, token) => token);
  return mask === undefined ? all : all.filter((token) => mask.data[row * tokens + token] === 1);
}

function meanOf(vectors: readonly Float32Array[], dim: number): Float64Array {
  const sum = new Float64Array(dim);
  for (const vector of vectors) {
    for (let i = 0; i < dim; i++) sum[i]! += vector[i]!;
  }
  return sum.map((x) => x / vectors.length);
}

/** Divides each row by its length, in place. The smallest divisor is that of PyTorch's `normalize`. */
export function normalizeRows(features: Float32Array, dim: number): void {
  for (let begin = 0; begin < features.length; begin += dim) {
    let squares = 0;
    for (let i = begin; i < begin + dim; i++) squares += features[i]! ** 2;
    const length = Math.max(Math.sqrt(squares), 1e-12);
    for (let i = begin; i < begin + dim; i++) features[i]! /= length;
  }
}

type Elements = OnnxFeatures['data'];

function slice(data: Elements, begin: number, length: number): Elements {
  return (data as Float32Array).subarray(begin, begin + length);
}

/** A Float32Array stays as it is; float16 is converted, which loses nothing. Throws ERR_DTYPE. */
export function toFloat32(data: Elements): Float32Array {
  if (types.isFloat32Array(data)) return data;
  if (kindOf(data) === 'Float16Array') return Float32Array.from(data as unknown as ArrayLike<number>);
  if (!types.isUint16Array(data)) {
    throw check.invalid('ERR_DTYPE', 'the output of the model', 'float32 or float16', data);
  }
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => valueOfHalf(bits));
  const table = halves;
  return Float32Array.from(data, (bits) => table[bits]!);
}

/** The value of each pattern of 16 bits, once one is asked for. */
let halves: Float32Array | undefined;

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. */
function valueOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
