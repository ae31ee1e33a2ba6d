/**
 * Means and covariances of sparse rows, dense results. A row has about ten non-zeros, so its outer product has about
 * a hundred, whatever the number of columns. Refuses to center the rows themselves, which would make them dense.
 */

import { breathe } from '../breathe.js';
import type { SparseMatrix } from '../features/hashing.js';
import type { Dense } from './cholesky.js';

export function columnMeans(matrix: SparseMatrix, rows: Int32Array): Float32Array {
  const sums = new Float64Array(matrix.columnCount);
  for (const row of rows) {
    for (let j = matrix.starts[row]!; j < matrix.starts[row + 1]!; j++) {
      sums[matrix.columns[j]!]! += matrix.values[j]!;
    }
  }
  return Float32Array.from(sums, (sum) => sum / rows.length);
}

/** Rows between two turns of the event loop: long texts have hundreds of non-zeros a row. */
const rowsAtOnce = 1024;

/** E[x yᵀ] - E[x] E[y]ᵀ over the given rows of both matrices, [columns of x, columns of y]. Rejects with `signal.reason`. */
export async function covariance(
  x: SparseMatrix,
  y: SparseMatrix,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Dense> {
  const columns = y.columnCount;
  const data = new Float32Array(x.columnCount * columns);
  const weight = 1 / rows.length;
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === 0) await breathe(signal);
    for (let i = x.starts[row]!; i < x.starts[row + 1]!; i++) {
      const target = x.columns[i]! * columns;
      const value = x.values[i]! * weight;
      for (let j = y.starts[row]!; j < y.starts[row + 1]!; j++) {
        data[target + y.columns[j]!]! += value * y.values[j]!;
      }
    }
  }
  await breathe(signal);
  const meansX = columnMeans(x, rows);
  const meansY = columnMeans(y, rows);
  for (let i = 0; i < x.columnCount; i++) {
    for (let j = 0; j < columns; j++) data[i * columns + j]! -= meansX[i]! * meansY[j]!;
  }
  return { rows: x.columnCount, columns, data };
}
