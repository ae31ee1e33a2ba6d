/**
 * Solves (C + ρ I) X = Y for the covariance C of sparse rows, without forming C: conjugate gradients (Hestenes and
 * Stiefel 1952) for each column of Y, with the diagonal as preconditioner, many columns at a time. Refuses a ridge
 * of 0, for which there may be no answer.
 */

import type { Dense } from '../../baseline/cholesky.js';
import { breathe } from '../../breathe.js';
import type { SparseMatrix } from '../../features/hashing.js';

export interface RidgeProblem {
  matrix: SparseMatrix;
  /** How much each row of the matrix counts; their sum is 1. */
  weights: Float64Array;
  /** The weighted mean of the rows. */
  mean: Float32Array;
  ridge: number;
}

/** Columns of Y solved together: their vectors stay in the cache. */
const columnsAtOnce = 64;
const mostRounds = 200;
/** The rest of each column ends at this fraction of its right side: rankings do not see more. */
const tolerance = 1e-3;

/** Float32 like `right`, [columns of the matrix x any]. Rejects with `signal.reason`. */
export async function solveRidge(problem: RidgeProblem, right: Dense, signal?: AbortSignal): Promise<Dense> {
  if (!(problem.ridge > 0)) throw new RangeError(`Expected a ridge above 0 but received ${problem.ridge}`);
  const diagonal = diagonalOf(problem);
  const data = new Float32Array(right.data.length);
  for (let first = 0; first < right.columns; first += columnsAtOnce) {
    const width = Math.min(columnsAtOnce, right.columns - first);
    const y = new Float32Array(right.rows * width);
    for (let row = 0; row < right.rows; row++) {
      const from = row * right.columns + first;
      y.set(right.data.subarray(from, from + width), row * width);
    }
    const x = await solveColumns(problem, { y, width, diagonal }, signal);
    for (let row = 0; row < right.rows; row++)
      data.set(x.subarray(row * width, (row + 1) * width), row * right.columns + first);
  }
  return { ...right, data };
}

function diagonalOf({ matrix, weights, mean, ridge }: RidgeProblem): Float64Array {
  const diagonal = Float64Array.from(mean, (value) => ridge - value * value);
  for (let row = 0; row < matrix.rows; row++) {
    for (let j = matrix.starts[row]!; j < matrix.starts[row + 1]!; j++)
      diagonal[matrix.columns[j]!]! += weights[row]! * matrix.values[j]! ** 2;
  }
  return diagonal;
}

async function solveColumns(
  problem: RidgeProblem,
  { y, width, diagonal }: { y: Float32Array; width: number; diagonal: Float64Array },
  signal?: AbortSignal,
): Promise<Float32Array> {
  const x = new Float32Array(y.length);
  const rest = y.slice();
  const scaled = dividedRows(rest, diagonal, width);
  const direction = scaled.slice();
  let products = columnProducts(rest, scaled, width);
  const wanted = columnProducts(y, y, width).map((square) => tolerance ** 2 * square);
  for (let round = 0; round < mostRounds; round++) {
    await breathe(signal);
    const image = times(problem, direction, width);
    const along = columnProducts(direction, image, width);
    // a column whose rest is 0 stays where it is
    const step = products.map((product, d) => (along[d]! > 0 ? product / along[d]! : 0));
    addMultiples(x, direction, step, width);
    const back = step.map((value) => -value);
    addMultiples(rest, image, back, width);
    const left = columnProducts(rest, rest, width);
    if (left.every((square, d) => square <= wanted[d]!)) break;
    const next = dividedRows(rest, diagonal, width);
    const nextProducts = columnProducts(rest, next, width);
    const turn = nextProducts.map((product, d) => (products[d]! > 0 ? product / products[d]! : 0));
    for (let first = 0; first < direction.length; first += width) {
      for (let d = 0; d < width; d++)
        direction[first + d] = next[first + d]! + turn[d]! * direction[first + d]!;
    }
    products = nextProducts;
  }
  return x;
}

/** (C + ρ I) V = Σ w_i y_i (y_iᵀ V) - m (mᵀ V) + ρ V, float32 [columns x width]. */
function times({ matrix, weights, mean, ridge }: RidgeProblem, v: Float32Array, width: number): Float32Array {
  const { rows, starts, columns, values } = matrix;
  const result = new Float32Array(v.length);
  const dot = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const weight = weights[row]!;
    if (weight === 0) continue;
    dot.fill(0);
    for (let j = starts[row]!; j < starts[row + 1]!; j++) {
      const from = columns[j]! * width;
      const value = weight * values[j]!;
      for (let d = 0; d < width; d++) dot[d]! += value * v[from + d]!;
    }
    for (let j = starts[row]!; j < starts[row + 1]!; j++) {
      const to = columns[j]! * width;
      const value = values[j]!;
      for (let d = 0; d < width; d++) result[to + d]! += value * dot[d]!;
    }
  }
  dot.fill(0);
  for (let column = 0; column < mean.length; column++) {
    const value = mean[column]!;
    if (value === 0) continue;
    for (let d = 0; d < width; d++) dot[d]! += value * v[column * width + d]!;
  }
  for (let column = 0; column < mean.length; column++) {
    const [value, first] = [mean[column]!, column * width];
    for (let d = 0; d < width; d++) result[first + d]! += ridge * v[first + d]! - value * dot[d]!;
  }
  return result;
}

/** Σ over the rows of a_rd · b_rd, for each column d. */
function columnProducts(a: Float32Array, b: Float32Array, width: number): Float64Array {
  const products = new Float64Array(width);
  for (let first = 0; first < a.length; first += width) {
    for (let d = 0; d < width; d++) products[d]! += a[first + d]! * b[first + d]!;
  }
  return products;
}

function addMultiples(to: Float32Array, from: Float32Array, factors: Float64Array, width: number): void {
  for (let first = 0; first < to.length; first += width) {
    for (let d = 0; d < width; d++) to[first + d]! += factors[d]! * from[first + d]!;
  }
}

function dividedRows(rows: Float32Array, divisors: Float64Array, width: number): Float32Array {
  const result = new Float32Array(rows.length);
  divisors.forEach((divisor, row) => {
    for (let i = row * width; i < (row + 1) * width; i++) result[i] = rows[i]! / divisor;
  });
  return result;
}
