/**
 * What a bank of features consists of, for a checkpoint. Typed arrays and numbers, so that a program can write it as
 * it writes its weights.
 *
 * Refuses a state that no bank has: a bank that goes on must go on with the same bits.
 */

import { codedError } from '../errors';
import { type DType, dtypes } from '../matrix/host-matrix';
import { readNames } from '../read-names';
import { kindOf, lengthOf } from '../typed-array';
import * as check from '../validate';

export interface FeatureBankState {
  kind: 'FeatureBank';
  capacity: number;
  dim: number;
  dtype: DType;
  /** The place of the next row, from 0 to `capacity` - 1. The order of rows decides the last bits of a loss. */
  next: number;
  /** The rows in the bank, [rows × dim]: `Float32Array`, or bits of 16-bit rows. */
  features: Float32Array | Uint16Array;
  /** The id of each row, [rows]. */
  ids: Int32Array;
}

/** Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE, ERR_BUFFER or ERR_DETACHED. */
export function readBankState(value: unknown): FeatureBankState {
  const given = readNames('state', value, ['kind', 'capacity', 'dim', 'dtype', 'next', 'features', 'ids']);
  const kind = check.oneOf('state.kind', given.kind, ['FeatureBank']);
  const capacity = check.positiveInteger('state.capacity', given.capacity);
  const dim = check.positiveInteger('state.dim', given.dim);
  const dtype = check.oneOf('state.dtype', given.dtype, dtypes);
  const next = check.nonNegativeInteger('state.next', given.next);
  const ids = readArray('state.ids', given.ids, 'Int32Array');
  const elements = dtype === 'float32' ? 'Float32Array' : 'Uint16Array';
  const features = readArray('state.features', given.features, elements);
  const rows = lengthOf(ids);
  if (rows > capacity || lengthOf(features) !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected up to ${capacity} ids, and ${dim} features for each, in state but received ${rows} ids and ` +
        `${lengthOf(features)} features`,
    );
  }
  if (next >= capacity || (rows < capacity && next !== rows)) {
    throw codedError(
      'ERR_VALUE',
      `Expected ${rows < capacity ? rows : `0 to ${capacity - 1}`} for state.next, as ${rows} of ${capacity} rows are ` +
        `in the bank, but received ${next}`,
    );
  }
  return { kind, capacity, dim, dtype, next, features, ids };
}

interface Arrays {
  Float32Array: Float32Array;
  Uint16Array: Uint16Array;
  Int32Array: Int32Array;
}

/** An object in place of an array is what JSON leaves of it. */
function readArray<Kind extends keyof Arrays>(name: string, value: unknown, kind: Kind): Arrays[Kind] {
  if (kindOf(value) !== kind) {
    const hint = '; JSON has no typed arrays: v8.serialize(state), or a file for each array, keeps them';
    throw check.invalid('ERR_TYPE', name, kind, value, hint);
  }
  check.stableArray(name, value as ArrayBufferView);
  return value as Arrays[Kind];
}
