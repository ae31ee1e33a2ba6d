/**
 * Rules that hold without any oracle: the loss and its gradients are functions with symmetries, and a gradient is the
 * slope of the loss that the addon itself reports.
 */
import { contrastiveLossAndGradSync, contrastiveLossSync } from '../../lib';
import { type FloatMatrix, hash, makeLabels, makePair, unit } from '../reference/inputs';
import { gradientError } from './judge';

const logitScale = 20;
const dim = 37;
const rows = 463; // one tile row and a bit
const pair = makePair({ rows, dim, seed: 700, alike: 3 });
const clip = contrastiveLossAndGradSync(pair.queries, pair.keys, { logitScale });

function permuteRows({ data, shape }: FloatMatrix, order: number[]): FloatMatrix {
  const width = shape[1];
  return {
    data: Float32Array.from(data, (_, at) => data[order[Math.floor(at / width)] * width + (at % width)]),
    shape,
  };
}

/** Sum over rows, one value per feature. */
function columnSums(data: Float32Array): number[] {
  const sums = new Array<number>(dim).fill(0);
  data.forEach((value, at) => {
    sums[at % dim] += value;
  });
  return sums;
}

function inner(u: ArrayLike<number>, v: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < u.length; at++) sum += u[at] * v[at];
  return sum;
}

function add(base: FloatMatrix, step: number, direction: Float32Array): FloatMatrix {
  return { data: base.data.map((value, at) => value + step * direction[at]), shape: base.shape };
}

describe('symmetries', () => {
  it('reordering the pairs reorders the gradients', () => {
    const order = Array.from({ length: rows }, (_, i) => i).sort((a, b) => hash(5, a) - hash(5, b));
    const shuffled = contrastiveLossAndGradSync(
      permuteRows(pair.queries, order),
      permuteRows(pair.keys, order),
      {
        logitScale,
      },
    );
    const expected = permuteRows({ data: clip.queryGrads, shape: [rows, dim] }, order);
    const expectedKeys = permuteRows({ data: clip.keyGrads, shape: [rows, dim] }, order);
    expect(Math.abs(shuffled.loss - clip.loss)).toBeLessThan(1e-6);
    expect(gradientError(shuffled.queryGrads, expected.data, 0)).toBeLessThan(2e-6);
    expect(gradientError(shuffled.keyGrads, expectedKeys.data, 0)).toBeLessThan(2e-6);
    expect(shuffled.accuracy).toBe(clip.accuracy);
  });

  it('clip treats both sides alike', () => {
    const swapped = contrastiveLossAndGradSync(pair.keys, pair.queries, { logitScale });
    expect(Math.abs(swapped.loss - clip.loss)).toBeLessThan(1e-6);
    expect(gradientError(swapped.queryGrads, clip.keyGrads, 0)).toBeLessThan(2e-6);
    expect(gradientError(swapped.keyGrads, clip.queryGrads, 0)).toBeLessThan(2e-6);
  });

  it('clip is the mean of infonce in both directions', () => {
    const there = contrastiveLossAndGradSync(pair.queries, pair.keys, { logitScale, objective: 'infonce' });
    const back = contrastiveLossAndGradSync(pair.keys, pair.queries, { logitScale, objective: 'infonce' });
    const half = (u: Float32Array, v: Float32Array) => u.map((value, at) => (value + v[at]) / 2);
    expect(Math.abs((there.loss + back.loss) / 2 - clip.loss)).toBeLessThan(1e-6);
    expect((there.logitScaleGrad + back.logitScaleGrad) / 2).toBeCloseTo(clip.logitScaleGrad, 7);
    expect(gradientError(clip.queryGrads, half(there.queryGrads, back.keyGrads), 0)).toBeLessThan(2e-6);
    expect(gradientError(clip.keyGrads, half(there.keyGrads, back.queryGrads), 0)).toBeLessThan(2e-6);
  });

  it('scaling queries by a power of two and the scale by its inverse changes nothing but units', () => {
    const queries = { data: pair.queries.data.map((value) => value * 8), shape: pair.queries.shape };
    const scaled = contrastiveLossAndGradSync(queries, pair.keys, { logitScale: logitScale / 8 });
    expect(Math.abs(scaled.loss - clip.loss)).toBeLessThan(1e-7);
    expect(
      gradientError(
        scaled.queryGrads,
        clip.queryGrads.map((value) => value / 8),
        0,
      ),
    ).toBeLessThan(1e-6);
    expect(gradientError(scaled.keyGrads, clip.keyGrads, 0)).toBeLessThan(1e-6);
  });
});

describe('sum rules', () => {
  const keys = 911;
  const labels = makeLabels(rows, keys, 33);
  const wide = makePair({ rows, keys, dim, seed: 702, labels });
  const infonce = contrastiveLossAndGradSync(wide.queries, wide.keys, {
    logitScale,
    objective: 'infonce',
    labels,
  });

  it('each row of an infonce softmax sums to one, so key gradients sum to zero', () => {
    // sum_j dk_j = s sum_i q_i (sum_j g_ij) = 0
    const size = Math.sqrt(inner(infonce.keyGrads, infonce.keyGrads));
    for (const sum of columnSums(infonce.keyGrads)) expect(Math.abs(sum)).toBeLessThan(1e-5 * size);
  });

  it.each([
    ['clip', clip, pair],
    ['infonce', infonce, wide],
  ] as const)('%s: <Q, dQ> = <K, dK> = s ds', (_, result, { queries, keys: k }) => {
    const expected = logitScale * result.logitScaleGrad;
    const size = Math.sqrt(inner(result.queryGrads, result.queryGrads) * rows);
    expect(Math.abs(inner(queries.data, result.queryGrads) - expected)).toBeLessThan(1e-6 * size);
    expect(Math.abs(inner(k.data, result.keyGrads) - expected)).toBeLessThan(1e-6 * size);
  });
});

describe('finite differences of the addon’s own loss', () => {
  const { queries, keys } = makePair({ rows: 97, dim, seed: 704, alike: 3 });
  const grads = contrastiveLossAndGradSync(queries, keys, { logitScale });
  const step = 2 ** -6;

  // (8 (L(h) - L(-h)) - (L(2h) - L(-2h))) / 12h = dL + O(h^4); the loss itself is good to 1e-7, so h is large
  const slope = (loss: (h: number) => number) =>
    (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step);

  it.each([1, 2, 3, 4])('queries and keys, direction %i', (seed) => {
    const direction = Float32Array.from(queries.data, (_, at) => unit(800 + seed, at) / 8);
    const ofQueries = slope(
      (h) => contrastiveLossSync(add(queries, h, direction), keys, { logitScale }).loss,
    );
    const ofKeys = slope((h) => contrastiveLossSync(queries, add(keys, h, direction), { logitScale }).loss);
    const size = (g: Float32Array) => Math.sqrt(inner(g, g));
    expect(Math.abs(ofQueries - inner(grads.queryGrads, direction))).toBeLessThan(
      1e-3 * size(grads.queryGrads),
    );
    expect(Math.abs(ofKeys - inner(grads.keyGrads, direction))).toBeLessThan(1e-3 * size(grads.keyGrads));
  });

  it('logit scale', () => {
    const measured =
      slope((h) => contrastiveLossSync(queries, keys, { logitScale: logitScale + 16 * h }).loss) / 16;
    expect(Math.abs(measured - grads.logitScaleGrad)).toBeLessThan(
      1e-4 * Math.abs(grads.logitScaleGrad) + 1e-6,
    );
  });
});
