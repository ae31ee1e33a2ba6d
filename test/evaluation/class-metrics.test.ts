/** zeroShotAccuracy against a plain oracle: random features, ties, classes without rows, few classes. */
import fc from 'fast-check';
import { zeroShotAccuracy } from '../../lib/evaluation';
import { normalRows, plainClassMetrics, unitRows } from '../reference/features';
import { coarsen, widen } from '../reference/inputs';

const labelsOf = (rows: number, classes: number) =>
  Int32Array.from({ length: rows }, (_, i) => (i * 7 + (i >> 3)) % classes);

it.each([
  [50, 12, 9],
  [40, 3, 5],
  [7, 20, 1],
  [300, 2, 6],
])('equals the oracle: %d rows, %d classes, %d features', async (rows, classes, dim) => {
  const [x, weights] = [normalRows(rows, dim, rows), normalRows(classes, dim, classes)];
  const labels = labelsOf(rows, classes);
  const expected = plainClassMetrics(x, weights, labels);
  expect(await zeroShotAccuracy(x, weights, labels)).toEqual(expected);
  expect(await zeroShotAccuracy(widen(x, 2), widen(weights, 1), labels)).toEqual(expected);
});

it('random problems with ties equal the oracle', async () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 30 }),
    classes: fc.integer({ min: 1, max: 12 }),
    dim: fc.integer({ min: 1, max: 10 }),
    seed: fc.integer({ min: 0, max: 1e6 }),
  });
  const property = fc.asyncProperty(sizes, async ({ rows, classes, dim, seed }) => {
    // few bits: equal products are equal, and not equal by accident
    const [x, weights] = [coarsen(normalRows(rows, dim, seed)), coarsen(normalRows(classes, dim, seed + 1))];
    const labels = Int32Array.from({ length: rows }, (_, i) => (seed + i * i) % classes);
    expect(await zeroShotAccuracy(x, weights, labels)).toEqual(plainClassMetrics(x, weights, labels));
  });
  await fc.assert(property, { numRuns: 150, seed: 20_261_130 });
});

it('features of their own class are right, and those of another class are wrong', async () => {
  const classes = unitRows(normalRows(8, 16, 3));
  const own = Int32Array.from({ length: 8 }, (_, i) => i);
  expect(await zeroShotAccuracy(classes, classes, own)).toEqual({ top1: 1, top5: 1, meanPerClassRecall: 1 });
  const other = own.map((label) => (label + 1) % 8);
  expect((await zeroShotAccuracy(classes, classes, other)).top1).toBe(0);
});

it('a collapsed model finds the first class only', async () => {
  const same = { data: new Float32Array(10 * 4).fill(0.5), shape: [10, 4] };
  const labels = Int32Array.from({ length: 10 }, (_, i) => i);
  expect(await zeroShotAccuracy(same, same, labels)).toEqual({
    top1: 0.1,
    top5: 0.5,
    meanPerClassRecall: 0.1,
  });
});

it('recall is a mean over classes, and classes without a row do not count', async () => {
  const classes = { data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), shape: [3, 3] };
  const x = { data: Float32Array.of(1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0), shape: [4, 3] };
  const { top1, meanPerClassRecall } = await zeroShotAccuracy(x, classes, Int32Array.of(0, 0, 0, 2));
  expect([top1, meanPerClassRecall]).toEqual([0.75, 0.5]);
});
