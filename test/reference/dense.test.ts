/**
 * The oracle is trusted because of this file alone: central finite differences of its loss against its gradients, a
 * case worked out by hand, and the symmetries that the equations have.
 */
import { type DenseMatrix, type DenseOptions, denseLossAndGrad, type ObjectiveName } from './dense';
import { type FloatMatrix, makePair, widen } from './inputs';

const step = 1e-5;

function float64({ data, shape }: FloatMatrix) {
  return { data: Float64Array.from(data), shape };
}

/** dL/dx_at = (L(x + h) - L(x - h)) / 2h + O(h^2) */
function slope(matrix: DenseMatrix, at: number, loss: () => number): number {
  const was = matrix.data[at];
  matrix.data[at] = was + step;
  const above = loss();
  matrix.data[at] = was - step;
  const below = loss();
  matrix.data[at] = was;
  return (above - below) / (2 * step);
}

interface Case extends DenseOptions {
  objective: ObjectiveName;
  rows: number;
  keys: number;
  dim: number;
  logitScale: number;
}

const cases: Case[] = [
  { objective: 'clip', rows: 1, keys: 1, dim: 1, logitScale: 3 },
  { objective: 'clip', rows: 5, keys: 5, dim: 4, logitScale: 14.3 },
  { objective: 'clip', rows: 7, keys: 7, dim: 3, logitScale: 30 },
  { objective: 'infonce', rows: 5, keys: 5, dim: 3, logitScale: 10 },
  { objective: 'infonce', rows: 4, keys: 9, dim: 5, logitScale: 20, labels: [8, 0, 3, 3] },
];

describe.each(cases)('oracle, $objective $rows x $keys x $dim, scale $logitScale', (options) => {
  const pair = makePair({ ...options, seed: 3 });
  const queries = float64(pair.queries);
  const keys = float64(pair.keys);
  const exact = denseLossAndGrad(queries, keys, options);
  const loss = () => denseLossAndGrad(queries, keys, options).loss;

  it.each([
    ['queries', queries, exact.queryGrads],
    ['keys', keys, exact.keyGrads],
  ] as const)('gradient of %s equals finite differences', (_, matrix, grads) => {
    for (let at = 0; at < grads.length; at++) {
      expect(Math.abs(grads[at] - slope(matrix, at, loss))).toBeLessThan(1e-6 * options.logitScale);
    }
  });

  it('gradient of the scale equals finite differences', () => {
    const at = (logitScale: number) => denseLossAndGrad(queries, keys, { ...options, logitScale }).loss;
    const measured = (at(options.logitScale + step) - at(options.logitScale - step)) / (2 * step);
    expect(Math.abs(exact.logitScaleGrad - measured)).toBeLessThan(1e-8);
  });

  it('row losses average to the loss and are never negative', () => {
    const sum = exact.rows.loss.reduce((total, value) => total + value, 0);
    expect(sum / options.rows).toBeCloseTo(exact.loss, 13);
    expect(Math.min(...exact.rows.loss)).toBeGreaterThanOrEqual(0);
  });

  it('reads rows through their stride', () => {
    const wide = denseLossAndGrad(widen(pair.queries, 3), widen(pair.keys, 1), options);
    expect(wide.loss).toBe(exact.loss);
    expect(wide.queryGrads).toEqual(exact.queryGrads);
    expect(wide.keyGrads).toEqual(exact.keyGrads);
  });
});

describe('oracle, by hand', () => {
  // q = k = (1, -1): x = [[1, -1], [-1, 1]], every cross-entropy is log(1 + e^-2)
  const matrix: DenseMatrix = { data: Float64Array.of(1, -1), shape: [2, 1] };

  it.each(['clip', 'infonce'] as const)('%s of two opposite pairs', (objective) => {
    const result = denseLossAndGrad(matrix, matrix, { objective, logitScale: 1 });
    const miss = 1 / (1 + Math.exp(2)); // probability of the wrong key
    expect(result.loss).toBeCloseTo(Math.log1p(Math.exp(-2)), 15);
    expect(result.accuracy).toBe(1);
    expect(result.logitScaleGrad).toBeCloseTo(-2 * miss, 15);
    // dq_0 = s sum_j g_0j k_j = (-miss * 1 + miss * -1) / 2
    expect(result.queryGrads[0]).toBeCloseTo(-miss, 15);
  });

  it('counts a tie for the first place as first', () => {
    const same: DenseMatrix = { data: Float64Array.of(1, 1), shape: [2, 1] };
    const result = denseLossAndGrad(same, same, { logitScale: 1 });
    expect(Array.from(result.rows.positiveFirst)).toEqual([1, 1]);
    expect(result.loss).toBeCloseTo(Math.log(2), 15);
  });
});
