/**
 * Some rows of a matrix, in any order and any number of times, as a matrix of their own.
 *
 * Refuses rows that do not exist. Looks at no value.
 */

import { codedError } from '../errors';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { allocateElements } from './allocate';
import { isDeviceMatrix } from './device-matrix';
import { type HostFeatures, toNativeMatrix } from './host-matrix';
import type { PackedMatrix } from './pack-rows';

/**
 * Copies rows of a matrix into a new one: row i of the result is row `rows[i]` of `features`.
 *
 * @param features [N × D], of float32, float16 or bfloat16, on the host. The result has the same dtype.
 * @param rows [count], each from 0 to N − 1, at least one. A row may occur several times.
 *
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_BUFFER, ERR_DETACHED, ERR_OUT_OF_MEMORY; ERR_VALUE for an index that is
 * no row, as the -1 of a search.
 */
export function gatherRows(features: HostFeatures, rows: Int32Array): PackedMatrix {
  if (isDeviceMatrix(features)) {
    const hint =
      '; { data: await features.toHost(), shape: features.shape, dtype: features.dtype } is a copy on the host';
    throw check.invalid('ERR_TYPE', 'features', 'features on the host', features, hint);
  }
  const { data, dtype, rows: all, dim, rowStride } = toNativeMatrix('features', features);
  const wanted = check.int32Array('rows', rows);
  const count = lengthOf(wanted);
  if (count === 0) throw codedError('ERR_SHAPE', 'Expected at least one row in rows but received none');
  const bad = wanted.findIndex((row) => row < 0 || row >= all);
  if (bad >= 0) {
    const hint = wanted[bad] === -1 ? '; -1 stands for no key in the result of a search' : '';
    throw check.invalid('ERR_VALUE', `rows[${bad}]`, `row from 0 to ${all - 1}`, wanted[bad], hint);
  }
  const into = allocateElements(`${count} rows`, count * dim, dtype, 'gather fewer rows');
  for (let i = 0; i < count; i++) {
    const begin = wanted[i]! * rowStride;
    into.set(data.subarray(begin, begin + dim), i * dim);
  }
  return { data: into, shape: [count, dim], dtype };
}
