/**
 * The arrays a call writes, or matrices on the device where the features are: the caller's where given, new ones
 * otherwise, none for a side that is frozen.
 *
 * Refuses arrays of the wrong type or length. Whether they share memory with anything is found in call-memory.ts.
 */

import { codedError } from '../errors';
import {
  type DeviceMatrix,
  type Gradient,
  isDeviceMatrix,
  toNativeDeviceMatrix,
} from '../matrix/device-matrix';
import type { ContrastiveRequest, NativeMatrix, NativeOutput } from '../native/binding';
import { readNames } from '../read-names';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';
import { allocateAll, checkDeviceOutput } from './device-call';
import type { AnyContrastiveOptions } from './options';

/** What is read while the outputs are written. */
export interface Inputs {
  queries: NativeMatrix;
  keys: NativeMatrix | null;
  hardNegatives: NativeMatrix | null;
  /** One of the features, where they are on a device. */
  neighbour: DeviceMatrix | null;
  /** Whether every key is an anchor too, so that none can be left without gradient. */
  keysAreAnchors: boolean;
}

export type Outputs = Pick<ContrastiveRequest, 'queryGrads' | 'keyGrads' | 'hardNegativeGrads'>;

export const noOutputs: Outputs = { queryGrads: null, keyGrads: null, hardNegativeGrads: null };

/** What the result will hold, under its names; null where there is nothing. */
export interface Gradients {
  queryGrads: Gradient | null;
  keyGrads: Gradient | null;
  hardNegativeGrads: Gradient | null;
}

/** Inherits nothing: what is not given is absent, whatever somebody has put on Object.prototype. */
const nothing: Partial<Record<string, undefined>> = Object.freeze(Object.create(null));

const names = ['queryGrads', 'keyGrads', 'hardNegativeGrads'] as const;
type Name = (typeof names)[number];

export interface ResolvedOutputs {
  outputs: Outputs;
  gradients: Gradients;
  /** Of the outputs, those that the caller gave. */
  callers: NamedMemory[];
  /** Of the gradients, those that were made here on a device: to be disposed of when the call fails. */
  made: DeviceMatrix[];
}

/** `grad` and `out`, each property read once, checked for what needs no features. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readOutputOptions(given: Pick<AnyContrastiveOptions, 'grad' | 'out'>): typeof given {
  return {
    grad: given.grad === undefined ? undefined : readGrad(given.grad),
    out: given.out === undefined ? undefined : readOut(given.out),
  };
}

function readGrad(value: unknown): AnyContrastiveOptions['grad'] {
  const { queries, keys, hardNegatives } = readNames('options.grad', value, [
    'queries',
    'keys',
    'hardNegatives',
  ]);
  return {
    queries: queries === undefined ? undefined : check.boolean('options.grad.queries', queries),
    keys: readGradOfKeys(keys),
    hardNegatives:
      hardNegatives === undefined ? undefined : check.boolean('options.grad.hardNegatives', hardNegatives),
  };
}

function readGradOfKeys(value: unknown): boolean | { rows: number } | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) {
    throw check.invalid('ERR_TYPE', 'options.grad.keys', 'boolean or { rows }', value);
  }
  const { rows } = readNames('options.grad.keys', value, ['rows']);
  return { rows: check.positiveInteger('options.grad.keys.rows', rows) };
}

function readOut(value: unknown): AnyContrastiveOptions['out'] {
  const out = readNames('options.out', value, names);
  for (const name of names) {
    if (out[name] !== undefined && !isDeviceMatrix(out[name])) {
      check.float32Array(`options.out.${name}`, out[name]);
    }
  }
  return out as AnyContrastiveOptions['out'];
}

export function resolveOutputs(given: AnyContrastiveOptions, inputs: Inputs): ResolvedOutputs {
  const { queries, keys, hardNegatives, neighbour } = inputs;
  const { grad = nothing, out = nothing } = given;
  const rows: Record<Name, number> = {
    queryGrads: (grad.queries ?? true) ? queries.rows : 0,
    keyGrads: keys === null ? 0 : gradientKeyRows(grad.keys, keys.rows, inputs.keysAreAnchors),
    hardNegativeGrads:
      hardNegatives !== null && (grad.hardNegatives ?? grad.keys !== false) ? hardNegatives.rows : 0,
  };
  const fromCaller = (name: Name) => checkOutput(`options.out.${name}`, out[name], rows[name], queries);
  const gradients: Gradients = {
    queryGrads: fromCaller('queryGrads'),
    keyGrads: fromCaller('keyGrads'),
    hardNegativeGrads: fromCaller('hardNegativeGrads'),
  };
  const callers = names.flatMap((name): NamedMemory[] => {
    const output = toNativeOutput(gradients[name]);
    return output === null ? [] : [[`options.out.${name}`, output]];
  });
  const made = allocateMissing(gradients, rows, queries.dim, neighbour);
  const output = (name: Name) => (rows[name] === 0 ? null : toNativeOutput(gradients[name]));
  return {
    outputs: {
      queryGrads: output('queryGrads'),
      keyGrads: output('keyGrads'),
      hardNegativeGrads: output('hardNegativeGrads'),
    },
    gradients,
    callers,
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

function gradientKeyRows(
  wanted: boolean | { rows: number } | undefined,
  keyRows: number,
  allOrNone: boolean,
): number {
  if (wanted === undefined || wanted === true) return keyRows;
  if (wanted === false) return 0;
  const rows = check.positiveInteger('options.grad.keys.rows', wanted.rows, keyRows);
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
  if (lengthOf(array) !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows * dim} elements ([${rows}, ${dim}]) for ${name} but received ${lengthOf(array)}`,
    );
  }
  return array;
}

export function allocateRows(rows: number): NonNullable<ContrastiveRequest['rows']> {
  return {
    loss: new Float32Array(rows),
    lse: new Float32Array(rows),
    positiveFirst: new Uint8Array(rows),
  };
}
