/**
 * Features for tests, the same bits on every machine and in every language: an integer hash of (seed, index) gives a
 * 16-bit fraction, and everything that follows is exact in float32, so goldens/make-goldens.py makes the same rows
 * without a file of inputs between us. Holds no randomness of its own and no library.
 *
 *   hash(seed, i):  h = seed * 0x9E3779B1 + i * 0x85EBCA77          (all modulo 2^32)
 *                   h ^= h >> 16;  h *= 0x7FEB352D;  h ^= h >> 15;  h *= 0x846CA68B;  h ^= h >> 16
 *   unit(seed, i) = ((h >> 16) - 32768) / 32768                     in [-1, 1)
 *   row scale     = 2^-k, the least k with 3 * 4^k >= dim           rows of length 0.5 to 1, as |u|^2 is about dim / 3
 */
import type { DenseMatrix } from './dense';

export interface PairOptions {
  rows: number;
  /** Default rows. */
  keys?: number;
  dim: number;
  seed: number;
  /** Eighths of each positive key that are its query: 0 unrelated, 8 equal. Default 4. */
  alike?: number;
  /** Positive of query i; default i. */
  labels?: ArrayLike<number>;
}

export interface Pair {
  queries: FloatMatrix;
  keys: FloatMatrix;
}

export interface FloatMatrix extends DenseMatrix {
  data: Float32Array;
}

// Jest looks a global up in its sandbox each time, which would be most of the time here.
const { floor, imul } = Math;

export function hash(seed: number, index: number): number {
  let h = (imul(seed, 0x9e3779b1) + imul(index, 0x85ebca77)) >>> 0;
  h = imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

export function unit(seed: number, index: number): number {
  return ((hash(seed, index) >>> 16) - 32768) / 32768;
}

/** Queries from `seed`, keys from `seed + 1` mixed with the queries they are the positives of. */
export function makePair({ rows, keys = rows, dim, seed, alike = 4, labels }: PairOptions): Pair {
  const scale = rowScale(dim);
  const q = new Float32Array(rows * dim);
  const k = new Float32Array(keys * dim);
  for (let at = 0; at < q.length; at++) q[at] = unit(seed, at) * scale;
  for (let at = 0; at < k.length; at++) k[at] = unit(seed + 1, at) * scale;
  for (let i = 0; i < rows; i++) {
    const key = labels ? labels[i] : i;
    if (key >= keys) continue;
    for (let d = 0; d < dim; d++) {
      // From the hash, not from k: two queries may share a positive, and the last one wins.
      const noise = unit(seed + 1, key * dim + d) * scale;
      k[key * dim + d] = (alike * q[i * dim + d] + (8 - alike) * noise) / 8;
    }
  }
  return { queries: { data: q, shape: [rows, dim] }, keys: { data: k, shape: [keys, dim] } };
}

/** Every element is less than this power of two. */
export function rowScale(dim: number): number {
  let k = 0;
  while (3 * 4 ** k < dim) k++;
  return 2 ** -k;
}

/** Rounded to 64ths of the row scale: dot products are exact in float32, elements in bfloat16, and both often tie. */
export function coarsen({ data, shape }: FloatMatrix): FloatMatrix {
  const unitOf = rowScale(shape[1]) / 64;
  return { data: data.map((value) => floor(value / unitOf + 0.5) * unitOf), shape };
}

/** Labels in [0, keys), not all distinct. */
export function makeLabels(rows: number, keys: number, seed: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => hash(seed, i) % keys);
}

/** Up to `most` distinct keys for each query, in any order; `least` at least. */
export function makeLists(
  rows: number,
  keys: number,
  { least = 0, most }: { least?: number; most: number },
  seed: number,
): { offsets: Int32Array; keys: Int32Array } {
  const offsets = [0];
  const listed: number[] = [];
  for (let i = 0; i < rows; i++) {
    const wanted = Math.min(keys, least + (hash(seed, i) % (most - least + 1)));
    const list = new Set<number>();
    for (let draw = 0; list.size < wanted; draw++) list.add(hash(seed + 1 + draw, i) % keys);
    listed.push(...list);
    offsets.push(listed.length);
  }
  return { offsets: Int32Array.from(offsets), keys: Int32Array.from(listed) };
}

/** Every row multiplied by factor(row), in float32. */
export function scaleRows(
  { data, shape: [rows, dim] }: FloatMatrix,
  factor: (row: number) => number,
): FloatMatrix {
  return { data: data.map((value, at) => value * factor(floor(at / dim))), shape: [rows, dim] };
}

/** The same rows as a view into a wider array whose gaps hold NaN, so that a read of a gap is found out. */
export function widen({ data, shape: [rows, dim] }: FloatMatrix, gap: number): FloatMatrix {
  const rowStride = dim + gap;
  const wide = new Float32Array(rows * rowStride).fill(Number.NaN);
  for (let i = 0; i < rows; i++) wide.set(data.subarray(i * dim, (i + 1) * dim), i * rowStride);
  return { data: wide, shape: [rows, dim], rowStride };
}
