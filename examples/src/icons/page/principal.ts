/**
 * Fewer numbers a feature, for a page that must be small: principal directions of features, and rows of bytes.
 * Refuses to centre: a dot product of projected rows shall be the old dot product, as nearly as can be.
 */

import { orthonormal, randomMatrix } from '../../baseline/cca.js';
import { type Dense, multiply, transpose } from '../../baseline/cholesky.js';
import type { Features } from '../evaluate/features.js';

const rounds = 10;

/** The directions along which the rows of all parts are longest, orthonormal, [dim x directions]. */
export async function principalDirections(
  parts: readonly Features[],
  directions: number,
  signal?: AbortSignal,
): Promise<Dense> {
  const dim = parts[0]!.shape[1];
  const moments = new Float32Array(dim * dim);
  for (const part of parts) {
    const rows = denseOf(part);
    const { data } = await multiply(transpose(rows), rows, signal);
    // each part counts the same, however many rows it has
    for (let i = 0; i < moments.length; i++) moments[i]! += data[i]! / rows.rows;
  }
  const matrix = { rows: dim, columns: dim, data: moments };
  let basis = await orthonormal(randomMatrix(dim, Math.min(directions, dim)), signal);
  for (let i = 0; i < rounds; i++) basis = await orthonormal(await multiply(matrix, basis, signal), signal);
  return basis;
}

/** Rows times directions. */
export function projectRows(rows: Features, directions: Dense, signal?: AbortSignal): Promise<Dense> {
  return multiply(denseOf(rows), directions, signal);
}

export interface ByteRows {
  rows: number;
  dim: number;
  /** Int8 [rows x dim]. */
  values: Int8Array;
  /** Float32 [rows]: row i is scales[i] · values[i]. */
  scales: Float32Array;
}

/** Each row in steps of 1/127 of its largest number. */
export function toBytes({ rows, columns: dim, data }: Dense): ByteRows {
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = data.subarray(row * dim, (row + 1) * dim);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    scales[row] = largest / 127;
    own.forEach((value, d) => {
      values[row * dim + d] = Math.round((127 * value) / largest);
    });
  }
  return { rows, dim, values, scales };
}

/** Float32 [rows x dim]: the numbers that the page computes with. */
export function fromBytes({ rows, dim, values, scales }: ByteRows): Features {
  const data = new Float32Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = values[i]! * scales[Math.floor(i / dim)]!;
  return { data, shape: [rows, dim] };
}

function denseOf({ data, shape: [rows, columns] }: Features): Dense {
  return { rows, columns, data };
}
