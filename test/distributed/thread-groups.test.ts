/**
 * The option `group` over ranks that are threads of this process: every objective and option against one process, by
 * float64 oracle; results that are equal on all ranks; the timeline and the bytes of docs/ring.md.
 */
import { contrastiveLossAndGrad, contrastiveLossSync } from '../../lib';
import { threadGroups } from '../../lib/distributed';
import { type DenseOptions, denseLossAndGrad } from '../reference/dense';
import { makePair } from '../reference/inputs';
import { type BatchOptions, cutsOf, lossOnRanks, onRanks, rowsOf } from './ranks';

const [rows, dim] = [61, 16];
const batch = makePair({ rows, dim, seed: 7 });
const ids = Int32Array.from({ length: rows }, (_, i) => i % 23);
const classes = Int32Array.from({ length: rows }, (_, i) => (i * i) % 7);
const anyKey = Int32Array.from({ length: rows }, (_, i) => (i * 17 + 40) % rows);
const queryWeights = Float32Array.from({ length: rows }, (_, i) => i % 4);

const cases: [name: string, options: BatchOptions & DenseOptions, keys: boolean][] = [
  ['clip', {}, true],
  [
    'clip with every option',
    { queryIds: ids, keyIds: ids, queryWeights, labelSmoothing: 0.1, falseNegativeMargin: 0.2 },
    true,
  ],
  ['infonce with labels of other ranks', { objective: 'infonce', labels: anyKey }, true],
  ['infonce, labels and a margin', { objective: 'infonce', labels: anyKey, falseNegativeMargin: 0.1 }, true],
  ['directions', { directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] }, true],
  ['ntxent', { objective: 'ntxent', logitScale: 5 }, true],
  ['supcon', { objective: 'supcon', labels: classes, logitScale: 5 }, true],
  ['supcon of the queries alone', { objective: 'supcon', labels: classes, logitScale: 5 }, false],
  ['siglip', { objective: 'siglip', logitScale: 8, logitBias: -6 }, true],
  ['siglip with weights', { objective: 'siglip', queryWeights }, true],
];

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>, from = 0): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[from + i]!));
  return most;
}

describe.each(cases)('%s', (_, options, hasKeys) => {
  const pair = { queries: batch.queries, keys: hasKeys ? batch.keys : null };
  const whole = denseLossAndGrad(pair.queries, pair.keys, options);

  it.each([1, 2, 3, 4])('is that of the whole batch on %i ranks', async (ranks) => {
    const results = await lossOnRanks(ranks, pair, options);
    const cuts = cutsOf(rows, ranks);
    results.forEach((result, rank) => {
      expect(Math.abs(result.loss - whole.loss)).toBeLessThan(1e-6 * Math.max(1, whole.loss));
      expect(Math.abs(result.logitScaleGrad - whole.logitScaleGrad)).toBeLessThan(1e-5);
      expect(Math.abs(result.logitBiasGrad - whole.logitBiasGrad)).toBeLessThan(1e-5);
      // NaN where there are no keys
      if (hasKeys) expect(result.accuracy).toBeCloseTo(whole.accuracy, 10);
      else expect(result.accuracy).toBeNaN();
      expect(result.stats.maskedPairs).toBe(whole.maskedPairs);
      const own = cuts[rank]! * dim;
      expect(largestDifference(result.queryGrads, whole.queryGrads, own)).toBeLessThan(3e-6);
      expect(largestDifference(result.keyGrads, whole.keyGrads, own)).toBeLessThan(3e-6);
      // not near: equal
      for (const name of ['loss', 'accuracy', 'logitScaleGrad', 'logitBiasGrad'] as const) {
        expect(result[name]).toBe(results[0]![name]);
      }
    });
  });
});

it('gives equal bits for equal calls', async () => {
  const [first, second] = [await lossOnRanks(3, batch), await lossOnRanks(3, batch)];
  first.forEach((result, rank) => {
    expect(second[rank]!.loss).toBe(result.loss);
    expect(second[rank]!.queryGrads).toEqual(result.queryGrads);
    expect(second[rank]!.keyGrads).toEqual(result.keyGrads);
  });
});

it('has the bits of a call without a group on a ring of one', async () => {
  const [one] = await lossOnRanks(1, batch);
  const alone = await contrastiveLossAndGrad(batch.queries, batch.keys);
  expect(one!.loss).toBe(alone.loss);
  expect(one!.queryGrads).toEqual(alone.queryGrads);
  expect(one!.keyGrads).toEqual(alone.keyGrads);
  expect(one!.stats.ring).toBeUndefined();
});

it('takes hard negatives, banks, and frozen queries', async () => {
  const perQuery = 2;
  const negatives = makePair({ rows: rows * perQuery, dim, seed: 9 }).keys;
  const whole = denseLossAndGrad(batch.queries, batch.keys, { hardNegatives: { keys: negatives, perQuery } });
  const cuts = cutsOf(rows, 3);
  const results = await onRanks(3, (group, rank) => {
    const [begin, end] = [cuts[rank]!, cuts[rank + 1]!];
    return contrastiveLossAndGrad(rowsOf(batch.queries, begin, end), rowsOf(batch.keys, begin, end), {
      hardNegatives: { keys: rowsOf(negatives, begin * perQuery, end * perQuery), perQuery },
      grad: { queries: false, keys: { rows: 2 } },
      group,
    });
  });
  results.forEach((result, rank) => {
    const begin = cuts[rank]! * dim;
    expect(Math.abs(result.loss - whole.loss)).toBeLessThan(1e-6 * whole.loss);
    expect(result.queryGrads).toHaveLength(0);
    expect(result.keyGrads).toHaveLength(2 * dim);
    expect(largestDifference(result.keyGrads, whole.keyGrads, begin)).toBeLessThan(3e-6);
    expect(
      largestDifference(result.hardNegativeGrads!, whole.hardNegativeGrads, begin * perQuery),
    ).toBeLessThan(3e-6);
  });
});

it('tells what each visit took, and sends as many bytes as docs/ring.md says', async () => {
  const [ranks, each, width] = [4, 128, 32];
  const pair = makePair({ rows: ranks * each, dim: width, seed: 3 });
  const results = await onRanks(ranks, (group, rank) =>
    contrastiveLossAndGrad(
      rowsOf(pair.queries, rank * each, (rank + 1) * each),
      rowsOf(pair.keys, rank * each, (rank + 1) * each),
      { group },
    ),
  );
  const forward = each * (width * 4 + 12);
  const backward = each * (width * 4 + 20 + width * 4);
  for (const { stats } of results) {
    const sent = (phase: string) =>
      stats.ring!.filter((step) => step.phase === phase).reduce((sum, step) => sum + step.bytesSent, 0);
    expect(sent('forward')).toBe((ranks - 1) * forward);
    expect(sent('backward')).toBe((ranks - 1) * backward);
    expect(stats.ring!.map(({ step }) => step).slice(0, 9)).toEqual([0, 1, 1, 2, 2, 3, 3, 0, 0]);
    for (const { computedSeconds, waitedSeconds } of stats.ring!) {
      expect(computedSeconds).toBeGreaterThanOrEqual(0);
      expect(waitedSeconds).toBeGreaterThanOrEqual(0);
    }
  }
});

it('makes groups that know their ranks', async () => {
  const groups = threadGroups(3);
  expect(groups.map(({ rank, size }) => [rank, size])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
  ]);
  await Promise.all(groups.map((group) => group.close()));
  await groups[0]!.close();
});

it.each([
  [0, 'ERR_VALUE', 'positive integer up to 1024 for ranks but received 0'],
  [1025, 'ERR_VALUE', 'but received 1025'],
  [1.5, 'ERR_VALUE', 'but received 1.5'],
  ['2', 'ERR_TYPE', 'but received 2 of type string'],
  [undefined, 'ERR_TYPE', 'for ranks but received undefined'],
])('refuses %p ranks', (ranks, code, message) => {
  expect(() => threadGroups(ranks as number)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

it('is not for calls that block', async () => {
  const [group] = threadGroups(1);
  expect(() => contrastiveLossSync(batch.queries, batch.keys, { group })).toThrow(
    expect.objectContaining({
      code: 'ERR_NOT_IMPLEMENTED',
      message: expect.stringContaining('contrastiveLoss'),
    }),
  );
  await group!.close();
});
