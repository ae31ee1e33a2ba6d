/** The addon against float64 PyTorch autograd: float32 arithmetic, so the bounds of docs/numerics.md. */
import { contrastiveLossAndGradSync } from '../../lib';
import { gradientBound, gradientFloor, lossBound, usualShare } from '../exactness/judge';
import { goldenInputs, readGoldens, summaryError } from './golden-table';

describe.each(readGoldens())(
  'addon against PyTorch, $objective $rows x $keys x $dim, scale $logitScale',
  (golden) => {
    const { queries, keys, labels } = goldenInputs(golden);
    const { objective, logitScale, rows } = golden;
    const result = contrastiveLossAndGradSync(queries, keys, { objective, logitScale, labels, perRow: true });
    const largest = logitScale; // rows are no longer than one
    const bound = gradientBound(largest);

    it('loss and scale gradient', () => {
      expect(Math.abs(result.loss - golden.loss)).toBeLessThanOrEqual(lossBound(golden.loss, largest, rows));
      const floor = Math.max(usualShare, Math.abs(golden.logitScaleGrad)); // similarities are at most one
      expect(Math.abs(result.logitScaleGrad - golden.logitScaleGrad)).toBeLessThanOrEqual(bound * floor);
    });

    it('feature gradients', () => {
      const queryFloor = gradientFloor(keys, rows, logitScale);
      const keyFloor = gradientFloor(queries, rows, logitScale);
      expect(summaryError(result.queryGrads, golden.queryGrads, queryFloor)).toBeLessThanOrEqual(bound);
      expect(summaryError(result.keyGrads, golden.keyGrads, keyFloor)).toBeLessThanOrEqual(bound);
    });

    it('row LSE and row losses', () => {
      const allowed = (value: number) => 1e-6 * Math.max(1, Math.abs(value)) + 2.5e-7 * largest;
      golden.lse.forEach((value, i) => {
        expect(Math.abs(result.rows!.lse[i] - value)).toBeLessThanOrEqual(allowed(value));
      });
      golden.rowLoss.forEach((value, i) => {
        expect(Math.abs(result.rows!.loss[i] - value)).toBeLessThanOrEqual(allowed(value));
      });
    });
  },
);
