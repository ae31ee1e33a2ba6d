/**
 * Singular values of a tall or wide matrix, in float64: roots of the eigenvalues of the smaller Gram matrix.
 * Householder's reduction makes the matrix tridiagonal, then bisection with Sturm's count finds the
 * eigenvalues (Golub & Van Loan, "Matrix Computations", sections 8.3 and 8.4).
 *
 * Refuses singular vectors. Values below about 1e-8 of the largest one are lost, as a Gram matrix squares
 * them.
 */

import { allocate } from '../matrix/allocate';
import type { Rows } from '../matrix/read-rows';
import { inSlices } from './turns';

/** Columns of one block: long enough for a dot product, and short enough for a cache. */
const blockLength = 64;

/** All min(rows, dim) singular values, ascending. Rejects with `signal.reason` or ERR_OUT_OF_MEMORY. */
export async function singularValues(x: Rows, signal: AbortSignal | undefined): Promise<Float64Array> {
  const size = Math.min(x.rows, x.dim);
  const matrix = await gram(x, size, signal);
  const tridiagonal = await reduce(matrix, size, signal);
  const values = await eigenvalues(tridiagonal, signal);
  return values.map((value) => Math.sqrt(Math.max(0, value)));
}

/** Products of all columns with each other, or of all rows where these are fewer: [size × size]. */
async function gram(x: Rows, size: number, signal: AbortSignal | undefined): Promise<Float64Array> {
  const { data, rows, dim, rowStride } = x;
  const length = Math.max(rows, dim);
  const [ofVector, ofEntry] = rows < dim ? [rowStride, 1] : [1, rowStride];
  const products = allocate('the Gram matrix', size * size * 8, () => new Float64Array(size * size));
  const block = new Float64Array(size * blockLength);
  const work = {
    count: Math.ceil(length / blockLength),
    operationsEach: (size * size * blockLength) / 2,
    reads: [x],
    signal,
  };
  await inSlices(work, (begin, end) => {
    for (let which = begin; which < end; which++) {
      const first = which * blockLength;
      const used = Math.min(blockLength, length - first);
      for (let vector = 0; vector < size; vector++) {
        for (let p = 0; p < used; p++) {
          block[vector * blockLength + p] = data[vector * ofVector + (first + p) * ofEntry]!;
        }
        block.fill(0, vector * blockLength + used, (vector + 1) * blockLength);
      }
      addProducts(products, block, size);
    }
  });
  return products;
}

function addProducts(products: Float64Array, block: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let [a, b] = [0, 0];
      for (let p = 0; p < blockLength; p += 2) {
        a += block[i * blockLength + p]! * block[j * blockLength + p]!;
        b += block[i * blockLength + p + 1]! * block[j * blockLength + p + 1]!;
      }
      products[i * size + j]! += a + b;
      products[j * size + i] = products[i * size + j]!;
    }
  }
}

/** A symmetric matrix with entries beside its diagonal only. */
interface Tridiagonal {
  diagonal: Float64Array;
  /** [size − 1]. */
  beside: Float64Array;
}

/** Householder's reduction. Overwrites the matrix. */
async function reduce(
  matrix: Float64Array,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Tridiagonal> {
  const beside = new Float64Array(Math.max(0, size - 1));
  await inSlices({ count: size - 1, operationsEach: size * size, reads: [], signal }, (begin, end) => {
    for (let k = begin; k < end; k++) beside[k] = reflect(matrix, size, k);
  });
  return { diagonal: Float64Array.from({ length: size }, (_, i) => matrix[i * size + i]!), beside };
}

/**
 * Reflects rows and columns beyond k, so that column k has one entry below the diagonal: the returned one.
 * A ← A − v wᵀ − w vᵀ with w = β A v − (β² / 2)(vᵀ A v) v and β = 2 / vᵀv.
 */
function reflect(matrix: Float64Array, size: number, k: number): number {
  const first = k + 1;
  const v = Float64Array.from({ length: size - first }, (_, i) => matrix[(first + i) * size + k]!);
  const head = v[0]!;
  if (norm(v.subarray(1)) === 0) return head;
  const entry = head > 0 ? -norm(v) : norm(v);
  v[0] = head - entry;
  const beta = 2 / norm(v) ** 2;
  const w = v.map((_, i) => {
    const row = matrix.subarray((first + i) * size + first, (first + i + 1) * size);
    return beta * product(row, v);
  });
  const half = (beta / 2) * product(v, w);
  for (let i = 0; i < w.length; i++) w[i]! -= half * v[i]!;
  for (let i = 0; i < v.length; i++) {
    const row = (first + i) * size + first;
    for (let j = 0; j < v.length; j++) matrix[row + j]! -= v[i]! * w[j]! + w[i]! * v[j]!;
  }
  return entry;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const norm = (v: Float64Array) => Math.sqrt(product(v, v));

/** Bisection within Gershgorin's bounds, one eigenvalue at a time, ascending. */
async function eigenvalues(
  { diagonal, beside }: Tridiagonal,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const size = diagonal.length;
  const radius = diagonal.map((_, i) => Math.abs(beside[i - 1] ?? 0) + Math.abs(beside[i] ?? 0));
  const least = diagonal.reduce(
    (low, value, i) => Math.min(low, value - radius[i]!),
    Number.POSITIVE_INFINITY,
  );
  const most = diagonal.reduce(
    (high, value, i) => Math.max(high, value + radius[i]!),
    Number.NEGATIVE_INFINITY,
  );
  const squares = beside.map((value) => value ** 2);
  const precision = Number.EPSILON * Math.max(Math.abs(least), Math.abs(most));
  const values = new Float64Array(size);
  await inSlices({ count: size, operationsEach: 400 * size, reads: [], signal }, (begin, end) => {
    for (let which = begin; which < end; which++) {
      let [low, high] = [which > 0 ? values[which - 1]! - precision : least, most];
      while (high - low > precision) {
        const middle = (low + high) / 2;
        if (middle === low || middle === high) break;
        if (countBelow(diagonal, squares, middle, precision) > which) high = middle;
        else low = middle;
      }
      values[which] = (low + high) / 2;
    }
  });
  return values;
}

/** Sturm's count: how many eigenvalues are below x. */
function countBelow(diagonal: Float64Array, squares: Float64Array, x: number, precision: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    pivot = diagonal[i]! - x - (i > 0 ? squares[i - 1]! / pivot : 0);
    // a pivot of zero would divide by zero
    if (pivot === 0) pivot = -precision;
    if (pivot < 0) count++;
  }
  return count;
}
