/**
 * Regularised canonical correlation analysis (Hotelling 1936, ridge as in Vinod 1976): the closed-form linear
 * answer to the same question, on the same features and training pairs.
 *
 *   maximise  aᵀ Cxy b   subject to  aᵀ (Cxx + ρI) a = bᵀ (Cyy + ρI) b = 1
 *
 * With Cholesky factors Lx, Ly and K = Lx⁻¹ Cxy Ly⁻ᵀ, the canonical subspaces are those of the leading singular
 * vectors U, V of K, here found by subspace iteration. Refuses to choose ρ; that takes validation queries.
 */

import { breathe } from '../breathe.js';
import type { SparseMatrix } from '../features/hashing.js';
import { Random } from '../random.js';
import { Cholesky, type Dense, multiply, transpose } from './cholesky.js';
import { columnMeans, covariance } from './covariance.js';

export interface Cca {
  /** Lx⁻ᵀ K V, [columns x directions]: canonical directions of the left, each weighted by its correlation. */
  left: Dense;
  /** Ly⁻ᵀ V, [columns x directions]. V may be any orthonormal basis of its subspace: rankings do not see which. */
  right: Dense;
  leftMeans: Float32Array;
  rightMeans: Float32Array;
  /** Mean of the squared canonical correlations, |K V|² / directions. */
  meanSquaredCorrelation: number;
}

export interface Covariances {
  xx: Dense;
  yy: Dense;
  xy: Dense;
  leftMeans: Float32Array;
  rightMeans: Float32Array;
}

export interface CcaOptions {
  directions: number;
  /** Added to the diagonals, as a multiple of each side's mean variance. */
  ridge: number;
  /** V to start from, as a fit with another ridge returned it; random without it. */
  start?: Dense;
  iterations: number;
  signal?: AbortSignal;
}

export async function covariances(
  left: SparseMatrix,
  right: SparseMatrix,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Covariances> {
  return {
    xx: await covariance(left, left, rows, signal),
    yy: await covariance(right, right, rows, signal),
    xy: await covariance(left, right, rows, signal),
    leftMeans: columnMeans(left, rows),
    rightMeans: columnMeans(right, rows),
  };
}

export async function fitCca(data: Covariances, options: CcaOptions): Promise<{ cca: Cca; subspace: Dense }> {
  const { directions, ridge, iterations, signal } = options;
  const x = await Cholesky.factor(withRidge(data.xx, ridge), signal);
  const y = await Cholesky.factor(withRidge(data.yy, ridge), signal);
  const timesK = async (v: Dense) => x.solveLower(await multiply(data.xy, await y.solveUpper(v), signal));
  const timesKTransposed = async (u: Dense) => {
    // Cyx w = (wᵀ Cxy)ᵀ: the thin matrix is transposed, not the large one
    const w = transpose(await x.solveUpper(u));
    return y.solveLower(transpose(await multiply(w, data.xy, signal)));
  };

  let v = options.start ?? (await orthonormal(randomMatrix(data.yy.rows, directions), signal));
  for (let i = 0; i < iterations; i++) {
    v = await orthonormal(await timesKTransposed(await timesK(v)), signal);
  }
  const kv = await timesK(v);
  let squares = 0;
  for (const value of kv.data) squares += value * value;
  const { leftMeans, rightMeans } = data;
  const cca = {
    left: await x.solveUpper(kv),
    right: await y.solveUpper(v),
    leftMeans,
    rightMeans,
    meanSquaredCorrelation: squares / v.columns,
  };
  return { cca, subspace: v };
}

/** Rows projected between two turns of the event loop. */
const rowsAtOnce = 1024;

/**
 * Unit-length projections of the given rows, float32 [rows x directions]: (x - mean) A / |(x - mean) A|. Rejects with
 * `signal.reason`.
 */
export async function project(
  matrix: SparseMatrix,
  rows: Int32Array,
  { directions, means }: { directions: Dense; means: Float32Array },
  signal?: AbortSignal,
): Promise<Float32Array> {
  const dim = directions.columns;
  const weights = directions.data;
  const offset = new Float64Array(dim);
  means.forEach((mean, column) => {
    for (let d = 0; d < dim; d++) offset[d]! += mean * weights[column * dim + d]!;
  });
  const result = new Float32Array(rows.length * dim);
  const sum = new Float64Array(dim);
  for (const [i, row] of rows.entries()) {
    if (i % rowsAtOnce === 0) await breathe(signal);
    sum.set(offset.map((value) => -value));
    for (let j = matrix.starts[row]!; j < matrix.starts[row + 1]!; j++) {
      const value = matrix.values[j]!;
      const from = matrix.columns[j]! * dim;
      for (let d = 0; d < dim; d++) sum[d]! += value * weights[from + d]!;
    }
    const norm = Math.hypot(...sum) || 1;
    for (let d = 0; d < dim; d++) result[i * dim + d] = sum[d]! / norm;
  }
  return result;
}

/** Adds a multiple of the mean variance to the diagonal. */
export function withRidge(matrix: Dense, ridge: number): Dense {
  const n = matrix.rows;
  const data = matrix.data.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += data[i * n + i]!;
  for (let i = 0; i < n; i++) data[i * n + i]! += (ridge * trace) / n;
  return { ...matrix, data };
}

/** Normal numbers, the same ones in each run. */
export function randomMatrix(rows: number, columns: number): Dense {
  const random = new Random(1);
  return { rows, columns, data: Float32Array.from({ length: rows * columns }, () => random.normal()) };
}

/**
 * An orthonormal basis of the columns of V, by Cholesky: VᵀV = L Lᵀ, then V L⁻ᵀ. Where the data has fewer directions
 * than V has columns, the ridge leaves the others near zero, so that they count for nothing.
 */
export async function orthonormal(v: Dense, signal?: AbortSignal): Promise<Dense> {
  const vt = transpose(v);
  const gram = await Cholesky.factor(withRidge(await multiply(vt, v, signal), 1e-4), signal);
  return transpose(await gram.solveLower(vt));
}
