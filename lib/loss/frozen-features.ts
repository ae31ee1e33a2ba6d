/**
 * Features of another model beside those of a call: read, checked by shape, and named as memory that the call reads.
 * `guide.ts` and `teacher.ts` say what such features are for.
 *
 * Refuses features on a device before any work. `cpu-options.ts` refuses other backends than the CPU's.
 */

import { codedError, type InfclError } from '../errors';
import { type Features, readFeatures, toNativeFeatures } from '../matrix/features';
import type { NativeMatrix } from '../native/binding';
import type { NamedMemory } from './call-memory';

/**
 * A copy of the matrix's description, each property read once. Throws as the checks of features, and
 * ERR_NOT_IMPLEMENTED for features on a device.
 */
export function readFrozen(name: string, value: unknown): Features {
  const features = readFeatures(name, value);
  if (toNativeFeatures(name, features).device !== undefined) throw notOnDevice(`${name} on a device`);
  return features;
}

/** The size that features must have. */
interface Size {
  rows: number;
  /** Default: any. */
  dim?: number;
  /** In words, for the message. */
  meaning: string;
}

/** The matrix for native code. Throws ERR_SHAPE for another size. */
export function resolveFrozen(name: string, features: Features, { rows, dim, meaning }: Size): NativeMatrix {
  const matrix = toNativeFeatures(name, features);
  if (matrix.rows === rows && matrix.dim === (dim ?? matrix.dim)) return matrix;
  throw codedError(
    'ERR_SHAPE',
    `Expected [${rows}, ${dim ?? matrix.dim}] (${meaning}) for ${name} but received [${matrix.rows}, ${matrix.dim}]`,
  );
}

/** Their memory, by the names of messages. */
export function frozenMemory(
  option: string,
  matrices: Readonly<Record<string, NativeMatrix | null>>,
): NamedMemory[] {
  return Object.entries(matrices).flatMap(([name, matrix]): NamedMemory[] =>
    matrix === null ? [] : [[`options.${option}.${name}.data`, matrix]],
  );
}

const notOnDevice = (what: string): InfclError =>
  codedError(
    'ERR_NOT_IMPLEMENTED',
    `${what} is not in this version of infcl: use features on the host, and backend: 'cpu'`,
  );
