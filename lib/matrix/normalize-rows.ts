/**
 * Rows of length 1, and the gradient through the division: x̂ = x / ‖x‖, so that
 * dL/dx = (g - (g·x̂) x̂) / ‖x‖ for g = dL/dx̂.
 *
 * Refuses to invent a direction: a row of zeros stays zeros, and gets a gradient of zeros.
 */

import { codedError } from '../errors';
import type { NativeHostMatrix } from '../native/binding';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { allocate } from './allocate';
import type { PackedOf } from './convert';
import { toHostMatrix } from './features';
import type { HostFeatures } from './host-matrix';
import { finiteRows, requireFinite } from './read-rows';

export interface NormalizedRows {
  /** Rows of length 1, rounded to float32, [rows x dim]. */
  features: PackedOf<'float32'>;
  /** Length of each given row, [rows]; 0 for a row of zeros. */
  lengths: Float64Array;
}

export interface NormalizeOptions {
  /**
   * Writes the result over the given array, and allocates none. The array is then a Float32Array whose rows
   * have no gaps.
   */
  inPlace?: boolean | undefined;
}

/**
 * Divides each row of `features` [rows x dim] by its Euclidean length. Sums are float64, so no row is too long
 * or too short: unlike `torch.nn.functional.normalize`, no epsilon is added. A row of zeros stays zeros.
 *
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED for features that are none, or
 * that are on a device. ERR_NOT_FINITE for NaN or infinity, with the row. ERR_OPTION for an unknown option, ERR_DTYPE
 * or ERR_SHAPE for features that `inPlace` cannot overwrite, and ERR_OUT_OF_MEMORY.
 */
export function normalizeRows(features: HostFeatures, options: NormalizeOptions = {}): NormalizedRows {
  const inPlace = readInPlace(options);
  const matrix = toHostMatrix('features', features);
  if (inPlace) requireOverwritable(matrix);
  const { data, rows, dim, rowStride } = finiteRows('features', matrix);
  const elements = rows * dim;
  const into = inPlace
    ? data.subarray(0, elements)
    : allocate('rows of length 1', 4 * elements, () => new Float32Array(elements));
  const lengths = allocate('the lengths of rows', 8 * rows, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStride;
    let squares = 0;
    for (let at = begin; at < begin + dim; at++) squares += data[at]! * data[at]!;
    const length = Math.sqrt(squares);
    const factor = length > 0 ? 1 / length : 0;
    for (let d = 0; d < dim; d++) into[row * dim + d] = data[begin + d]! * factor;
    lengths[row] = length;
  }
  return { features: { data: into, shape: [rows, dim], dtype: 'float32' }, lengths };
}

/**
 * The gradient with respect to the rows that were given to {@link normalizeRows}.
 *
 * @param normalized What `normalizeRows` returned, unchanged.
 * @param grads dLoss/dFeatures of the rows of length 1, [rows x dim], such as `queryGrads` of the loss functions.
 * @param options.inPlace Writes the result over `grads`.
 * @returns dLoss/dFeatures of the given rows, [rows x dim].
 *
 * Throws ERR_TYPE, ERR_SHAPE, ERR_BUFFER or ERR_DETACHED for arguments that do not fit each other, ERR_OPTION for an
 * unknown name, ERR_OUT_OF_MEMORY, and ERR_NOT_FINITE for NaN or infinity in `grads`. ERR_NOT_FINITE as well for a gradient beyond
 * float32, which rows of tiny length have; with `inPlace`, the rows before are overwritten by then.
 */
export function normalizeRowsGrad(
  normalized: NormalizedRows,
  grads: Float32Array,
  options: NormalizeOptions = {},
): Float32Array {
  const inPlace = readInPlace(options);
  const { unit, lengths, rows, dim } = readNormalized(normalized);
  const given = readGrads(grads, rows, dim);
  const into = inPlace
    ? given
    : allocate('the gradient of rows', given.byteLength, () => new Float32Array(rows * dim));
  for (let row = 0; row < rows; row++) {
    const begin = row * dim;
    let dot = 0;
    for (let at = begin; at < begin + dim; at++) dot += given[at]! * unit[at]!;
    const factor = lengths[row]! > 0 ? 1 / lengths[row]! : 0;
    let zeros = 0;
    for (let at = begin; at < begin + dim; at++) {
      into[at] = (given[at]! - dot * unit[at]!) * factor;
      zeros += 0 * into[at]!;
    }
    if (zeros !== 0) throw beyondFloat32(row, lengths[row]!);
  }
  return into;
}

function readInPlace(options: unknown): boolean {
  const { inPlace } = readNames('options', options, ['inPlace']);
  return inPlace !== undefined && check.boolean('options.inPlace', inPlace);
}

function requireOverwritable({ dtype, rows, dim, rowStride }: NativeHostMatrix): void {
  if (dtype !== 'float32') {
    throw check.invalid('ERR_DTYPE', 'features.dtype', 'float32, as options.inPlace is true,', dtype);
  }
  if (rows > 1 && rowStride !== dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected rows without gaps for features, as options.inPlace is true, but received row stride ${rowStride} for ` +
        `dim ${dim}`,
    );
  }
}

function readNormalized(normalized: unknown) {
  const given = readNames('normalized', normalized, ['features', 'lengths']);
  const { data, dtype, rows, dim, rowStride } = toHostMatrix('normalized.features', given.features);
  if (dtype !== 'float32' || (rows > 1 && rowStride !== dim)) {
    throw codedError(
      'ERR_TYPE',
      'Expected the features that normalizeRows returned for normalized.features but received others',
    );
  }
  const lengths = check.float64Array('normalized.lengths', given.lengths);
  if (lengthOf(lengths) !== rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows} lengths, one a row, for normalized.lengths but received ${lengthOf(lengths)}`,
    );
  }
  return { unit: data as Float32Array, lengths, rows, dim };
}

function readGrads(grads: unknown, rows: number, dim: number): Float32Array {
  const given = check.float32Array('grads', grads);
  if (lengthOf(given) !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows * dim} elements, as normalized.features has, for grads but received ${lengthOf(given)}`,
    );
  }
  requireFinite('grads', { data: given, rows, dim, rowStride: dim });
  return given;
}

function beyondFloat32(row: number, length: number) {
  return codedError(
    'ERR_NOT_FINITE',
    `The gradient of row ${row} is beyond float32, because the row was only ${length} long: give such rows no gradient, ` +
      'or make them longer',
  );
}
