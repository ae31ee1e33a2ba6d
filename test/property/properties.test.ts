/**
 * What holds for every problem: the oracle's numbers, symmetry under reordering, independence of threads and of
 * memory, and the sums that the equations fix. Problems are random (random-problem.ts), repeatably so (settings.ts).
 */
import {
  type ContrastiveOptions,
  contrastiveLossAndGradSync,
  type KeyLists,
  type LossAndGradResult,
} from '../../lib';
import { caseProblem, type ExactCase, engineInputs, leniencyOf } from '../exactness/cases';
import { failures, gradientBound, gradientError, gradientFloor, judge } from '../exactness/judge';
import { denseLossAndGrad } from '../reference/dense';
import { type FloatMatrix, hash } from '../reference/inputs';
import type { Problem, ProblemOptions } from '../reference/problems';
import { randomCase, randomFloatCase, randomSizeCase } from './random-problem';
import { forAll, propertyTimeout } from './settings';

function run(exact: ExactCase, problem: Problem, options: ContrastiveOptions = {}): LossAndGradResult {
  const inputs = engineInputs(exact, problem);
  return contrastiveLossAndGradSync(inputs.queries, inputs.keys, {
    ...inputs.options,
    perRow: true,
    ...options,
  });
}

function reorder({ data, shape }: FloatMatrix, order: number[], group = 1): FloatMatrix {
  const width = shape[1] * group;
  return {
    data: Float32Array.from(data, (_, at) => data[order[Math.floor(at / width)] * width + (at % width)]),
    shape,
  };
}

/** Pairs in another order. Labelled keys are reversed; other keys go with their queries, and a bank stays. */
function permute(
  { queries, keys, options }: Problem,
  isClass: boolean,
  order: number[],
  keyOrder: number[],
): Problem {
  const pick = <T extends Int32Array | Float32Array>(values: T, by: number[]) =>
    values.map((_, i) => values[by[i]]) as T;
  const { labels, queryIds, keyIds, queryWeights, hardNegatives: hard, guide, teacher } = options;
  const sides = (frozen: { queries: FloatMatrix; keys: FloatMatrix }) => ({
    queries: reorder(frozen.queries, order),
    keys: reorder(frozen.keys, keyOrder),
  });
  const moveLists = ({ offsets, keys: listed }: KeyLists): KeyLists => {
    const lists = order.map((i) => Array.from(listed.subarray(offsets[i], offsets[i + 1])));
    const ends = [0];
    for (const list of lists) ends.push(ends[ends.length - 1] + list.length);
    return {
      offsets: Int32Array.from(ends),
      keys: Int32Array.from(lists.flat(), (key) => keyOrder.indexOf(key)),
    };
  };
  const moveLabels = (given: Int32Array | KeyLists) => {
    if (!(given instanceof Int32Array)) return moveLists(given);
    const moved = pick(given, order);
    return isClass ? moved : moved.map((label) => keyOrder.indexOf(label));
  };
  const permuted: ProblemOptions = {
    ...options,
    ...(labels && { labels: moveLabels(labels) }),
    ...(options.excludePairs && { excludePairs: moveLists(options.excludePairs) }),
    ...(queryIds && keyIds && { queryIds: pick(queryIds, order), keyIds: pick(keyIds, keyOrder) }),
    ...(queryWeights && { queryWeights: pick(queryWeights, order) }),
    ...(hard && { hardNegatives: { ...hard, keys: reorder(hard.keys, order, hard.perQuery) } }),
    ...(teacher && { teacher: { ...teacher, ...sides(teacher) } }),
    ...(guide && {
      guide: {
        ...guide,
        ...sides(guide),
        ...(guide.hardNegatives && {
          hardNegatives: reorder(guide.hardNegatives, order, hard!.perQuery),
        }),
      },
    }),
  };
  return { queries: reorder(queries, order), keys: keys && reorder(keys, keyOrder), options: permuted };
}

function orders({ rows, keys, seed, labelSeed }: ExactCase): { order: number[]; keyOrder: number[] } {
  const count = (n: number) => Array.from({ length: n }, (_, i) => i);
  const order = count(rows).sort((a, b) => hash(seed, a) - hash(seed, b));
  if (labelSeed != null) return { order, keyOrder: count(keys).reverse() };
  return { order, keyOrder: keys === 0 ? [] : [...order, ...count(keys).slice(rows)] };
}

/** What two gradients of one problem may differ by, as multiples of the bound. */
function compare({ logitScale, rows, compute }: ExactCase, { queries }: Problem, largest: number) {
  const bound = compute === 'bfloat16' ? 1e-2 : gradientBound(largest);
  const floor = gradientFloor(queries, rows, logitScale);
  return (ours: ArrayLike<number> = [], theirs: ArrayLike<number> = []) =>
    gradientError(ours, theirs, floor) / bound;
}

function inner(u: ArrayLike<number>, v: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < u.length; at++) sum += u[at] * v[at];
  return sum;
}

/** Twice the largest logit of unit rows, as both of two results may be off. */
const largestLogit = ({ logitScale, hardness, logitBias = 0 }: ExactCase) =>
  2 * (logitScale + (hardness?.strength ?? 0) + Math.abs(logitBias));

function expectOracle(exact: ExactCase): void {
  const problem = caseProblem(exact);
  const { stats, rows, ...values } = run(exact, problem);
  const oracle = denseLossAndGrad(problem.queries, problem.keys, problem.options);
  const output = { ...values, rows: rows!, maskedPairs: stats.maskedPairs };
  expect(failures(judge(problem, output, oracle, leniencyOf(exact)))).toEqual([]);
}

describe('random problems', () => {
  it('give the numbers of the float64 oracle', () => forAll(randomCase, expectOracle), propertyTimeout);

  it(
    'of any size, with ties, give the numbers of the float64 oracle',
    () => forAll(randomSizeCase, expectOracle),
    propertyTimeout,
  );

  it(
    'permuting the pairs permutes the gradients',
    () => {
      forAll(randomFloatCase, (exact) => {
        const problem = caseProblem(exact);
        const { order, keyOrder } = orders(exact);
        const there = run(exact, problem);
        const back = run(exact, permute(problem, exact.objective === 'supcon', order, keyOrder));
        const error = compare(exact, problem, largestLogit(exact));
        const of = (data: Float32Array, by: number[], group = 1) =>
          reorder({ data, shape: [by.length, exact.dim] }, by, group).data;
        expect(error(back.queryGrads, of(there.queryGrads, order))).toBeLessThanOrEqual(1);
        expect(error(back.keyGrads, of(there.keyGrads, keyOrder))).toBeLessThanOrEqual(1);
        const hard = there.hardNegativeGrads;
        const expected = hard && of(hard, order, exact.hardPerQuery);
        expect(error(back.hardNegativeGrads, expected)).toBeLessThanOrEqual(1);
        expect(Math.abs(back.loss - there.loss)).toBeLessThanOrEqual(
          2e-6 * Math.max(1, there.loss) + 5e-7 * largestLogit(exact),
        );
        expect(back.stats.maskedPairs).toBe(there.stats.maskedPairs);
      });
    },
    propertyTimeout,
  );

  it(
    'give equal bits on any number of threads',
    () => {
      forAll(randomCase, (exact) => {
        const problem = caseProblem(exact);
        const { stats: _, ...one } = run(exact, problem, { threads: 1 });
        const { stats: __, ...many } = run(exact, problem, { threads: 2 + (exact.seed % 7) });
        expect(many).toEqual(one);
      });
    },
    propertyTimeout,
  );

  it(
    'give equal numbers, to rounding, in any workspace',
    () => {
      forAll(randomCase, (exact) => {
        const problem = caseProblem(exact);
        const usual = run(exact, problem);
        const { largestLogit: largest } = exact.values
          ? denseLossAndGrad(problem.queries, problem.keys, problem.options)
          : { largestLogit: largestLogit(exact) };
        const error = compare(exact, problem, largest);
        for (const share of [0.3, 0.6, 4]) {
          // least for one thread is below a third of what is spent by default, or the call says so
          const workspaceBytes = Math.ceil(share * usual.stats.workspaceBytes);
          let other: LossAndGradResult;
          try {
            other = run(exact, problem, { workspaceBytes });
          } catch (thrown) {
            expect((thrown as { code?: string }).code).toBe('ERR_WORKSPACE');
            continue;
          }
          expect(other.stats.workspaceBytes).toBeLessThanOrEqual(workspaceBytes);
          expect(error(other.queryGrads, usual.queryGrads)).toBeLessThanOrEqual(1);
          expect(error(other.keyGrads, usual.keyGrads)).toBeLessThanOrEqual(1);
          expect(error(other.hardNegativeGrads, usual.hardNegativeGrads)).toBeLessThanOrEqual(1);
          expect(Math.abs(other.loss - usual.loss)).toBeLessThanOrEqual(
            1e-6 * Math.max(1, Math.abs(usual.loss)),
          );
        }
      });
    },
    propertyTimeout,
  );

  it(
    'obey the sum rules',
    () => {
      forAll(randomFloatCase, (exact) => {
        const problem = caseProblem(exact);
        const { queries, keys, options } = problem;
        const result = run(exact, problem);
        const hard = result.hardNegativeGrads ?? new Float32Array(0);
        const { rows, dim, logitScale } = exact;
        const usual = (gradientBound(largestLogit(exact)) * logitScale) / Math.sqrt(rows);
        const size = Math.sqrt(
          inner(result.queryGrads, result.queryGrads) + inner(result.keyGrads, result.keyGrads),
        );
        const allowed =
          Math.max(usual, gradientBound(largestLogit(exact)) * size) * Math.sqrt(rows + exact.keys);

        // every similarity is linear in either side: <Q, dQ> + <K, dK> + <H, dH> = 2 s dL/ds
        const all =
          inner(queries.data, result.queryGrads) +
          inner(keys?.data ?? [], result.keyGrads) +
          inner(options.hardNegatives?.keys.data ?? [], hard);
        expect(Math.abs(all - 2 * logitScale * result.logitScaleGrad)).toBeLessThanOrEqual(allowed);

        // infonce: each query's dL/dx sums to zero, so the gradients of what it meets do: sum_j s q_i g_ij = 0
        if (exact.objective !== 'infonce' || (exact.directions?.length ?? 1) > 1) return;
        const sums = new Float64Array(dim);
        for (const grads of [result.keyGrads, hard])
          grads.forEach((value, at) => {
            sums[at % dim] += value;
          });
        expect(Math.max(...sums.map(Math.abs))).toBeLessThanOrEqual(allowed);
      });
    },
    propertyTimeout,
  );
});
