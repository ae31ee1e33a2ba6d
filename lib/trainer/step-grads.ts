/**
 * The gradients that a step changes in place before they go to the encoders: their names, lengths and memory.
 *
 * Refuses arrays of another length, and arrays that share memory with each other or with features.
 */

import { codedError } from '../errors';
import { bufferOf, byteOffsetOf, lengthOf } from '../typed-array';
import * as check from '../validate';
import type { LossFeatures } from './step-loss';
import { type PerTower, type TowerName, towerNames } from './tower';

/** In results of losses, and in the option `out`. */
export const gradNames = {
  queries: 'queryGrads',
  keys: 'keyGrads',
  hardNegatives: 'hardNegativeGrads',
} as const satisfies Record<TowerName, string>;

/** Throws ERR_TYPE, ERR_BUFFER, ERR_DETACHED or ERR_SHAPE. */
export function requireGrads(
  name: string,
  value: unknown,
  [rows, dim]: readonly [rows: number, dim: number],
): Float32Array {
  const grads = check.float32Array(name, value);
  if (lengthOf(grads) === rows * dim) return grads;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${rows * dim} elements ([${rows}, ${dim}]) for ${name} but received ${lengthOf(grads)}`,
  );
}

/**
 * Throws ERR_OVERLAP.
 *
 * @param where What the gradients are properties of, in messages.
 */
export function refuseOverlap(where: string, grads: PerTower<Float32Array>, features: LossFeatures): void {
  const outputs = towerNames.flatMap((tower) => {
    const { [tower]: memory } = grads;
    return memory === null ? [] : [{ name: gradNames[tower] as string, memory }];
  });
  const inputs = towerNames.flatMap((tower) => {
    const { [tower]: matrix } = features;
    return matrix === null
      ? []
      : [{ name: `the features of ${tower}`, memory: matrix.data as ArrayBufferView }];
  });
  outputs.forEach((one, i) => {
    const other = [...outputs.slice(i + 1), ...inputs].find(({ memory }) => overlap(one.memory, memory));
    if (other === undefined) return;
    throw codedError(
      'ERR_OVERLAP',
      `Expected ${where}.${one.name} not to share memory with ${other.name}: use separate arrays`,
    );
  });
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (bufferOf(a) !== bufferOf(b)) return false;
  const end = (array: ArrayBufferView) =>
    byteOffsetOf(array) + lengthOf(array) * (array as Float32Array).BYTES_PER_ELEMENT;
  return byteOffsetOf(a) < end(b) && byteOffsetOf(b) < end(a);
}

/**
 * Multiplies gradients in place. Throws ERR_NOT_FINITE where a product is beyond float32: an optimiser would
 * make NaN of it.
 */
export function multiplyGrads(grads: Float32Array, factor: number): void {
  if (factor === 1) return;
  // 0 times a number is 0, and 0 times NaN or infinity is NaN
  let zeros = 0;
  for (let at = 0; at < grads.length; at++) {
    grads[at]! *= factor;
    zeros += 0 * grads[at]!;
  }
  if (zeros === 0) return;
  throw codedError(
    'ERR_NOT_FINITE',
    `Expected gradients within float32 but options.gradScale ${factor} takes them beyond: use a smaller one`,
  );
}
