/**
 * How the rows of a matrix lie in its data: `rowStride`, or the strides, offset and order of the ndarray
 * libraries (`stride` of ndarray, `strides` of @stdlib/ndarray, `stride()` of transformers.js).
 *
 * Refuses every layout that native code cannot read in place: gaps between the elements of a row, columns
 * first, rows backwards. Never ignores a property that states the layout.
 */

import { types } from 'node:util';
import { describeList, isArray, isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import { invalid, nonNegativeInteger, positiveInteger } from '../validate';

/** The layout that an object states; any property may be missing or wrong. */
export interface StatedLayout {
  rowStride?: unknown;
  stride?: unknown;
  strides?: unknown;
  offset?: unknown;
  order?: unknown;
}

interface Shape {
  rows: number;
  dim: number;
}

/** The layout in elements. */
interface Layout {
  rowStride: number;
  /** Index of the first element. */
  offset: number;
}

/**
 * Reads the layout of a matrix of this shape. Throws ERR_TYPE, ERR_VALUE or ERR_SHAPE.
 *
 * @param features The object itself: some libraries have methods in place of properties.
 */
export function readLayout(
  name: string,
  stated: StatedLayout,
  { rows, dim }: Shape,
  features: object,
): Layout {
  const readProperty = (property: keyof StatedLayout) => {
    const value = stated[property];
    if (typeof value !== 'function' || isRevokedProxy(value)) return value;
    return Reflect.apply(value, features, []) as unknown;
  };
  const strides = (['stride', 'strides'] as const).flatMap((property) => {
    const value = readProperty(property);
    return value === undefined ? [] : [readStrides(`${name}.${property}`, value, { rows, dim })];
  });
  // strides already say the order of dimensions
  if (strides.length === 0) checkOrder(`${name}.order`, readProperty('order'));
  const given = stated.rowStride;
  if (given !== undefined) strides.unshift(positiveInteger(`${name}.rowStride`, given));
  const [rowStride = dim, other = rowStride] = strides;
  if (rowStride < dim) throw invalid('ERR_SHAPE', `${name}.rowStride`, `at least dim (${dim})`, rowStride);
  if (rows > 1 && strides.some((stride) => stride !== rowStride)) {
    throw codedError(
      'ERR_SHAPE',
      `Expected one distance from row to row of ${name} but received ${rowStride} and ${other}`,
    );
  }
  const offset = readProperty('offset');
  return { rowStride, offset: offset === undefined ? 0 : nonNegativeInteger(`${name}.offset`, offset) };
}

/** The stride from row to row. Throws ERR_TYPE or ERR_SHAPE. */
function readStrides(name: string, value: unknown, { rows, dim }: Shape): number {
  const list = readList(value);
  if (list === null) throw invalid('ERR_TYPE', name, 'array [rowStride, 1]', value, '; or name it rowStride');
  const [fromRow, fromColumn] = list;
  // with one row, or one column, the stride in that direction has no effect
  const rowsFit = rows === 1 || (Number.isSafeInteger(fromRow) && (fromRow as number) >= dim);
  if (list.length === 2 && rowsFit && (dim === 1 || fromColumn === 1))
    return rows === 1 ? dim : Number(fromRow);
  throw codedError(
    'ERR_SHAPE',
    `Expected rows without gaps ([rowStride, 1], rowStride at least ${dim}) for ${name} but received ${describeList(list)}; ` +
      'copy the matrix into row-major order',
  );
}

/** Accepts the names of NumPy and of @stdlib/ndarray, and ndarray's permutation [1, 0]. */
function checkOrder(name: string, order: unknown): void {
  if (order === undefined || order === 'row-major' || order === 'C') return;
  const list = readList(order);
  if (list !== null && list.length === 2 && list[0] === 1 && list[1] === 0) return;
  const hint = '; copy the matrix into row-major order';
  throw invalid(typeof order === 'string' ? 'ERR_VALUE' : 'ERR_TYPE', name, "'row-major'", order, hint);
}

/**
 * The first elements of any array-like object, each read once; five are enough to tell two from more. Null
 * for any other value, and for a Proxy of any object but an array. The length of a typed array cannot be read
 * through a Proxy.
 */
export function readList(value: unknown): unknown[] | null {
  if (typeof value !== 'object' || value === null) return null;
  if (types.isProxy(value) && !isArray(value)) return null;
  const list = value as ArrayLike<unknown>;
  const { length } = list;
  if (!Number.isSafeInteger(length) || length < 0) return null;
  return Array.from({ length: Math.min(length, 5) }, (_, i) => list[i]);
}
