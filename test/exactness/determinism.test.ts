/**
 * The same inputs give the same bits: whatever the number of threads, the call, the entry point and the row stride.
 * The size of the workspace may change which panels are packed and which logits are kept, and rounding at most.
 */
import {
  type ContrastiveOptions,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
} from '../../lib';
import { widen } from '../reference/inputs';
import type { Problem } from '../reference/problems';
import { caseName, caseProblem, type ExactCase, engineInputs } from './cases';
import { gradientBound, gradientError, gradientFloor } from './judge';

const square = (rows: number, dim: number, logitScale: number, seed: number) => ({
  rows,
  keys: rows,
  dim,
  logitScale,
  seed,
});
const all = ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] as const;
const masks = { ids: 31, falseNegativeMargin: 0.125, coarse: true };

const shapes: ExactCase[] = [
  { objective: 'clip', ...square(1, 5, 10, 900) },
  { objective: 'clip', ...square(449, 33, 50, 902) },
  { objective: 'clip', ...square(1361, 64, 20, 904) },
  { objective: 'clip', ...square(701, 20, 100, 906), values: 'mixedLengths' },
  { objective: 'infonce', ...square(1013, 31, 20, 908), keys: 2027, labelSeed: 70 },
  { objective: 'infonce', ...square(450, 8, 100, 910), keys: 899, values: 'longQueries' },
  { objective: 'ntxent', ...square(911, 33, 20, 912) },
  { objective: 'ntxent', ...square(701, 12, 20, 914), ...masks, labelSmoothing: 0.1, weights: true },
  { objective: 'supcon', ...square(701, 24, 20, 916) },
  { objective: 'supcon', ...square(1013, 24, 20, 918), keys: 0, classes: 10 },
  { objective: 'siglip', ...square(911, 24, 20, 920), keys: 1013, ids: 50 },
  { objective: 'clip', ...square(701, 17, 20, 922), hardPerQuery: 3, hardness: { strength: 5, on: 'all' } },
  { objective: 'infonce', ...square(701, 12, 20, 924), directions: all, hardPerQuery: 1, ...masks },
  { objective: 'infonce', ...square(701, 31, 20, 926), directions: all, partition: 'perDirection' },
  { objective: 'ntxent', ...square(701, 31, 20, 928), dtype: 'bfloat16', compute: 'bfloat16' },
];

function problemOptions(exact: ExactCase, problem: Problem, options: ContrastiveOptions = {}) {
  return { ...engineInputs(exact, problem).options, perRow: true, ...options };
}

function run(exact: ExactCase, problem: Problem, options: ContrastiveOptions = {}) {
  const { queries, keys } = engineInputs(exact, problem);
  const { stats, ...values } = contrastiveLossAndGradSync(
    queries,
    keys,
    problemOptions(exact, problem, options),
  );
  return { stats, values };
}

/** As the refusal of one byte names it: the planner does not know of objectives. */
function leastWorkspace(exact: ExactCase, problem: Problem): number {
  try {
    run(exact, problem, { threads: 1, workspaceBytes: 1 });
  } catch (error) {
    return Number(/at least (\d+)/.exec((error as Error).message)![1]);
  }
  throw new Error('a workspace of one byte was accepted');
}

describe.each(shapes.map((exact) => [caseName(exact), exact] as const))('%s', (_, exact) => {
  const problem = caseProblem(exact);
  const inputs = engineInputs(exact, problem);
  const { stats, values: one } = run(exact, problem, { threads: 1 });

  it('is finite, so that equal bits mean equal numbers', () => {
    const { loss, logitScaleGrad, logitBiasGrad, queryGrads, keyGrads, hardNegativeGrads = [] } = one;
    expect([loss, logitScaleGrad, logitBiasGrad].every(Number.isFinite)).toBe(true);
    for (const grads of [queryGrads, keyGrads, hardNegativeGrads])
      expect(grads.every(Number.isFinite)).toBe(true);
  });

  it.each([2, 3, 5, 16])('%i threads give the bits of one', (threads) => {
    expect(run(exact, problem, { threads }).values).toEqual(one);
  });

  it('a second call gives the bits of the first', () => {
    expect(run(exact, problem, { threads: 1 }).values).toEqual(one);
  });

  it('the asynchronous call gives the bits of the synchronous one', async () => {
    const { stats: _, ...values } = await contrastiveLossAndGrad(
      inputs.queries,
      inputs.keys,
      problemOptions(exact, problem),
    );
    expect(values).toEqual(one);
  });

  it('rows read through a stride give the bits of compact rows', () => {
    const { queries, keys } = problem;
    const wide = { ...problem, queries: widen(queries, 3), keys: keys && widen(keys, 13) };
    const { values } = run(exact, wide);
    expect(values).toEqual(one);
  });

  it('loss without gradients is the same loss', () => {
    const forward = contrastiveLossSync(inputs.queries, inputs.keys, problemOptions(exact, problem));
    expect(forward.loss).toBe(one.loss);
    expect(forward.accuracy).toBe(one.accuracy);
    expect(forward.rows).toEqual(one.rows);
  });

  it('the least workspace and one that holds every logit agree to rounding', () => {
    const { logitScale, rows, compute } = exact;
    for (const workspaceBytes of [leastWorkspace(exact, problem), 2 ** 28]) {
      const again = run(exact, problem, { threads: 1, workspaceBytes });
      expect(again.stats.workspaceBytes).toBeLessThanOrEqual(workspaceBytes);
      expect(again.stats.tiles).toBe(stats.tiles);
      expect(again.stats.tilesReused).toBe(workspaceBytes === 2 ** 28 ? stats.tiles : 0);
      expect(Math.abs(again.values.loss - one.loss)).toBeLessThanOrEqual(1e-6 * Math.max(1, one.loss));
      const bound = compute === 'bfloat16' ? 1e-2 : gradientBound(logitScale);
      const compare = (out: Float32Array, reference: Float32Array) =>
        expect(
          gradientError(out, reference, gradientFloor(problem.queries, rows, logitScale)),
        ).toBeLessThanOrEqual(bound);
      compare(again.values.queryGrads, one.queryGrads);
      compare(again.values.keyGrads, one.keyGrads);
    }
  });
});
