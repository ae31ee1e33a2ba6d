/**
 * The same inputs give the same bits: whatever the number of threads, the call, the entry point and the row stride.
 * The size of the workspace may change which panels are packed when, and rounding at most.
 */
import {
  type ContrastiveOptions,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
} from '../../lib';
import { loadBinding } from '../../lib/native/load';
import { widen } from '../reference/inputs';
import { type CaseInputs, caseInputs, caseName, type ExactCase } from './cases';
import { gradientBound, gradientError, gradientFloor } from './judge';

const shapes: ExactCase[] = [
  { objective: 'clip', rows: 1, keys: 1, dim: 5, logitScale: 10, seed: 900 },
  { objective: 'clip', rows: 449, keys: 449, dim: 33, logitScale: 50, seed: 902 },
  { objective: 'clip', rows: 1361, keys: 1361, dim: 64, logitScale: 20, seed: 904 },
  { objective: 'clip', rows: 701, keys: 701, dim: 20, logitScale: 100, seed: 906, values: 'mixedLengths' },
  { objective: 'infonce', rows: 1013, keys: 2027, dim: 31, logitScale: 20, seed: 908, labelSeed: 70 },
  { objective: 'infonce', rows: 450, keys: 899, dim: 8, logitScale: 100, seed: 910, values: 'longQueries' },
];

function run(exact: ExactCase, inputs: CaseInputs, options: ContrastiveOptions = {}) {
  const { objective, logitScale } = exact;
  const { queries, keys, labels } = inputs;
  const all = { objective, logitScale, labels, perRow: true, ...options };
  const { stats, ...values } = contrastiveLossAndGradSync(queries, keys, all);
  return { stats, values };
}

describe.each(shapes.map((exact) => [caseName(exact), exact] as const))('%s', (_, exact) => {
  const inputs = caseInputs(exact);
  const one = run(exact, inputs, { threads: 1 }).values;

  it('is finite, so that equal bits mean equal numbers', () => {
    const { loss, logitScaleGrad, queryGrads, keyGrads } = one;
    expect([loss, logitScaleGrad].every(Number.isFinite)).toBe(true);
    expect(queryGrads.every(Number.isFinite) && keyGrads.every(Number.isFinite)).toBe(true);
  });

  it.each([2, 3, 5, 16])('%i threads give the bits of one', (threads) => {
    expect(run(exact, inputs, { threads }).values).toEqual(one);
  });

  it('a second call gives the bits of the first', () => {
    expect(run(exact, inputs, { threads: 1 }).values).toEqual(one);
  });

  it('the asynchronous call gives the bits of the synchronous one', async () => {
    const { objective, logitScale } = exact;
    const { queries, keys, labels } = inputs;
    const { stats, ...values } = await contrastiveLossAndGrad(queries, keys, {
      objective,
      logitScale,
      labels,
      perRow: true,
    });
    expect(stats.tiles).toBeGreaterThan(0);
    expect(values).toEqual(one);
  });

  it('rows read through a stride give the bits of compact rows', () => {
    const wide = { ...inputs, queries: widen(inputs.queries, 3), keys: widen(inputs.keys, 13) };
    expect(run(exact, wide).values).toEqual(one);
  });

  it('loss without gradients is the same loss', () => {
    const { objective, logitScale } = exact;
    const { queries, keys, labels } = inputs;
    const forward = contrastiveLossSync(queries, keys, { objective, logitScale, labels, perRow: true });
    expect(forward.loss).toBe(one.loss);
    expect(forward.accuracy).toBe(one.accuracy);
    expect(forward.rows).toEqual(one.rows);
  });

  it('the least workspace and a roomy one agree to rounding', () => {
    const { rows, keys, dim, logitScale } = exact;
    const request = { rows, keys, dim, gradient: true, threads: 1, workspaceBytes: 0 };
    const { minimumWorkspaceBytes, workspaceBytes } = loadBinding().plan(request);
    expect(minimumWorkspaceBytes).toBeLessThanOrEqual(workspaceBytes);
    for (const bytes of [minimumWorkspaceBytes, 4 * workspaceBytes]) {
      const { values, stats } = run(exact, inputs, { threads: 1, workspaceBytes: bytes });
      expect(stats.workspaceBytes).toBeLessThanOrEqual(bytes);
      expect(Math.abs(values.loss - one.loss)).toBeLessThanOrEqual(1e-6 * Math.max(1, one.loss));
      const bound = gradientBound(logitScale);
      const floorOf = (side: 'queries' | 'keys') => gradientFloor(inputs[side], rows, logitScale);
      expect(gradientError(values.queryGrads, one.queryGrads, floorOf('keys'))).toBeLessThanOrEqual(bound);
      expect(gradientError(values.keyGrads, one.keyGrads, floorOf('queries'))).toBeLessThanOrEqual(bound);
    }
  });
});
