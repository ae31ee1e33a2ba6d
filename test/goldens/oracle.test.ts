/** The oracle against PyTorch autograd, both in float64: they share no line of code, only the equations. */
import { denseLossAndGrad } from '../reference/dense';
import { goldenInputs, readGoldens, summaryError } from './golden-table';

describe.each(readGoldens())(
  'oracle against PyTorch, $objective $rows x $keys x $dim, scale $logitScale',
  (golden) => {
    const { queries, keys, labels } = goldenInputs(golden);
    const result = denseLossAndGrad(queries, keys, { ...golden, labels });

    it('loss and scale gradient', () => {
      expect(Math.abs(result.loss - golden.loss)).toBeLessThan(1e-12 * Math.max(1, golden.loss));
      expect(Math.abs(result.logitScaleGrad - golden.logitScaleGrad)).toBeLessThan(1e-12);
    });

    it('feature gradients', () => {
      expect(summaryError(result.queryGrads, golden.queryGrads, 1e-6)).toBeLessThan(1e-11);
      expect(summaryError(result.keyGrads, golden.keyGrads, 1e-6)).toBeLessThan(1e-11);
    });

    it('row LSE and row losses', () => {
      const worst = (ours: Float64Array, theirs: number[]) =>
        Math.max(...theirs.map((value, i) => Math.abs(ours[i] - value) / Math.max(1, Math.abs(value))));
      expect(worst(result.rows.lse, golden.lse)).toBeLessThan(1e-12);
      expect(worst(result.rows.loss, golden.rowLoss)).toBeLessThan(1e-12);
    });
  },
);
