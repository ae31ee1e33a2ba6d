/**
 * The arrays a call writes, or matrices on the device where the features are: the caller's where given, new ones
 * otherwise, none for a side that is frozen.
 *
 * Refuses arrays of the wrong length and arrays that share memory with an input or each other.
 */

import type { ContrastiveOptions } from './contrastive-options';
import { allocateAll, checkDeviceOutput } from './device-call';
import {
  addressOf,
  byteExtent,
  type DeviceMatrix,
  type Gradient,
  isDeviceMatrix,
  toNativeDeviceMatrix,
} from './device-matrix';
import { codedError } from './errors';
import type { ContrastiveRequest, NativeMatrix, NativeOutput } from './native/binding';
import * as check from './validate';

/** What is read while the outputs are written. */
export interface Inputs {
  queries: NativeMatrix;
  keys: NativeMatrix | null;
  hardKeys: NativeMatrix | null;
  /** One of the features, where they are on a device. */
  neighbour: DeviceMatrix | null;
  /** Whether every key is an anchor too, so that none can be left without gradient. */
  keysAreAnchors: boolean;
}

export type Outputs = Pick<ContrastiveRequest, 'queryGrads' | 'keyGrads' | 'hardKeyGrads'>;

export const noOutputs: Outputs = { queryGrads: null, keyGrads: null, hardKeyGrads: null };

/** What the result will hold, under its names; null where there is nothing. */
export interface Gradients {
  queryGrads: Gradient | null;
  keyGrads: Gradient | null;
  hardNegativeGrads: Gradient | null;
}

const names = ['queryGrads', 'keyGrads', 'hardNegativeGrads'] as const;
type Name = (typeof names)[number];

export interface ResolvedOutputs {
  outputs: Outputs;
  gradients: Gradients;
  /** Of the gradients, those that were made here on a device: to be disposed of when the call fails. */
  made: DeviceMatrix[];
}

export function resolveOutputs(given: ContrastiveOptions, inputs: Inputs): ResolvedOutputs {
  const { queries, keys, hardKeys, neighbour } = inputs;
  const grad = given.grad === undefined ? {} : check.plainObject('options.grad', given.grad);
  check.knownNames('options.grad', grad, ['queries', 'keys', 'hardNegatives']);
  const out = given.out === undefined ? {} : check.plainObject('options.out', given.out);
  check.knownNames('options.out', out, names);

  const wanted = (name: 'queries' | 'hardNegatives', byDefault: boolean) =>
    grad[name] === undefined ? byDefault : check.boolean(`options.grad.${name}`, grad[name]);
  const rows: Record<Name, number> = {
    queryGrads: wanted('queries', true) ? queries.rows : 0,
    keyGrads: keys === null ? 0 : gradientKeyRows(grad.keys, keys.rows, inputs.keysAreAnchors),
    hardNegativeGrads: hardKeys !== null && wanted('hardNegatives', grad.keys !== false) ? hardKeys.rows : 0,
  };
  const fromCaller = (name: Name) => checkOutput(`options.out.${name}`, out[name], rows[name], queries);
  const gradients: Gradients = {
    queryGrads: fromCaller('queryGrads'),
    keyGrads: fromCaller('keyGrads'),
    hardNegativeGrads: fromCaller('hardNegativeGrads'),
  };
  refuseOverlap(
    names.map((name) => [`options.out.${name}`, toNativeOutput(gradients[name])]),
    [
      ['queries.data', queries],
      ['keys.data', keys],
      ['options.hardNegatives.keys.data', hardKeys],
    ],
  );
  const made = allocateMissing(gradients, rows, queries.dim, neighbour);
  const output = (name: Name) => (rows[name] === 0 ? null : toNativeOutput(gradients[name]));
  return {
    outputs: {
      queryGrads: output('queryGrads'),
      keyGrads: output('keyGrads'),
      hardKeyGrads: output('hardNegativeGrads'),
    },
    gradients,
    made,
  };
}

/** Those that the caller did not give, of no rows where a side is frozen; returns what it made on a device. */
function allocateMissing(
  gradients: Gradients,
  rows: Record<Name, number>,
  dim: number,
  neighbour: DeviceMatrix | null,
): DeviceMatrix[] {
  // a result without hard negatives has no gradient of them, not even an empty one
  const missing = names.filter(
    (name) => gradients[name] === null && (name !== 'hardNegativeGrads' || rows[name] > 0),
  );
  if (neighbour === null) {
    for (const name of missing) gradients[name] = new Float32Array(rows[name] * dim);
    return [];
  }
  const made = allocateAll(
    neighbour,
    missing.map((name) => rows[name]),
    dim,
  );
  missing.forEach((name, i) => {
    gradients[name] = made[i]!;
  });
  return made;
}

function toNativeOutput(gradient: Gradient | null): NativeOutput | null {
  return isDeviceMatrix(gradient) ? toNativeDeviceMatrix('gradient', gradient) : gradient;
}

function gradientKeyRows(wanted: unknown, keyRows: number, allOrNone: boolean): number {
  if (wanted === undefined || wanted === true) return keyRows;
  if (wanted === false) return 0;
  if (typeof wanted !== 'object' || wanted === null) {
    throw check.invalid('ERR_TYPE', 'options.grad.keys', 'boolean or { rows }', wanted);
  }
  check.knownNames('options.grad.keys', wanted as Record<string, unknown>, ['rows']);
  const rows = check.positiveInteger('options.grad.keys.rows', (wanted as { rows?: unknown }).rows, keyRows);
  if (allOrNone && rows < keyRows) {
    throw codedError(
      'ERR_VALUE',
      'Expected a gradient of all keys or none where keys are compared with each other',
    );
  }
  return rows;
}

/** The caller's array or matrix, or null where none was given. */
function checkOutput(name: string, given: unknown, rows: number, queries: NativeMatrix): Gradient | null {
  if (given === undefined) return null;
  const onHost = queries.device === undefined;
  const array = onHost ? check.float32Array(name, given) : null;
  if (rows === 0) {
    throw codedError('ERR_VALUE', `Expected no ${name}: this call has no such gradient`);
  }
  const { dim } = queries;
  if (array === null) return checkDeviceOutput(name, given, [rows, dim], queries.device!);
  if (array.length !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows * dim} elements ([${rows}, ${dim}]) for ${name} but received ${array.length}`,
    );
  }
  return array;
}

type Named<T> = [string, T | null];

/** Inputs may overlap each other: a batch against itself. */
function refuseOverlap(written: Named<NativeOutput>[], read: Named<NativeMatrix>[]): void {
  written.forEach(([name, a], i) => {
    for (const [otherName, b] of [...written.slice(i + 1), ...read]) {
      if (a && b && overlaps(extentOf(a), extentOf(b))) {
        throw codedError('ERR_OVERLAP', `Expected ${name} not to share memory with ${otherName}`);
      }
    }
  });
}

/** Bytes from `begin` up to `end`: of a buffer, or of the device that the call runs on. */
interface Extent {
  buffer: ArrayBufferLike | null;
  begin: bigint;
  end: bigint;
}

function extentOf(memory: NativeOutput | NativeMatrix): Extent {
  if ('device' in memory && memory.device !== undefined) {
    const begin = addressOf(memory);
    return { buffer: null, begin, end: begin + BigInt(byteExtent(memory)) };
  }
  const { buffer, byteOffset, byteLength } = ('data' in memory ? memory.data : memory) as ArrayBufferView;
  return { buffer, begin: BigInt(byteOffset), end: BigInt(byteOffset + byteLength) };
}

function overlaps(a: Extent, b: Extent): boolean {
  return a.buffer === b.buffer && a.begin < b.end && b.begin < a.end;
}

export function allocateRows(rows: number): NonNullable<ContrastiveRequest['rows']> {
  return {
    loss: new Float32Array(rows),
    lse: new Float32Array(rows),
    positiveFirst: new Uint8Array(rows),
  };
}
