/**
 * Cholesky factor of a large symmetric positive definite matrix, and solves with it, by blocks: the small diagonal
 * blocks in float64 here, everything else as jax-js matrix products, which run at 20 GFLOP/s where a plain loop
 * reaches one. Refuses matrices that are not positive definite.
 */

import { numpy as np } from '@jax-js/jax';
import { breathe } from '../breathe.js';

const blockSize = 512;
/** Operations of one piece of a product: some hundredths of a second, after which the event loop gets a turn. */
const workAtOnce = 2 ** 30;

/** Dense, row-major, float32. */
export interface Dense {
  rows: number;
  columns: number;
  data: Float32Array;
}

/** In slices of rows, between which a Ctrl-C is heard. Rejects with `signal.reason`. */
export async function multiply(a: Dense, b: Dense, signal?: AbortSignal): Promise<Dense> {
  const rowsAtOnce = Math.max(1, Math.floor(workAtOnce / (2 * a.columns * b.columns)));
  const data = new Float32Array(a.rows * b.columns);
  const right = np.array(b.data, { shape: [b.rows, b.columns] });
  try {
    for (let first = 0; first < a.rows; first += rowsAtOnce) {
      await breathe(signal);
      const slice = rowsOf(a, first, Math.min(rowsAtOnce, a.rows - first));
      const left = np.array(slice.data, { shape: [slice.rows, slice.columns] });
      data.set((await np.matmul(left, right.ref).data()) as Float32Array, first * b.columns);
    }
  } finally {
    right.dispose();
  }
  return { rows: a.rows, columns: b.columns, data };
}

export function transpose({ rows, columns, data }: Dense): Dense {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  }
  return { rows: columns, columns: rows, data: result };
}

/** A = L Lᵀ, with L cut into block rows and the diagonal blocks inverted. */
export class Cholesky {
  private constructor(
    /** L[i, 0…i), one strip per block row; none for the first. */
    private readonly strips: Dense[],
    private readonly inverses: Dense[],
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Rejects with RangeError if not positive definite, and with `signal.reason`, as the solves do later.
   * @param work Symmetric [n x n], lower triangle read; overwritten.
   */
  static async factor(work: Dense, signal?: AbortSignal): Promise<Cholesky> {
    const n = work.rows;
    const inverses: Dense[] = [];
    for (let first = 0; first < n; first += blockSize) {
      const size = Math.min(blockSize, n - first);
      await breathe(signal);
      const inverse = invertedFactor(block(work, first, first, size, size));
      inverses.push(inverse);
      const below = first + size;
      if (below === n) break;
      const panel = await multiply(block(work, below, first, n - below, size), transpose(inverse), signal);
      place(work, below, first, panel);
      for (let j = below; j < n; j += blockSize) {
        const width = Math.min(blockSize, n - j);
        const lower = rowsOf(panel, j - below, n - j);
        const product = await multiply(lower, transpose(rowsOf(panel, j - below, width)), signal);
        subtract(work, j, j, product);
      }
    }
    const strips = inverses.map(({ rows }, index) => {
      const first = index * blockSize;
      return block(work, first, 0, rows, first);
    });
    return new Cholesky(strips, inverses, signal);
  }

  /** L⁻¹ B */
  async solveLower(right: Dense): Promise<Dense> {
    const result: Dense = { ...right, data: right.data.slice() };
    for (const [index, inverse] of this.inverses.entries()) {
      const first = index * blockSize;
      if (first > 0)
        subtract(result, first, 0, await this.times(this.strips[index]!, rowsOf(result, 0, first)));
      place(result, first, 0, await this.times(inverse, rowsOf(result, first, inverse.rows)));
    }
    return result;
  }

  /** L⁻ᵀ B */
  async solveUpper(right: Dense): Promise<Dense> {
    const result: Dense = { ...right, data: right.data.slice() };
    for (let index = this.inverses.length - 1; index >= 0; index--) {
      const inverse = this.inverses[index]!;
      const first = index * blockSize;
      const solved = await this.times(transpose(inverse), rowsOf(result, first, inverse.rows));
      place(result, first, 0, solved);
      if (first > 0) subtract(result, 0, 0, await this.times(transpose(this.strips[index]!), solved));
    }
    return result;
  }

  private times(a: Dense, b: Dense): Promise<Dense> {
    return multiply(a, b, this.signal);
  }
}

/** L⁻¹ of one symmetric block A = L Lᵀ, in float64. */
function invertedFactor({ rows: n, data }: Dense): Dense {
  const lower = new Float64Array(n * n);
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = data[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i === j && !(sum > 0)) {
        throw new RangeError(`Expected a positive definite matrix but received pivot ${sum}: use more ridge`);
      }
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    inverse[i * n + i] = 1 / lower[i * n + i]!;
    for (let k = 0; k < i; k++) {
      const factor = lower[i * n + k]! / lower[i * n + i]!;
      for (let j = 0; j <= k; j++) inverse[i * n + j]! -= factor * inverse[k * n + j]!;
    }
  }
  return { rows: n, columns: n, data: Float32Array.from(inverse) };
}

function block(matrix: Dense, row: number, column: number, rows: number, columns: number): Dense {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const from = (row + i) * matrix.columns + column;
    data.set(matrix.data.subarray(from, from + columns), i * columns);
  }
  return { rows, columns, data };
}

/** A view. */
function rowsOf({ columns, data }: Dense, first: number, rows: number): Dense {
  return { rows, columns, data: data.subarray(first * columns, (first + rows) * columns) };
}

function place(target: Dense, row: number, column: number, source: Dense): void {
  for (let i = 0; i < source.rows; i++) {
    const values = source.data.subarray(i * source.columns, (i + 1) * source.columns);
    target.data.set(values, (row + i) * target.columns + column);
  }
}

function subtract(target: Dense, row: number, column: number, source: Dense): void {
  for (let i = 0; i < source.rows; i++) {
    const to = (row + i) * target.columns + column;
    const from = i * source.columns;
    for (let j = 0; j < source.columns; j++) target.data[to + j]! -= source.data[from + j]!;
  }
}
