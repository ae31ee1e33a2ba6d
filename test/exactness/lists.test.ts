/**
 * Lists beside what they stand in for: one positive in each list is a label, excluded pairs are equal ids, ragged hard
 * negatives of equal number are `perQuery`. And what the tables of options leave out: banks, the gradient filter, and
 * gradients of one side.
 */
import { type AnyContrastiveOptions, contrastiveLossAndGradSync, type KeyLists } from '../../lib';
import { denseLossAndGrad } from '../reference/dense';
import { makeLabels, makeLists, makePair } from '../reference/inputs';
import { gradientError, gradientFloor, lossBound } from './judge';

const [rows, keys, dim, logitScale] = [257, 311, 19, 15];

const oneEach = (labels: Int32Array): KeyLists => ({
  offsets: Int32Array.from({ length: labels.length + 1 }, (_, i) => i),
  keys: labels,
});
/** A permutation: 7 has no common divisor with the number of rows. */
const permuted = Int32Array.from({ length: rows }, (_, i) => (7 * i) % rows);

function run(options: AnyContrastiveOptions, keyRows = keys, alike = 4) {
  const { queries, keys: features } = makePair({ rows, keys: keyRows, dim, seed: 41, alike });
  const call = { logitScale, perRow: true, ...options } as const;
  return contrastiveLossAndGradSync(queries, features, call);
}

type Result = ReturnType<typeof run>;

/** Within the bounds of docs/numerics.md. */
function expectNear(ours: Result, theirs: Result): void {
  expect(Math.abs(ours.loss - theirs.loss)).toBeLessThanOrEqual(lossBound(theirs.loss));
  const { queries } = makePair({ rows, keys, dim, seed: 41 });
  const floor = gradientFloor(queries, rows, logitScale);
  for (const name of ['queryGrads', 'keyGrads'] as const) {
    expect(gradientError(ours[name], theirs[name], floor)).toBeLessThanOrEqual(1e-5);
  }
  expect(Math.abs(ours.logitScaleGrad - theirs.logitScaleGrad)).toBeLessThan(1e-5);
  expect(ours.accuracy).toBe(theirs.accuracy);
  expect(ours.stats.maskedPairs).toBe(theirs.stats.maskedPairs);
  ours.rows!.loss.forEach((loss, i) => {
    expect(Math.abs(loss - theirs.rows!.loss[i]!)).toBeLessThan(1e-5);
    expect(Math.abs(ours.rows!.lse[i]! - theirs.rows!.lse[i]!)).toBeLessThan(1e-5);
  });
}

describe('one positive in each list', () => {
  it('of infonce is a label', () => {
    const labels = makeLabels(rows, keys, 3);
    const rest = {
      objective: 'infonce',
      queryWeights: Float32Array.from(labels, (label) => label % 3),
    } as const;
    expectNear(run({ ...rest, labels: oneEach(labels) }), run({ ...rest, labels }));
  });

  it('of clip is the pair', () => {
    const natural = Int32Array.from({ length: rows }, (_, i) => i);
    expectNear(run({ labels: oneEach(natural) }, rows), run({}, rows));
  });

  it('of clip may permute the pairs', () => {
    const { queries, keys: features } = makePair({ rows, keys: rows, dim, seed: 41, alike: 4 });
    const data = new Float32Array(features.data.length);
    permuted.forEach((key, i) => {
      data.set(features.data.subarray(i * dim, (i + 1) * dim), key * dim);
    });
    const moved = contrastiveLossAndGradSync(
      queries,
      { data, shape: [rows, dim] },
      { logitScale, labels: oneEach(permuted) },
    );
    expect(Math.abs(moved.loss - run({}, rows).loss)).toBeLessThanOrEqual(1e-6 * moved.loss);
  });
});

it('excluded pairs are pairs of equal ids', () => {
  // queries i and keys i + 1 have equal ids, and no others
  const queryIds = Int32Array.from({ length: rows }, (_, i) => i + 1);
  const keyIds = Int32Array.from({ length: rows }, (_, i) => (i === 0 ? -1 : i));
  const excludePairs = oneEach(Int32Array.from({ length: rows - 1 }, (_, i) => i + 1));
  const offsets = Int32Array.of(...excludePairs.offsets, rows - 1);
  for (const objective of ['clip', 'infonce', 'siglip'] as const) {
    const byLists = run({ objective, excludePairs: { ...excludePairs, offsets } }, rows);
    const byIds = run({ objective, queryIds, keyIds }, rows);
    expect({ ...byLists, stats: null }).toEqual({ ...byIds, stats: null });
    expect(byLists.stats.maskedPairs).toBe(rows - 1);
  }
});

it('ragged hard negatives of equal number have the bits of perQuery', () => {
  const { queries: negatives } = makePair({ rows: 3 * rows, dim, seed: 77 });
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => 3 * i);
  for (const compute of ['float32', 'bfloat16'] as const) {
    const even = run({ objective: 'infonce', compute, hardNegatives: { keys: negatives, perQuery: 3 } });
    const ragged = run({ objective: 'infonce', compute, hardNegatives: { keys: negatives, offsets } });
    expect({ ...ragged, stats: null }).toEqual({ ...even, stats: null });
  }
});

describe.each(['clip', 'infonce'] as const)('lists of positives of %s', (objective) => {
  const labels = makeLists(rows, keys, { least: 1, most: 4 }, 9);
  const whole = run({ objective, labels });

  it('with a bank: the gradients of the first keys are those of all keys', () => {
    const { keyGrads } = run({ objective, labels, grad: { keys: { rows: 40 } } });
    expect(keyGrads).toEqual(whole.keyGrads.subarray(0, 40 * dim));
  });

  it('with one side frozen, and without gradients', () => {
    expect(run({ objective, labels, grad: { keys: false } }).queryGrads).toEqual(whole.queryGrads);
    expect(run({ objective, labels, grad: { queries: false } }).keyGrads).toEqual(whole.keyGrads);
  });

  it('give equal bits on any number of threads', () => {
    for (const threads of [1, 3, 5]) {
      expect({ ...run({ objective, labels, threads }), stats: null }).toEqual({ ...whole, stats: null });
    }
  });

  it('with a gradient filter: no row loses more than its bound, and the loss is untouched', () => {
    const gradientFilter = 1e-3;
    const rest = {
      objective,
      labels: { offsets: labels.offsets, keys: labels.keys },
      logitScale: 60,
    } as const;
    const exact = run(rest, keys, 8);
    const filtered = run({ ...rest, gradientFilter }, keys, 8);
    expect(filtered.loss).toBe(exact.loss);
    // |lost gradient of a row| is at most bound * s / M * the longest feature, which has length 1 at most
    for (let i = 0; i < rows; i++) {
      let lost = 0;
      for (let d = 0; d < dim; d++)
        lost += (exact.queryGrads[i * dim + d]! - filtered.queryGrads[i * dim + d]!) ** 2;
      expect(Math.sqrt(lost)).toBeLessThanOrEqual((gradientFilter * 60 * 1.1) / rows);
    }
  });

  it('rows that are all listed have no negatives, and no gradient', () => {
    const every = {
      offsets: Int32Array.from({ length: rows + 1 }, (_, i) => i * 5),
      keys: Int32Array.from({ length: rows * 5 }, (_, at) => at % 5),
    };
    const result = run({ objective, labels: every }, 5);
    const { queries, keys: features } = makePair({ rows, keys: 5, dim, seed: 41 });
    const oracle = denseLossAndGrad(queries, features, { objective, labels: every, logitScale });
    expect([result.loss, oracle.loss]).toEqual([0, 0]);
    expect(result.queryGrads.every((value) => value === 0)).toBe(true);
    expect(result.accuracy).toBe(1);
  });
});
