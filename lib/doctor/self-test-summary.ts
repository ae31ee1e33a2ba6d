/**
 * A gradient in a few numbers, so that a package need not store whole gradients.
 *
 * Refuses to forgive a swap of elements: each signed sum gives each element a sign of its own.
 */

import { hash } from './self-test-cases';

const sums = 4;
/** An error of random signs moves a signed sum by less than this times its length, but once in millions. */
export const spread = 5;

export interface Summary {
  /** Euclidean length. */
  length: number;
  /** Each sum is off by about as much as the gradient is, whatever the place of the error. */
  signedSums: number[];
}

/** What the reference answers to one problem. */
export interface StoredValues {
  loss: number;
  accuracy: number;
  logitScaleGrad: number;
  logitBiasGrad: number;
  queryGrads: Summary;
  keyGrads: Summary;
}

export function summarise(values: ArrayLike<number>): Summary {
  const signedSums = new Array<number>(sums).fill(0);
  let squares = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    const bits = hash(7, at);
    squares += value * value;
    for (let sum = 0; sum < sums; sum++) signedSums[sum]! += (bits >>> sum) & 1 ? value : -value;
  }
  return { length: Math.sqrt(squares), signedSums };
}
