/** The oracle against PyTorch autograd, both in float64: they share no line of code, only the equations. */
import { denseLossAndGrad } from '../reference/dense';
import { makeProblem } from '../reference/problems';
import { readGoldens, summaryError } from './golden-table';

describe.each(readGoldens())('oracle against PyTorch, %s', (_, { recipe, expected }) => {
  const { queries, keys, options } = makeProblem(recipe);
  const result = denseLossAndGrad(queries, keys, options);

  it('loss, accuracy, gradients of scale and bias', () => {
    const near = (ours: number, value: number) =>
      expect(Math.abs(ours - value)).toBeLessThan(1e-12 * Math.max(1, Math.abs(value)));
    near(result.loss, expected.loss);
    expect(result.accuracy).toBe(expected.accuracy ?? Number.NaN);
    near(result.logitScaleGrad, expected.logitScaleGrad);
    near(result.logitBiasGrad, expected.logitBiasGrad ?? 0);
  });

  it.each(['queryGrads', 'keyGrads', 'hardNegativeGrads'] as const)('%s', (name) => {
    const summary = expected[name];
    if (summary === undefined) expect(result[name]).toHaveLength(0);
    else expect(summaryError(result[name], summary, 1e-6)).toBeLessThan(1e-11);
  });

  it('row LSE and row losses', () => {
    const worst = (ours: Float64Array, theirs: number[]) =>
      Math.max(...theirs.map((value, i) => Math.abs(ours[i] - value) / Math.max(1, Math.abs(value))));
    if (expected.lse) expect(worst(result.rows.lse, expected.lse)).toBeLessThan(1e-12);
    else expect(result.rows.lse.every(Number.isNaN)).toBe(true);
    expect(worst(result.rows.loss, expected.rowLoss)).toBeLessThan(1e-12);
  });

  it('no similarity is so near a limit that rounding decides', () => {
    expect(result.clearance).toBeGreaterThan(1e-5);
  });
});
