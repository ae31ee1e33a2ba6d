/**
 * linearProbe: the gradient of the objective in float64 is zero where the training ended, and plain gradient
 * descent in float64 comes to the same loss. The objective is convex, so both show that the minimum was
 * found.
 */
import { linearProbe } from '../../lib/evaluation';
import { allRows, normalRows, type ProbeState, plainClassMetrics, plainProbe } from '../reference/features';
import type { FloatMatrix } from '../reference/inputs';

/** Rows around a centre for each class. */
function clusters(rows: number, dim: number, classes: number, seed: number) {
  const [noise, centres] = [normalRows(rows, dim, seed), normalRows(classes, dim, 99)];
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  const data = noise.data.map(
    (v, at) => v + 0.8 * centres.data[labels[Math.floor(at / dim)] * dim + (at % dim)],
  );
  return { x: { data, shape: [rows, dim] } as FloatMatrix, labels };
}

const stateOf = (
  { weights, bias }: { weights: Float32Array; bias: Float32Array },
  dim: number,
): ProbeState => ({
  weights: allRows({ data: weights, shape: [bias.length, dim] }),
  bias: Array.from(bias),
});

/** Gradient descent with momentum: no line search, no curvature, many steps. */
function descend(x: FloatMatrix, labels: Int32Array, classes: number, l2: number): number {
  const dim = x.shape[1];
  const size = classes * (dim + 1);
  const parameters = new Float64Array(size);
  const speed = new Float64Array(size);
  const state = (): ProbeState => ({
    weights: Array.from({ length: classes }, (_, c) =>
      Array.from(parameters.subarray(c * dim, (c + 1) * dim)),
    ),
    bias: Array.from(parameters.subarray(classes * dim)),
  });
  for (let step = 0; step < 1500; step++) {
    const { gradient } = plainProbe(x, labels, state(), l2);
    [...gradient.weights.flat(), ...gradient.bias].forEach((g, i) => {
      speed[i] = 0.9 * speed[i] - 0.2 * g;
      parameters[i] += speed[i];
    });
  }
  return plainProbe(x, labels, state(), l2).loss;
}

describe.each([
  [60, 5, 3, 0.01],
  [80, 4, 2, 0.1],
  [40, 7, 6, 1],
])('%d rows, %d features, %d classes, l2 %d', (rows, dim, classes, l2) => {
  const train = clusters(rows, dim, classes, 1);
  const test = clusters(50, dim, classes, 2);
  const probe = () => linearProbe(train.x, train.labels, test.x, test.labels, { l2 });

  it('ends where the gradient of the objective is zero', async () => {
    const result = await probe();
    const { loss, gradient } = plainProbe(train.x, train.labels, stateOf(result, dim), l2);
    expect(result.converged).toBe(true);
    for (const g of [...gradient.weights.flat(), ...gradient.bias]) expect(Math.abs(g)).toBeLessThan(2e-5);
    expect(Math.abs(result.loss - loss)).toBeLessThan(1e-6);
  });

  it('comes to the loss of gradient descent in float64', async () => {
    const { loss, evaluations, iterations } = await probe();
    expect(Math.abs(loss - descend(train.x, train.labels, classes, l2))).toBeLessThan(1e-6);
    expect(iterations).toBeGreaterThan(1);
    expect(evaluations).toBeGreaterThan(iterations);
    expect(evaluations).toBeLessThan(100);
  });

  it('metrics are those of the test rows', async () => {
    const { weights, bias, top1, top5, meanPerClassRecall } = await probe();
    const expected = plainClassMetrics(test.x, { data: weights, shape: [classes, dim] }, test.labels, bias);
    expect({ top1, top5, meanPerClassRecall }).toEqual(expected);
    expect(top1).toBeGreaterThan(1.5 / classes);
  });
});

it('finds classes that planes part, at any size of the features', async () => {
  const x = { data: Float32Array.of(-3, -2, 2, 3), shape: [4, 1] as const };
  const labels = Int32Array.of(0, 0, 1, 1);
  for (const size of [1e-3, 1, 1e3]) {
    const sized = { data: x.data.map((value) => value * size), shape: x.shape };
    const { top1, weights } = await linearProbe(sized, labels, sized, labels, { l2: 1e-3 * size ** 2 });
    expect([top1, weights.length]).toEqual([1, 2]);
  }
});

it('the bias alone learns how frequent classes are', async () => {
  const zeros = { data: new Float32Array(10), shape: [10, 1] };
  const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 1);
  const { bias, loss, weights } = await linearProbe(zeros, labels, zeros, labels, { l2: 1 });
  expect(bias[0]! - bias[1]!).toBeCloseTo(Math.log(7 / 3), 3);
  expect(loss).toBeCloseTo(-0.7 * Math.log(0.7) - 0.3 * Math.log(0.3), 6);
  expect(Array.from(weights)).toEqual([0, 0]);
});

it('ends after maxIterations and says so', async () => {
  const { x, labels } = clusters(60, 5, 3, 1);
  const result = await linearProbe(x, labels, x, labels, { l2: 0.01, maxIterations: 2 });
  expect([result.iterations, result.converged]).toEqual([2, false]);
});

it('a larger tolerance takes fewer steps', async () => {
  const { x, labels } = clusters(60, 5, 3, 1);
  const iterations = async (tolerance: number) =>
    (await linearProbe(x, labels, x, labels, { l2: 0.01, tolerance })).iterations;
  expect(await iterations(1e-2)).toBeLessThan(await iterations(1e-5));
});

it('does not depend on the number of threads', async () => {
  const { x, labels } = clusters(60, 5, 3, 1);
  const probe = (threads: number) => linearProbe(x, labels, x, labels, { l2: 0.01, threads });
  expect(await probe(1)).toEqual(await probe(2));
});
