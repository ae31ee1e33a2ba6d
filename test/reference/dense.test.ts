/**
 * The oracle is trusted because of this file: central finite differences of its loss against its gradients for every
 * objective and option, cases worked out by hand, and the symmetries that the equations have. (PyTorch is the other
 * witness, in ../goldens.)
 */
import { isListed } from './anchors';
import { type DenseMatrix, type DenseOptions, denseLossAndGrad } from './dense';
import { type FloatMatrix, makePair, widen } from './inputs';

const step = 1e-5;

function float64({ data, shape }: FloatMatrix): DenseMatrix {
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

interface Case {
  name: string;
  rows: number;
  /** Default rows; 0: none. */
  keys?: number;
  dim: number;
  logitScale: number;
  hardPerQuery?: number;
  /** In place of `hardPerQuery`. */
  hardOffsets?: number[];
  options: DenseOptions;
}

const ids = { queryIds: [1, 2, 1, 3, 4, 2], keyIds: [1, 5, 2, 3, 3, 2] };
const lists = { offsets: [0, 2, 2, 5, 6, 6, 7], keys: [4, 1, 0, 2, 5, 1, 3] };
const weights = { queryWeights: [1, 0, 2.5, 0.5, 3, 1] };
const guideOf = (rows: number) => makePair({ rows, dim: 3, seed: 11 });
const six = { rows: 6, dim: 4, logitScale: 9 };

const cases: Case[] = [
  { name: 'clip, one pair', rows: 1, dim: 1, logitScale: 3, options: {} },
  { name: 'clip', rows: 7, dim: 3, logitScale: 30, options: {} },
  { name: 'clip, ids', ...six, options: ids },
  { name: 'clip, excluded pairs', ...six, options: { excludePairs: lists } },
  { name: 'clip, margin', ...six, options: { falseNegativeMargin: -0.1 } },
  { name: 'clip, guide', ...six, options: { guide: guideOf(6) } },
  {
    name: 'clip, guide and relative margin',
    ...six,
    options: { guide: { ...guideOf(6), margin: 0.5, relative: true } },
  },
  {
    name: 'infonce, guide of hard negatives too',
    ...six,
    hardPerQuery: 2,
    options: {
      objective: 'infonce',
      guide: { ...guideOf(6), hardNegatives: makePair({ rows: 12, dim: 3, seed: 15 }).queries },
    },
  },
  {
    name: 'clip, teacher',
    ...six,
    options: { teacher: { ...guideOf(6), logitScale: 7, weight: 0.5 }, ...weights },
  },
  {
    name: 'infonce, teacher, guide and ids',
    ...six,
    options: {
      objective: 'infonce',
      labelSmoothing: 0.1,
      ...ids,
      guide: guideOf(6),
      teacher: { ...makePair({ rows: 6, dim: 2, seed: 17 }), logitScale: 4, weight: 2 },
    },
  },
  { name: 'clip, smoothing', ...six, options: { labelSmoothing: 0.2 } },
  { name: 'clip, weights', ...six, options: weights },
  { name: 'clip, hardness', ...six, options: { hardness: { strength: 4, on: 'all' } } },
  { name: 'clip, hard negatives', ...six, hardPerQuery: 2, options: {} },
  {
    name: 'clip, everything',
    ...six,
    hardPerQuery: 3,
    options: { ...ids, ...weights, labelSmoothing: 0.1, falseNegativeMargin: 0 },
  },
  { name: 'infonce', rows: 5, dim: 3, logitScale: 10, options: { objective: 'infonce' } },
  {
    name: 'infonce, labels and hard negatives',
    rows: 4,
    keys: 9,
    dim: 5,
    logitScale: 20,
    hardPerQuery: 2,
    options: { objective: 'infonce', labels: [8, 0, 3, 3], labelSmoothing: 0.3, falseNegativeMargin: 0.1 },
  },
  ...(['inBatch', 'hard', 'all'] as const).map((on) => ({
    name: `infonce, hardness on ${on}`,
    ...six,
    hardPerQuery: 2,
    options: { objective: 'infonce' as const, hardness: { strength: 5, on }, ...weights },
  })),
  {
    name: 'infonce, lists of positives',
    rows: 4,
    keys: 7,
    dim: 5,
    logitScale: 8,
    hardPerQuery: 2,
    options: {
      objective: 'infonce',
      labels: { offsets: [0, 3, 4, 4, 6], keys: [5, 0, 2, 1, 6, 0] },
      queryWeights: [1, 2, 0, 0.5],
      excludePairs: { offsets: [0, 2, 2, 3, 3], keys: [6, 0, 4] },
      hardness: { strength: 3, on: 'all' },
    },
  },
  {
    name: 'clip, lists of positives',
    rows: 4,
    keys: 5,
    dim: 4,
    logitScale: 7,
    hardPerQuery: 1,
    options: {
      labels: { offsets: [0, 2, 3, 5, 6], keys: [0, 3, 1, 3, 0, 4] },
      queryIds: [1, 2, 3, 3],
      keyIds: [1, 3, 4, 5, 2],
    },
  },
  { name: 'clip, ragged hard negatives', ...six, hardOffsets: [0, 2, 2, 5, 6, 6, 7], options: {} },
  { name: 'ntxent', ...six, options: { objective: 'ntxent' } },
  {
    name: 'ntxent, everything',
    ...six,
    options: { objective: 'ntxent', ...ids, ...weights, labelSmoothing: 0.1, falseNegativeMargin: 0.1 },
  },
  { name: 'supcon', ...six, options: { objective: 'supcon', labels: [3, 1, 3, 0, -2, 1] } },
  {
    name: 'supcon, queries alone',
    ...six,
    keys: 0,
    options: { objective: 'supcon', labels: [3, 1, 3, 0, 3, 1] },
  },
  {
    name: 'siglip',
    rows: 5,
    keys: 8,
    dim: 4,
    logitScale: 9,
    options: { objective: 'siglip', logitBias: -4 },
  },
  {
    name: 'siglip, ids, excluded pairs and weights',
    ...six,
    options: { objective: 'siglip', logitBias: -2, ...ids, ...weights, excludePairs: lists },
  },
  ...(['joint', 'perDirection'] as const).map((partition) => ({
    name: `all directions, ${partition}`,
    ...six,
    hardPerQuery: 1,
    options: {
      directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] as const,
      partition,
      ...ids,
      falseNegativeMargin: 0.2,
    },
  })),
  { name: 'two directions', ...six, options: { directions: ['queryToKey', 'keyToKey'], ...weights } },
];

describe.each(cases)(
  'oracle, $name',
  ({ rows, keys = rows, dim, logitScale, hardPerQuery, hardOffsets, options }) => {
    const pair = makePair({
      rows,
      keys: keys || rows,
      dim,
      seed: 3,
      labels: keys > rows && !isListed(options.labels) ? options.labels : undefined,
    });
    const queries = float64(pair.queries);
    const keyMatrix = keys === 0 ? null : float64(pair.keys);
    const hardCount = hardOffsets?.at(-1) ?? rows * (hardPerQuery ?? 0);
    const hard = hardCount > 0 ? float64(makePair({ rows: hardCount, dim, seed: 5 }).queries) : null;
    const copy = (matrix: DenseMatrix) => ({ ...matrix, data: matrix.data.slice() });
    const all: DenseOptions = {
      logitScale,
      ...options,
      ...(hard && { hardNegatives: { keys: hard, perQuery: hardPerQuery, offsets: hardOffsets } }),
      ...(options.hardness && {
        hardnessAt: {
          queries: copy(queries),
          keys: copy(keyMatrix!),
          hardNegatives: hard ? copy(hard) : undefined,
        },
      }),
    };
    const exact = denseLossAndGrad(queries, keyMatrix, all);
    const loss = () => denseLossAndGrad(queries, keyMatrix, all).loss;

    it.each([
      ['queries', queries, exact.queryGrads],
      ['keys', keyMatrix, exact.keyGrads],
      ['hard negatives', hard, exact.hardNegativeGrads],
    ] as const)('gradient of %s equals finite differences', (_, matrix, grads) => {
      expect(grads.length).toBe(matrix?.data.length ?? 0);
      for (let at = 0; at < grads.length; at++) {
        expect(Math.abs(grads[at] - slope(matrix!, at, loss))).toBeLessThan(1e-6 * logitScale);
      }
    });

    it('gradients of scale and bias equal finite differences', () => {
      const along = (name: 'logitScale' | 'logitBias', value: number) => {
        const at = (x: number) => denseLossAndGrad(queries, keyMatrix, { ...all, [name]: x }).loss;
        return (at(value + step) - at(value - step)) / (2 * step);
      };
      expect(Math.abs(exact.logitScaleGrad - along('logitScale', logitScale))).toBeLessThan(1e-8);
      expect(Math.abs(exact.logitBiasGrad - along('logitBias', options.logitBias ?? 0))).toBeLessThan(1e-8);
    });

    it('is decided by no rounding, and masks some pairs where it is asked to', () => {
      expect(exact.clearance).toBeGreaterThan(100 * step);
      const { queryIds, excludePairs, falseNegativeMargin, guide } = options;
      const masks = [queryIds, excludePairs, falseNegativeMargin, guide].some(
        (option) => option !== undefined,
      );
      expect(exact.maskedPairs > 0).toBe(masks);
    });

    it('row losses are never negative and, where queries are the only anchors of their loss, average to it', () => {
      expect(Math.min(...exact.rows.loss)).toBeGreaterThanOrEqual(0);
      if (options.objective === 'supcon') return;
      const weight = (i: number) => options.queryWeights?.[i] ?? 1;
      const total = exact.rows.loss.reduce((sum, _, i) => sum + weight(i), 0);
      const mean = exact.rows.loss.reduce((sum, value, i) => sum + weight(i) * value, 0) / total;
      expect(mean).toBeCloseTo(exact.loss, 12);
    });

    it('reads rows through their stride', () => {
      const wide = denseLossAndGrad(widen(pair.queries, 3), keyMatrix && widen(pair.keys, 1), all);
      expect(wide.loss).toBe(exact.loss);
      expect(wide.queryGrads).toEqual(exact.queryGrads);
      expect(wide.keyGrads).toEqual(exact.keyGrads);
    });
  },
);

describe('oracle, by hand', () => {
  // q = k = (1, -1): x = [[1, -1], [-1, 1]], every cross-entropy of clip is log(1 + e^-2)
  const matrix: DenseMatrix = { data: Float64Array.of(1, -1), shape: [2, 1] };
  const at = (options: DenseOptions) => denseLossAndGrad(matrix, matrix, { logitScale: 1, ...options });
  const e = Math.exp;

  it.each(['clip', 'infonce'] as const)('%s of two opposite pairs', (objective) => {
    const result = at({ objective });
    const miss = 1 / (1 + e(2)); // probability of the wrong key
    expect(result.loss).toBeCloseTo(Math.log1p(e(-2)), 15);
    expect(result.accuracy).toBe(1);
    expect(result.logitScaleGrad).toBeCloseTo(-2 * miss, 15);
    // dq_0 = s sum_j g_0j k_j = (-miss * 1 + miss * -1) / 2
    expect(result.queryGrads[0]).toBeCloseTo(-miss, 15);
  });

  it('ntxent: one more negative', () => {
    expect(at({ objective: 'ntxent' }).loss).toBeCloseTo(Math.log1p(2 * e(-2)), 15);
  });

  it('joint directions: three negatives; per direction: the mean of four equal losses', () => {
    const directions = ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] as const;
    expect(at({ directions }).loss).toBeCloseTo(Math.log1p(4 * e(-2)), 15);
    expect(at({ directions, partition: 'perDirection' }).loss).toBeCloseTo(Math.log1p(e(-2)), 15);
  });

  it('supcon: two classes are two positives of one row each, one class makes three', () => {
    expect(at({ objective: 'supcon', labels: [0, 1] }).loss).toBeCloseTo(Math.log1p(2 * e(-2)), 15);
    // lse of (1, -1, -1) less their mean
    const lse = Math.log(e(1) + 2 * e(-1));
    expect(at({ objective: 'supcon', labels: [7, 7] }).loss).toBeCloseTo(lse + 1 / 3, 15);
    // queries alone: q_0 and q_1 are each other's only row
    const alone = denseLossAndGrad(matrix, null, { objective: 'supcon', labels: [7, 7], logitScale: 1 });
    expect(alone.loss).toBeCloseTo(0, 15);
    const none = denseLossAndGrad(matrix, null, { objective: 'supcon', labels: [1, 2], logitScale: 1 });
    expect(none.loss).toBe(0);
    expect(none.queryGrads).toEqual(new Float64Array(2));
  });

  it('siglip: two positives at 1 + c, two negatives at -1 + c', () => {
    const c = 0.5;
    const perRow = Math.log1p(e(-(1 + c))) + Math.log1p(e(-1 + c));
    expect(at({ objective: 'siglip', logitBias: c }).loss).toBeCloseTo(perRow, 15);
  });

  it('ids that are all equal leave the positive alone', () => {
    const result = at({ queryIds: [4, 4], keyIds: [4, 4] });
    expect([result.loss, result.maskedPairs]).toEqual([0, 2]);
  });

  it('a list of the other key leaves the positive alone, and excludes no positive', () => {
    const result = at({ excludePairs: { offsets: [0, 2, 2], keys: [1, 0] } });
    // the column of key 1 has lost its negative too, that of key 0 has not
    expect(result.loss).toBeCloseTo(Math.log1p(e(-2)) / 2, 15);
    expect(result.maskedPairs).toBe(1);
  });

  it('lists: the other positives of an anchor are no negatives', () => {
    const labels = { offsets: [0, 2, 3], keys: [0, 1, 1] };
    // query 0 has no negative, query 1 has key 0; key 0 has query 1, key 1 has none
    for (const objective of ['infonce', 'clip'] as const) {
      const { loss, accuracy } = at({ objective, labels });
      expect(loss).toBeCloseTo(Math.log1p(e(-2)) / 2, 15);
      expect(accuracy).toBe(1);
    }
    const alone = at({
      objective: 'infonce',
      labels: { offsets: [0, 2, 2], keys: [0, 1] },
      queryWeights: [1, 0],
    });
    expect([alone.loss, alone.rows.lse[1], alone.accuracy]).toEqual([0, Number.NaN, 0.5]);
  });

  it('lists: each positive has a denominator of its own', () => {
    const keys: DenseMatrix = { data: Float64Array.of(1, 0.5, -1), shape: [3, 1] };
    const query: DenseMatrix = { data: Float64Array.of(1), shape: [1, 1] };
    const labels = { offsets: [0, 2], keys: [0, 1] };
    const result = denseLossAndGrad(query, keys, { objective: 'infonce', labels, logitScale: 1 });
    expect(result.loss).toBeCloseTo((Math.log1p(e(-2)) + Math.log1p(e(-1.5))) / 2, 15);
    const lse = (Math.log(e(1) + e(-1)) + Math.log(e(0.5) + e(-1))) / 2;
    expect(result.rows.lse[0]).toBeCloseTo(lse, 15);
  });

  it('a margin of -2 excludes the negatives that tie with it no more than one of -2.5 would let them', () => {
    // similarities 1 and -1: the limit is 1 + margin, and only what exceeds it is excluded
    expect(at({ falseNegativeMargin: -2 }).maskedPairs).toBe(0);
    expect(at({ falseNegativeMargin: -2.5 }).maskedPairs).toBe(2);
  });

  it('a guide excludes pairs above the positive less a margin, and none that ties with the limit', () => {
    // the guide's positives are 2 and -2, and its other pairs are 1
    const queries: DenseMatrix = { data: Float64Array.of(1, 1, 1, -1), shape: [2, 2] };
    const keys: DenseMatrix = { data: Float64Array.of(1.5, 0.5, -0.5, 1.5), shape: [2, 2] };
    const masked = (margin: number, relative: boolean) =>
      at({ objective: 'infonce', guide: { queries, keys, margin, relative } }).maskedPairs;
    expect(masked(0, false)).toBe(1); // 1 is above -2, not above 2
    expect(masked(1, false)).toBe(1); // a tie with 2 - 1
    expect(masked(1.5, false)).toBe(2);
    expect(masked(-3, false)).toBe(0); // a tie with -2 + 3
    expect(masked(0.5, true)).toBe(1); // limits 1 and -3, not -1
    expect(masked(0.625, true)).toBe(2);
    expect(masked(-1.5, true)).toBe(0); // a tie with -2 + 3
  });

  it('a teacher that is the model adds the entropy of its own probabilities', () => {
    const p = 1 / (1 + e(-2));
    const entropy = -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    const teacher = { queries: matrix, keys: matrix, logitScale: 1, weight: 0.5 };
    const result = at({ teacher });
    expect(result.loss).toBeCloseTo(Math.log1p(e(-2)) + 0.5 * entropy, 15);
    expect(result.queryGrads[0]).toBeCloseTo(at({}).queryGrads[0], 15); // the entropy's own part has no gradient
  });

  it('hardness adds to the negatives', () => {
    const result = at({ objective: 'infonce', hardness: { strength: 3, on: 'inBatch' } });
    expect(result.loss).toBeCloseTo(Math.log1p(e(-1 - 3 - 1)), 15);
  });

  it('label smoothing: (1 - eps) and eps / 2 each', () => {
    const result = at({ objective: 'infonce', labelSmoothing: 0.5 });
    expect(result.loss).toBeCloseTo(Math.log(e(1) + e(-1)) - (0.75 - 0.25), 15);
  });

  it('counts a tie for the first place as first', () => {
    const same: DenseMatrix = { data: Float64Array.of(1, 1), shape: [2, 1] };
    const result = denseLossAndGrad(same, same, { logitScale: 1 });
    expect(Array.from(result.rows.positiveFirst)).toEqual([1, 1]);
    expect(result.loss).toBeCloseTo(Math.log(2), 15);
  });
});
