/**
 * Plain forms of the metrics of features, in float64 and without regard to cost: the oracles for
 * lib/evaluation. Random rows are normal numbers from a seeded generator. Shares no code with the library.
 */
import type { FloatMatrix } from './inputs';

// taken once: within Jest each look at a global takes long
const { cos, imul, log, PI, sqrt } = Math;

/** Normal numbers, the same ones for each seed. */
export function normalRows(rows: number, dim: number, seed: number): FloatMatrix {
  let state = seed >>> 0;
  const uniform = () => {
    // xorshift of a Weyl sequence (splitmix32)
    state = (state + 0x9e3779b9) >>> 0;
    let z = imul(state ^ (state >>> 16), 0x85ebca6b);
    z = imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (((z ^ (z >>> 16)) >>> 0) + 0.5) / 2 ** 32;
  };
  const normal = () => sqrt(-2 * log(uniform())) * cos(2 * PI * uniform());
  return { data: Float32Array.from({ length: rows * dim }, normal), shape: [rows, dim] };
}

/** A row as numbers. */
export const rowOf = ({ data, shape: [, dim], rowStride = dim }: FloatMatrix, i: number): number[] =>
  Array.from(data.subarray(i * rowStride, i * rowStride + dim));

export const allRows = (x: FloatMatrix) => Array.from({ length: x.shape[0] }, (_, i) => rowOf(x, i));
export const dotOf = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, v, d) => sum + v * b[d], 0);
const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const unit = (row: readonly number[]) => row.map((v) => v / Math.sqrt(dotOf(row, row)));
const distance = (a: readonly number[], b: readonly number[]) => {
  const difference = a.map((v, d) => v - b[d]);
  return Math.sqrt(dotOf(difference, difference));
};

/** The same rows with length 1. */
export function unitRows(x: FloatMatrix): FloatMatrix {
  return { data: Float32Array.from(allRows(x).flatMap(unit)), shape: x.shape };
}

export function plainAlignment(x: FloatMatrix, y: FloatMatrix, alpha = 2): number {
  const others = allRows(y).map(unit);
  return mean(allRows(x).map((row, i) => distance(unit(row), others[i]) ** alpha));
}

export function plainUniformity(x: FloatMatrix, t = 2): number {
  const rows = allRows(x).map(unit);
  let sum = 0;
  rows.forEach((a, i) => {
    rows.forEach((b, j) => {
      if (i !== j) sum += Math.exp(-t * distance(a, b) ** 2);
    });
  });
  return Math.log(sum / (rows.length * (rows.length - 1)));
}

export function plainModalityGap(x: FloatMatrix, y: FloatMatrix) {
  const sides = [x, y].map((side) => allRows(side).map(unit));
  const [a, b] = sides.map((rows) => rows[0].map((_, d) => mean(rows.map((row) => row[d]))));
  const nearer = (rows: number[][], own: number[], other: number[]) =>
    mean(rows.map((row) => (distance(row, own) < distance(row, other) ? 1 : 0)));
  return {
    gap: distance(a, b),
    centroidCosine: dotOf(a, b) / Math.sqrt(dotOf(a, a) * dotOf(b, b)),
    separability: (nearer(sides[0], a, b) + nearer(sides[1], b, a)) / 2,
  };
}

/** By sorting the classes of each row. `bias` is [classes]. */
export function plainClassMetrics(
  x: FloatMatrix,
  classes: FloatMatrix,
  labels: ArrayLike<number>,
  bias: ArrayLike<number> = new Float32Array(classes.shape[0]),
) {
  const weights = allRows(classes);
  const orders = allRows(x).map((row) => {
    const scores = weights.map((weight, i) => dotOf(row, weight) + bias[i]);
    return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
  });
  const recalls = weights.flatMap((_, each) => {
    const own = orders.filter((__, i) => labels[i] === each);
    return own.length === 0 ? [] : [mean(own.map(([first]) => (first === each ? 1 : 0)))];
  });
  return {
    top1: mean(orders.map(([first], i) => (first === labels[i] ? 1 : 0))),
    top5: mean(orders.map((order, i) => (order.slice(0, 5).includes(labels[i]) ? 1 : 0))),
    meanPerClassRecall: mean(recalls),
  };
}

/** Singular values by one-sided Jacobi rotations: columns are turned until all are orthogonal. */
export function jacobiSingularValues(x: FloatMatrix): number[] {
  const rows = allRows(x);
  const isWide = x.shape[0] < x.shape[1];
  const columns = isWide ? rows : rows[0].map((_, d) => rows.map((row) => row[d]));
  for (let sweep = 0, moved = true; moved && sweep < 60; sweep++) {
    moved = false;
    for (let i = 0; i < columns.length; i++) {
      for (let j = i + 1; j < columns.length; j++) moved = rotate(columns, i, j) || moved;
    }
  }
  return columns.map((column) => Math.sqrt(dotOf(column, column))).sort((a, b) => a - b);
}

/** Makes two columns orthogonal; says whether they were not. */
function rotate(columns: number[][], i: number, j: number): boolean {
  const [a, b] = [columns[i], columns[j]];
  const [aa, bb, ab] = [dotOf(a, a), dotOf(b, b), dotOf(a, b)];
  if (Math.abs(ab) <= 1e-15 * Math.sqrt(aa * bb) || ab === 0) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta ** 2));
  const cosine = 1 / Math.sqrt(1 + tangent ** 2);
  const sine = cosine * tangent;
  columns[i] = a.map((v, d) => cosine * v - sine * b[d]);
  columns[j] = a.map((v, d) => sine * v + cosine * b[d]);
  return true;
}

export function plainEffectiveRank(x: FloatMatrix): number {
  const values = jacobiSingularValues(x);
  const sum = values.reduce((total, v) => total + v, 0);
  return Math.exp(values.reduce((total, v) => total - (v / sum + 1e-7) * Math.log(v / sum + 1e-7), 0));
}

export interface ProbeState {
  weights: number[][];
  bias: number[];
}

/** Mean cross-entropy + l2 / 2 · ‖W‖², and its gradient. */
export function plainProbe(
  x: FloatMatrix,
  labels: ArrayLike<number>,
  { weights, bias }: ProbeState,
  l2: number,
) {
  const rows = allRows(x);
  const gradient = { weights: weights.map((row) => row.map((w) => l2 * w)), bias: bias.map(() => 0) };
  let loss = 0;
  rows.forEach((row, i) => {
    const logits = weights.map((weight, c) => dotOf(row, weight) + bias[c]);
    const largest = Math.max(...logits);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    loss += (largest + Math.log(sum) - logits[labels[i]]) / rows.length;
    logits.forEach((logit, c) => {
      const g = (Math.exp(logit - largest) / sum - (c === labels[i] ? 1 : 0)) / rows.length;
      gradient.bias[c] += g;
      row.forEach((v, d) => {
        gradient.weights[c][d] += g * v;
      });
    });
  });
  const squares = weights.flat().reduce((total, w) => total + w ** 2, 0);
  return { loss: loss + (l2 / 2) * squares, gradient };
}
