/** The addon against float64 PyTorch autograd: float32 arithmetic, so the bounds of docs/numerics.md. */
import { contrastiveLossAndGradSync } from '../../lib';
import { gradientBound, gradientFloor, lossBound, usualShare } from '../exactness/judge';
import { makeProblem } from '../reference/problems';
import { readGoldens, summaryError } from './golden-table';

describe.each(readGoldens())('addon against PyTorch, %s', (_, { recipe, expected }) => {
  const { queries, keys, options } = makeProblem(recipe);
  const result = contrastiveLossAndGradSync(queries, keys, { ...options, perRow: true });
  const { logitScale, rows, hardness, logitBias = 0 } = recipe;
  const largest = logitScale + (hardness?.strength ?? 0) + Math.abs(logitBias); // rows are no longer than one
  const bound = gradientBound(largest);

  it('loss, accuracy, gradients of scale and bias', () => {
    const near = (ours: number, value: number) =>
      expect(Math.abs(ours - value)).toBeLessThanOrEqual(bound * Math.max(usualShare, Math.abs(value)));
    expect(Math.abs(result.loss - expected.loss)).toBeLessThanOrEqual(lossBound(expected.loss));
    expect(result.accuracy).toBe(expected.accuracy ?? Number.NaN);
    near(result.logitScaleGrad, expected.logitScaleGrad);
    near(result.logitBiasGrad, expected.logitBiasGrad ?? 0);
  });

  it.each(['queryGrads', 'keyGrads', 'hardNegativeGrads'] as const)('%s', (name) => {
    const summary = expected[name];
    if (summary === undefined) {
      expect(result[name] ?? []).toHaveLength(0);
      return;
    }
    const other = name === 'queryGrads' ? (keys ?? queries) : queries;
    const floor = gradientFloor(other, rows, logitScale);
    expect(summaryError(result[name]!, summary, floor)).toBeLessThanOrEqual(bound);
  });

  it('row LSE and row losses', () => {
    const allowed = (value: number) => 1e-6 * Math.max(1, Math.abs(value)) + 2.5e-7 * largest;
    expected.rowLoss.forEach((value, i) => {
      expect(Math.abs(result.rows!.loss[i] - value)).toBeLessThanOrEqual(allowed(value));
    });
    if (expected.lse === undefined) expect(result.rows!.lse.every(Number.isNaN)).toBe(true);
    expected.lse?.forEach((value, i) => {
      expect(Math.abs(result.rows!.lse[i] - value)).toBeLessThanOrEqual(allowed(value));
    });
  });
});
