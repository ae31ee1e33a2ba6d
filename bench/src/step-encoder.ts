/**
 * A small network in plain JavaScript, tanh(x A) B, and its gradient: the encoder of the case `step`. It is slow on
 * purpose, as a backbone is, and its seconds do not depend on a framework.
 *
 * Refuses to learn: gradients are added up and never applied.
 */
import { unitRows } from './unit-rows.js';

export interface NetworkShape {
  inputs: number;
  hidden: number;
  dim: number;
}

/** What a backward pass needs beside the input. */
export interface Activations {
  /** tanh(x A), [rows x hidden]. */
  hidden: Float32Array;
  /** [rows x dim]. */
  features: Float32Array;
}

/** out += a b. a is [rows x inner], b is [inner x columns]. */
function multiply(a: Float32Array, b: Float32Array, out: Float32Array, inner: number, columns: number): void {
  const rows = out.length / columns;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < inner; i++) {
      const factor = a[row * inner + i];
      for (let column = 0, at = row * columns, from = i * columns; column < columns; column++)
        out[at++] += factor * b[from++];
    }
}

/** out += aᵀ b. a is [rows x inner], b is [rows x columns], out is [inner x columns]. */
function multiplyTransposed(a: Float32Array, b: Float32Array, out: Float32Array, columns: number): void {
  const inner = out.length / columns;
  const rows = b.length / columns;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < inner; i++) {
      const factor = a[row * inner + i];
      for (let column = 0, at = i * columns, from = row * columns; column < columns; column++)
        out[at++] += factor * b[from++];
    }
}

function transposed(matrix: Float32Array, columns: number): Float32Array {
  const rows = matrix.length / columns;
  return Float32Array.from(matrix, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]);
}

export class Network {
  private readonly a: Float32Array;
  private readonly b: Float32Array;
  private readonly bTransposed: Float32Array;
  private readonly aGrads: Float32Array;
  private readonly bGrads: Float32Array;

  constructor(
    private readonly shape: NetworkShape,
    seed: number,
  ) {
    const { inputs, hidden, dim } = shape;
    this.a = unitRows(inputs, hidden, seed);
    this.b = unitRows(hidden, dim, seed + 1);
    this.bTransposed = transposed(this.b, dim);
    this.aGrads = new Float32Array(this.a.length);
    this.bGrads = new Float32Array(this.b.length);
  }

  forward(x: Float32Array): Activations {
    const { inputs, hidden: width, dim } = this.shape;
    const rows = x.length / inputs;
    const hidden = new Float32Array(rows * width);
    multiply(x, this.a, hidden, inputs, width);
    for (let at = 0; at < hidden.length; at++) hidden[at] = Math.tanh(hidden[at]);
    const features = new Float32Array(rows * dim);
    multiply(hidden, this.b, features, width, dim);
    return { hidden, features };
  }

  backward(x: Float32Array, { hidden }: Activations, featureGrads: Float32Array): void {
    const { hidden: width, dim } = this.shape;
    multiplyTransposed(hidden, featureGrads, this.bGrads, dim);
    const hiddenGrads = new Float32Array(hidden.length);
    multiply(featureGrads, this.bTransposed, hiddenGrads, dim, width);
    for (let at = 0; at < hidden.length; at++) hiddenGrads[at] *= 1 - hidden[at] * hidden[at];
    multiplyTransposed(x, hiddenGrads, this.aGrads, width);
  }
}
