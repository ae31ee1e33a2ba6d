/**
 * TensorFlow.js for the tests of the adapter: both backends that run here, dense losses written in tfjs as
 * references, and a count of tensors.
 */

import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

export { tf };
export const backends = ['cpu', 'wasm'] as const;

/** Chooses a backend of tfjs. The banner that the cpu backend prints at its first use is left out. */
export async function useBackend(name: (typeof backends)[number]): Promise<void> {
  setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
  expect(await tf.setBackend(name)).toBe(true);
  tf.tidy(() => tf.scalar(0).dataSync());
  warned.mockRestore();
}

/** Numbers between -1 and 1 that look random and are the same in each run. */
export function values(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * 1.37 + seed * 7.1 + ((i * i) % 17)));
}

export function matrix(rows: number, dim: number, seed: number): tf.Tensor2D {
  return tf.tensor2d(values(rows * dim, seed), [rows, dim]);
}

/** A variable. Unlike `tf.variable(tf.tensor(...))`, no second tensor stays behind. */
export function variable(initial: () => tf.Tensor, name?: string): tf.Variable {
  return tf.tidy(() => tf.variable(initial(), true, name));
}

/** Tensors, bytes and buffers that tfjs keeps. */
export function kept() {
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  return { numTensors, numBytes, numDataBuffers };
}

type Loss = (q: tf.Tensor2D, k: tf.Tensor2D, scale: tf.Scalar) => tf.Scalar;

const logits = (q: tf.Tensor2D, k: tf.Tensor2D, scale: tf.Scalar): tf.Tensor2D =>
  tf.matMul(q, k, false, true).mul(scale);
const diagonal = (x: tf.Tensor2D) => x.mul(tf.eye(x.shape[0])).sum(1);
/** Without the similarity of a row with itself. */
const withoutSelf = (x: tf.Tensor2D) => x.sub(tf.eye(x.shape[0]).mul(1e6));

export const denseClip: Loss = (q, k, scale) => {
  const x = logits(q, k, scale);
  return tf.logSumExp(x, 0).add(tf.logSumExp(x, 1)).mul(0.5).sub(diagonal(x)).mean();
};

/** The positive of query i is key `labels[i]`. */
export const denseInfonce =
  (labels: Int32Array): Loss =>
  (q, k, scale) => {
    const x = logits(q, k, scale);
    const positives = tf.oneHot(tf.tensor1d(labels, 'int32'), k.shape[0]);
    return tf.logSumExp(x, 1).sub(x.mul(positives).sum(1)).mean();
  };

export const denseNtxent: Loss = (q, k, scale) => {
  const both = tf.concat([q, k]);
  const x = withoutSelf(logits(both, both, scale));
  const positive = diagonal(logits(q, k, scale));
  return tf
    .logSumExp(x, 1)
    .sub(tf.concat([positive, positive]))
    .mean();
};

/** Every class has at least two rows. */
export const denseSupcon =
  (labels: Int32Array) =>
  (rows: tf.Tensor2D, scale: tf.Scalar): tf.Scalar => {
    const x = logits(rows, rows, scale);
    const classes = tf.tensor1d(labels, 'int32');
    const same = tf.equal(classes.expandDims(0), classes.expandDims(1)).toFloat().sub(tf.eye(labels.length));
    const positives = x.mul(same).sum(1).div(same.sum(1));
    return tf
      .logSumExp(withoutSelf(x as tf.Tensor2D), 1)
      .sub(positives)
      .mean();
  };

export const denseSiglip =
  (bias: tf.Scalar): Loss =>
  (q, k, scale) => {
    const x = logits(q, k, scale).add(bias);
    const sign = tf.eye(q.shape[0]).mul(2).sub(1);
    return tf.exp(x.mul(sign).neg()).add(1).log().sum().div(q.shape[0]);
  };

/** Largest difference, relative to the largest element of `expected`. */
export function relativeError(actual: tf.Tensor, expected: tf.Tensor): number {
  return tf.tidy(() => {
    expect(actual.shape).toEqual(expected.shape);
    const largest = tf.max(tf.abs(expected)).dataSync()[0]!;
    expect(largest).toBeGreaterThan(1e-6);
    return tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]! / largest;
  });
}
