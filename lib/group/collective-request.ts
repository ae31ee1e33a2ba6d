/**
 * The checks of a collective call's arguments, and their form for the addon.
 *
 * Refuses element types that have no name here: native code adds up what the name says.
 */

import { codedError } from '../errors';
import { arrayHint } from '../hints';
import { allocate } from '../matrix/allocate';
import type { CollectiveArray, CollectiveDType, CollectiveRequest, Reduction } from '../native/binding';
import { kindOf, lengthOf } from '../typed-array';
import * as check from '../validate';

const dtypes: Record<string, CollectiveDType> = Object.assign(Object.create(null), {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint8Array: 'uint8',
});

const classes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

const reductions = ['sum', 'min', 'max'] as const satisfies readonly Reduction[];

export const allDTypes = Object.keys(classes) as CollectiveDType[];

/** The typed array of a call, and the name of its element type. */
export interface CollectiveValues {
  array: CollectiveArray;
  dtype: CollectiveDType;
}

/** Throws ERR_TYPE, ERR_BUFFER or ERR_DETACHED. */
export function readValues(
  value: unknown,
  accepted: readonly CollectiveDType[] = allDTypes,
): CollectiveValues {
  const dtype = dtypes[kindOf(value) ?? ''];
  if (dtype === undefined || !accepted.includes(dtype)) {
    const names = accepted.map((one) => classes[one].name);
    const expected = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
    throw check.invalid('ERR_TYPE', 'values', expected, value, arrayHint('Float32Array', 'values', value));
  }
  check.stableArray('values', value as CollectiveArray);
  return { array: value as CollectiveArray, dtype };
}

/** Throws ERR_TYPE or ERR_VALUE. */
export function readOperation(value: unknown): Reduction {
  return check.oneOf('operation', value, reductions);
}

/** A rank of the group. Throws ERR_TYPE or ERR_VALUE. */
export function readRoot(value: unknown, size: number): number {
  const root = check.nonNegativeInteger('root', value);
  if (root >= size)
    throw codedError('ERR_VALUE', `Expected a rank below ${size} for root but received ${root}`);
  return root;
}

/** Zeros: one block of the array's length for each rank. Throws ERR_OUT_OF_MEMORY. */
export function newArrayLike({ array, dtype }: CollectiveValues, size: number): CollectiveArray {
  const Class = classes[dtype];
  const length = lengthOf(array) * size;
  const bytes = length * Class.BYTES_PER_ELEMENT;
  return allocate('the values of all ranks', bytes, () => new Class(length), 'gather fewer values at a time');
}

/** A request without fields. */
export const emptyRequest = {
  dtype: '',
  values: null,
  operation: '',
  root: 0,
  into: null,
} as const satisfies Partial<CollectiveRequest>;
