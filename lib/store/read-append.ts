/**
 * What one `append` is given: rows and ids, checked against the store before anything is written.
 *
 * Refuses rows of another length, types that cannot become that of the store, and ids that are missing or that
 * the store does not have.
 */

import { codedError } from '../errors';
import { type DeviceMatrix, isDeviceMatrix } from '../matrix/device-matrix';
import type { Features } from '../matrix/features';
import { type HostFeatures, toNativeMatrix } from '../matrix/host-matrix';
import { isMappedFeatures, type MappedFeatures, toNativeMappedMatrix } from '../matrix/mapped-features';
import type { NativeHostMatrix } from '../native/binding';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { checkConversion } from './convert-rows';
import { checkLength, type WriterPlan } from './writer-options';

export interface AppendOptions {
  /** Int32Array [rows]: with a store that was created with `ids: true`, and only there. */
  ids?: Int32Array | undefined;
}

/** Rows of the features that are in memory together. */
export interface Part {
  firstRow: number;
  matrix: NativeHostMatrix;
}

export interface Appended {
  rows: number;
  /** One part, but for another store: that is read by parts, as the file may be larger than memory. */
  parts: Iterable<Part>;
  /** A copy; null for a store without ids. */
  ids: Int32Array | null;
}

/** Rejects as `append` does, but for errors of the file. `done` counts the rows that are there. */
export async function readAppend(
  plan: WriterPlan,
  done: number,
  features: Features,
  options: AppendOptions,
): Promise<Appended> {
  const ids = readIds(plan, readNames('options', options, ['ids']).ids);
  const { rows, dim, dtype, parts } = await readFeatures(features);
  if (dim !== plan.dim) {
    throw codedError('ERR_SHAPE', `Expected rows of ${plan.dim} elements for features but received ${dim}`);
  }
  checkConversion(dtype, plan.dtype);
  if (ids !== null && lengthOf(ids) !== rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows} ids, one for each row, for options.ids but received ${lengthOf(ids)}`,
    );
  }
  if (plan.rows !== undefined && done + rows > plan.rows) {
    const left = plan.rows - done;
    throw codedError(
      'ERR_SHAPE',
      `Expected at most ${left} more rows for features, as the store was created with ${plan.rows} rows, but received ${rows}`,
    );
  }
  checkLength(plan, done + rows);
  return { rows, parts, ids };
}

function readIds(plan: WriterPlan, value: unknown): Int32Array | null {
  const name = 'options.ids';
  if (plan.ids) {
    if (value !== undefined) return new Int32Array(check.int32Array(name, value));
    throw check.invalid('ERR_TYPE', name, 'Int32Array, as the store was created with ids: true,', value);
  }
  if (value === undefined) return null;
  throw codedError('ERR_OPTION', `The store has no ids: leave out ${name}, or create it with ids: true`);
}

/** Features of any place. Rejects as `toNativeMatrix`, or with ERR_DISPOSED, ERR_STORE or ERR_DEVICE. */
async function readFeatures(features: Features) {
  if (isMappedFeatures(features)) {
    const { rows, dim, dtype } = toNativeMappedMatrix('features', features);
    return { rows, dim, dtype, parts: partsOf(features, rows, dim) };
  }
  const matrix = await toHost(features);
  return { rows: matrix.rows, dim: matrix.dim, dtype: matrix.dtype, parts: [{ firstRow: 0, matrix }] };
}

async function toHost(features: HostFeatures | DeviceMatrix): Promise<NativeHostMatrix> {
  if (!isDeviceMatrix(features)) return toNativeMatrix('features', features);
  const { dtype, shape } = features;
  return toNativeMatrix('features', { data: await features.toHost(), dtype, shape });
}

/** About 4 MiB at a time. */
function* partsOf(store: MappedFeatures, rows: number, dim: number): Generator<Part> {
  const rowsOfPart = Math.max(1, Math.floor(2 ** 20 / dim));
  for (let firstRow = 0; firstRow < rows; firstRow += rowsOfPart) {
    const copy = store.rows(firstRow, Math.min(rows, firstRow + rowsOfPart));
    yield { firstRow, matrix: toNativeMatrix('features', copy) };
  }
}
