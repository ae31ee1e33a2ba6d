/**
 * A network of one layer, features = tanh(x W) with optional dropout on x, and its gradient by hand. It is
 * small enough to check by eye. Its dropout shows a random state that is not replayed.
 */

import type { Encoder } from '../../lib/trainer';

export const inputDim = 5;
export const featureDim = 4;

/** A generator whose whole state is one integer. */
export function generator(seed: number) {
  let state = seed >>> 0;
  return {
    next(): number {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    },
    get: () => state,
    set: (value: number) => {
      state = value;
    },
  };
}

export function randomRows(rows: number, seed: number): Float32Array {
  const random = generator(seed);
  return Float32Array.from({ length: rows * inputDim }, () => random.next() - 0.5);
}

/** Cuts [rows x inputDim] into chunks of the given sizes. */
export function cut(inputs: Float32Array, sizes: readonly number[]): Float32Array[] {
  let row = 0;
  return sizes.map((size) => {
    row += size;
    return inputs.slice((row - size) * inputDim, row * inputDim);
  });
}

/** tanh(x W) in float64, [rows x featureDim]. */
export function toyFeatures(weights: ArrayLike<number>, inputs: ArrayLike<number>): Float64Array {
  const features = new Float64Array((inputs.length / inputDim) * featureDim);
  for (let at = 0; at < features.length; at++) {
    const [row, o] = [Math.floor(at / featureDim), at % featureDim];
    let sum = 0;
    for (let i = 0; i < inputDim; i++) sum += inputs[row * inputDim + i]! * weights[i * featureDim + o]!;
    features[at] = Math.tanh(sum);
  }
  return features;
}

/** Fails unless |actual - expected| <= limit |expected|, and unless there is something to compare. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, limit = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  const norm = Math.hypot(...Array.from(expected));
  expect(norm).toBeGreaterThan(1e-4);
  expect(Math.hypot(...Array.from(expected, (value, i) => value - actual[i]!)) / norm).toBeLessThan(limit);
}

export class ToyEncoder implements Encoder<Float32Array> {
  readonly grads = new Float64Array(inputDim * featureDim);
  readonly calls: string[] = [];
  readonly random: ReturnType<typeof generator>;
  readonly weights: Float64Array;

  constructor(
    seed: number,
    private readonly dropout = 0,
  ) {
    const random = generator(seed);
    this.weights = Float64Array.from({ length: inputDim * featureDim }, () => 2 * random.next() - 1);
    this.random = generator(seed + 1000);
  }

  encode(input: Float32Array) {
    this.calls.push(`encode ${input.length / inputDim}`);
    const { features, rows } = this.forward(input);
    return { data: Float32Array.from(features), dims: [rows, featureDim] };
  }

  async backward(input: Float32Array, featureGrads: { data: Float32Array }): Promise<void> {
    this.calls.push(`backward ${input.length / inputDim}`);
    const { features, dropped, rows } = this.forward(input);
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < featureDim; o++) {
        const y = features[r * featureDim + o]!;
        const g = featureGrads.data[r * featureDim + o]! * (1 - y * y);
        for (let i = 0; i < inputDim; i++) this.grads[i * featureDim + o]! += dropped[r * inputDim + i]! * g;
      }
    }
  }

  randomState(): number {
    return this.random.get();
  }

  restoreRandomState(state: unknown): void {
    this.random.set(state as number);
  }

  private forward(input: Float32Array) {
    const rows = input.length / inputDim;
    const keep = () => (this.dropout === 0 || this.random.next() >= this.dropout ? 1 : 0);
    const dropped = Float64Array.from(input, (x) => x * keep());
    const features = new Float64Array(rows * featureDim);
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < featureDim; o++) {
        let sum = 0;
        for (let i = 0; i < inputDim; i++)
          sum += dropped[r * inputDim + i]! * this.weights[i * featureDim + o]!;
        features[r * featureDim + o] = Math.tanh(sum);
      }
    }
    return { features, dropped, rows };
  }
}
