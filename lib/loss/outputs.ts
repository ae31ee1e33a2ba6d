/**
 * Where a call writes its gradients: on the host, in files, or on the device where the features are. The caller's
 * arrays, matrices or stores where given, new ones otherwise. `wanted-gradients.ts` says which gradients there are.
 *
 * Refuses arrays of the wrong type or length. `call-memory.ts` finds arrays that share memory with another.
 */

import { codedError } from '../errors';
import {
  type DeviceMatrix,
  type Gradient,
  isDeviceMatrix,
  toNativeDeviceMatrix,
} from '../matrix/device-matrix';
import { isMappedFeatures } from '../matrix/mapped-features';
import type { ContrastiveRequest, NativeMatrix, NativeOutput } from '../native/binding';
import { readNames } from '../read-names';
import { isStoreWriter, type StoreWriter } from '../store/store-writer';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';
import { allocateAll, checkDeviceOutput } from './device-call';
import { GradientFiles } from './gradient-files';
import type { AnyContrastiveOptions, GradientOutputs } from './options';
import { eachGradient, type GradientName, gradientRows, type Inputs, readGrad } from './wanted-gradients';

export interface ResolvedOutputs {
  /** For the native request; null where no gradient is wanted, and where one goes to a file. */
  outputs: Pick<ContrastiveRequest, GradientName>;
  /** For the result; null where it has no such gradient. */
  gradients: Record<GradientName, Gradient | null>;
  /** Outputs that the caller gave. */
  callers: NamedMemory[];
  /** Gradients that this call allocated on a device: to be disposed of when the call fails. */
  made: DeviceMatrix[];
  /** Files that the caller gave. They are taken until their `end`. */
  files: GradientFiles;
}

const noGradients = { queryGrads: null, keyGrads: null, hardNegativeGrads: null };

/** For a call without gradient. */
export const noOutputs = (): ResolvedOutputs => ({
  outputs: noGradients,
  gradients: noGradients,
  callers: [],
  made: [],
  files: new GradientFiles(),
});

/**
 * Inherits no name: an option that is absent stays absent, even if Object.prototype has a property of
 * its name.
 */
const nothing: Partial<Record<string, undefined>> = Object.freeze(Object.create(null));

const names = Object.keys(noGradients) as GradientName[];

/**
 * `grad` and `out`, each property read once. Makes the checks that need no features. Throws ERR_TYPE,
 * ERR_VALUE or ERR_OPTION.
 */
export function readOutputOptions(given: Pick<AnyContrastiveOptions, 'grad' | 'out'>): typeof given {
  return {
    grad: given.grad === undefined ? undefined : readGrad(given.grad),
    out: given.out === undefined ? undefined : readOut(given.out),
  };
}

function readOut(value: unknown): AnyContrastiveOptions['out'] {
  const out = readNames('options.out', value, names);
  for (const name of names) {
    if (out[name] === undefined || isDeviceMatrix(out[name]) || isStoreWriter(out[name])) continue;
    check.float32Array(`options.out.${name}`, out[name], fileHint(out[name]));
  }
  return out as AnyContrastiveOptions['out'];
}

/** For a store that was opened: such a file never changes. */
const fileHint = (value: unknown) =>
  isMappedFeatures(value) ? '; FeatureStore.create(path, { dim, rows }) makes a store for gradients' : '';

/**
 * For options that readOutputOptions has passed. Throws as it does, and ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_STORE,
 * ERR_DISPOSED or ERR_OUT_OF_MEMORY.
 */
export function resolveOutputs(given: AnyContrastiveOptions, inputs: Inputs): ResolvedOutputs {
  const { queries } = inputs;
  const { grad = nothing, out = nothing } = given;
  const rows = gradientRows(grad, inputs);
  const fromCaller = (name: GradientName) =>
    isStoreWriter(out[name]) ? null : checkOutput(`options.out.${name}`, out[name], rows[name], queries);
  const gradients = eachGradient(fromCaller);
  const callers = names.flatMap((name): NamedMemory[] => {
    const output = toNativeOutput(gradients[name]);
    return output === null ? [] : [[`options.out.${name}`, output]];
  });
  const stored = names.filter((name) => isStoreWriter(out[name]));
  const files = takeFiles(stored, out, rows, queries);
  try {
    for (const name of stored) gradients[name] = new Float32Array(0);
    const made = allocateMissing(gradients, rows, queries);
    const outputs = eachGradient((name) =>
      rows[name] === 0 || stored.includes(name) ? null : toNativeOutput(gradients[name]),
    );
    return { outputs, gradients, callers, made, files };
  } catch (error) {
    files.end(false);
    throw error;
  }
}

/** Takes the writers among the outputs, all or none. */
function takeFiles(
  stored: readonly GradientName[],
  out: GradientOutputs,
  rows: Record<GradientName, number>,
  { dim, device }: NativeMatrix,
): GradientFiles {
  const files = new GradientFiles();
  try {
    for (const name of stored) {
      const where = `options.out.${name}`;
      if (device !== undefined) {
        throw check.invalid('ERR_TYPE', where, `DeviceMatrix on device ${device}`, out[name]);
      }
      requireGradient(where, rows[name]);
      files.add(name, out[name] as StoreWriter, [rows[name], dim]);
    }
    return files;
  } catch (error) {
    files.end(false);
    throw error;
  }
}

function requireGradient(name: string, rows: number): void {
  if (rows === 0) throw codedError('ERR_VALUE', `Expected no ${name}: this call has no such gradient`);
}

/**
 * Adds the gradients that the caller did not give, of no rows for frozen features. Returns new matrices of a device.
 */
function allocateMissing(
  gradients: ResolvedOutputs['gradients'],
  rows: Record<GradientName, number>,
  { dim, device }: NativeMatrix,
): DeviceMatrix[] {
  // a result without hard negatives has no gradient of them, not even an empty one
  const missing = names.filter(
    (name) => gradients[name] === null && (name !== 'hardNegativeGrads' || rows[name] > 0),
  );
  if (device === undefined) {
    for (const name of missing) gradients[name] = new Float32Array(rows[name] * dim);
    return [];
  }
  const made = allocateAll(
    device,
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

/** The caller's array or matrix for one gradient; null without one. */
function checkOutput(name: string, given: unknown, rows: number, queries: NativeMatrix): Gradient | null {
  if (given === undefined) return null;
  const onHost = queries.device === undefined;
  const array = onHost ? check.float32Array(name, given) : null;
  requireGradient(name, rows);
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

/** Arrays for the results of each query. */
export function allocateRows(rows: number): NonNullable<ContrastiveRequest['rows']> {
  return {
    loss: new Float32Array(rows),
    lse: new Float32Array(rows),
    positiveFirst: new Uint8Array(rows),
  };
}
