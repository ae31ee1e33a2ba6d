/**
 * Tokens to a sparse matrix by the hashing trick: column = crc32 mod columns, sign = one further bit of the hash, so
 * that collisions cancel on average. Rows have unit weight: each of n different columns weighs ±1/sqrt(n).
 * Refuses to keep a vocabulary.
 */

import { crc32 } from 'node:zlib';

export const hashedColumns = 4096;
const signBit = 0x80000000;

/** Compressed sparse rows: row i has columns[starts[i] … starts[i+1]) with the values beside them. */
export interface SparseMatrix {
  rows: number;
  columnCount: number;
  starts: Int32Array;
  columns: Int32Array;
  values: Float32Array;
}

export function hashRows(
  texts: readonly string[],
  tokenise: (text: string) => string[],
  columnCount = hashedColumns,
): SparseMatrix {
  const hashes = new Map<string, number>();
  const hashOf = (token: string) => {
    let hash = hashes.get(token);
    if (hash === undefined) {
      hash = crc32(token);
      hashes.set(token, hash);
    }
    return hash;
  };
  const starts = new Int32Array(texts.length + 1);
  const columns: number[] = [];
  const values: number[] = [];
  texts.forEach((text, i) => {
    const signs = new Map<number, number>();
    for (const token of tokenise(text)) {
      const hash = hashOf(token);
      // the first token wins a column: repeated tokens and collisions inside a row do not add up
      const column = hash % columnCount;
      if (!signs.has(column)) signs.set(column, (hash & signBit) === 0 ? 1 : -1);
    }
    const weight = 1 / Math.sqrt(signs.size);
    for (const [column, sign] of signs) {
      columns.push(column);
      values.push(sign * weight);
    }
    starts[i + 1] = columns.length;
  });
  return {
    rows: texts.length,
    columnCount,
    starts,
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  };
}

export function rowLength(matrix: SparseMatrix, row: number): number {
  return matrix.starts[row + 1]! - matrix.starts[row]!;
}

/** Rows of equal width, as a gather wants them: unused places hold column 0 with weight 0. */
export interface PaddedRows {
  rows: number;
  width: number;
  columns: Int32Array;
  values: Float32Array;
}

/** As wide as the longest of the rows. */
export function padRows(matrix: SparseMatrix, rows: Int32Array): PaddedRows {
  let width = 1;
  for (const row of rows) width = Math.max(width, rowLength(matrix, row));
  const columns = new Int32Array(rows.length * width);
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    const start = matrix.starts[row]!;
    const end = matrix.starts[row + 1]!;
    columns.set(matrix.columns.subarray(start, end), i * width);
    values.set(matrix.values.subarray(start, end), i * width);
  });
  return { rows: rows.length, width, columns, values };
}
