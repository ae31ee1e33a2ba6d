/** The optimiser against steps worked out by hand, and the schedule at its corners. */

import { AdamW, learningRateFactor } from '../src/train/adamw.js';

const options = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1 };

test('two steps by hand', () => {
  const p = Float32Array.of(1);
  const optimiser = new AdamW([p], options);
  // m = 0.05, v = 0.005; corrected 0.5 and 0.25; direction 0.5 / 0.5 = 1; p = 1 - 0.1 (1 + 0.1)
  optimiser.step([Float32Array.of(0.5)], [0.1]);
  expect(p[0]).toBeCloseTo(0.89, 6);
  // g = -1: m = 0.045 - 0.1 = -0.055, corrected / 0.19; v = 0.0049 + 0.02 = 0.0249, corrected / 0.0396
  optimiser.step([Float32Array.of(-1)], [0.1]);
  const direction = -0.055 / 0.19 / Math.sqrt(0.0249 / 0.0396);
  expect(p[0]).toBeCloseTo(0.89 - 0.1 * (direction + 0.1 * 0.89), 6);
});

test('each array has its own rate', () => {
  const [a, b] = [Float32Array.of(0), Float32Array.of(0)];
  new AdamW([a, b], { ...options, weightDecay: 0 }).step(
    [Float32Array.of(3), Float32Array.of(3)],
    [0.1, 0.5],
  );
  expect(a[0]).toBeCloseTo(-0.1, 6);
  expect(b[0]).toBeCloseTo(-0.5, 6);
});

test('warms up linearly, then falls as a cosine to nothing', () => {
  expect(learningRateFactor(0, 100, 10)).toBeCloseTo(0.1);
  expect(learningRateFactor(9, 100, 10)).toBe(1);
  expect(learningRateFactor(10, 100, 10)).toBe(1);
  expect(learningRateFactor(55, 100, 10)).toBeCloseTo(0.5);
  expect(learningRateFactor(99, 100, 10)).toBeLessThan(0.001);
});
