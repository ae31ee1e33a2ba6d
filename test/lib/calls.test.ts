/**
 * The four functions on the addon: what they return, where they write, what they accept. Exactness is
 * tested elsewhere.
 */
import {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type LossResult,
} from '../../lib';
import { hash, makePair } from '../reference/inputs';

const [rows, dim] = [61, 19];
const { queries, keys } = makePair({ rows, dim, seed: 31 });
const more = makePair({ rows, keys: 90, dim, seed: 33 });
const classes = Int32Array.from({ length: rows }, (_, i) => i % 7);
const hardNegatives = { keys: makePair({ rows: 2 * rows, dim, seed: 35 }).queries, perQuery: 2 };

/** A result without what differs from run to run. */
function numbers<R extends LossResult>({ stats: _, ...rest }: R): Omit<R, 'stats'> {
  return rest;
}

const variants: [string, ContrastiveOptions][] = [
  ['clip', { perRow: true, logitScale: 20 }],
  ['clip with hard negatives and masks', { hardNegatives, queryIds: classes, keyIds: classes }],
  ['infonce', { objective: 'infonce', hardNegatives, labelSmoothing: 0.1, perRow: true }],
  ['four directions', { directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'] }],
  ['ntxent', { objective: 'ntxent', falseNegativeMargin: 0.1 }],
  ['supcon', { objective: 'supcon', labels: classes }],
  ['siglip', { objective: 'siglip', logitScale: 10, perRow: true }],
];

describe.each(variants)('%s', (_, options) => {
  it('promise and blocking call agree to the last bit', async () => {
    const sync = contrastiveLossAndGradSync(queries, keys, options);
    expect(numbers(await contrastiveLossAndGrad(queries, keys, options))).toEqual(numbers(sync));
    expect(Number.isFinite(sync.loss)).toBe(true);
    expect(sync.queryGrads).toHaveLength(rows * dim);
    expect(sync.queryGrads.some((g) => g !== 0)).toBe(true);
    expect(sync.keyGrads.some((g) => g !== 0)).toBe(true);
    const loss = numbers(contrastiveLossSync(queries, keys, options));
    expect(loss).toEqual({
      loss: sync.loss,
      accuracy: sync.accuracy,
      ...(sync.rows && { rows: sync.rows }),
    });
    expect(numbers(await contrastiveLoss(queries, keys, options))).toEqual(loss);
  });

  it('writes to the arrays of the caller, and every element of them', () => {
    const fresh = contrastiveLossAndGradSync(queries, keys, options);
    const garbage = (array: Float32Array | undefined) =>
      array && new Float32Array(array.length).fill(Number.NaN);
    const out = {
      queryGrads: garbage(fresh.queryGrads),
      keyGrads: garbage(fresh.keyGrads),
      hardNegativeGrads: garbage(fresh.hardNegativeGrads),
    };
    const result = contrastiveLossAndGradSync(queries, keys, { ...options, out });
    expect(result.queryGrads).toBe(out.queryGrads);
    expect(result.keyGrads).toBe(out.keyGrads);
    expect(result.hardNegativeGrads).toBe(out.hardNegativeGrads);
    expect(numbers(result)).toEqual(numbers(fresh));
  });

  it('frozen sides have gradients of length 0, and those of scale and bias stay', () => {
    const both = contrastiveLossAndGradSync(queries, keys, options);
    const none = contrastiveLossAndGradSync(queries, keys, {
      ...options,
      grad: { queries: false, keys: false },
    });
    expect(none.queryGrads).toHaveLength(0);
    expect(none.keyGrads).toHaveLength(0);
    expect(none.hardNegativeGrads).toBeUndefined();
    expect(none.loss).toBe(both.loss);
    expect(none.logitScaleGrad).toBeCloseTo(both.logitScaleGrad, 6);
    expect(none.logitBiasGrad).toBeCloseTo(both.logitBiasGrad, 6);
  });
});

it('a bank of keys: gradients of the first rows only', () => {
  const options = { objective: 'infonce' } as const;
  const all = contrastiveLossAndGradSync(more.queries, more.keys, options);
  const bank = contrastiveLossAndGradSync(more.queries, more.keys, { ...options, grad: { keys: { rows } } });
  expect(all.keyGrads).toHaveLength(90 * dim);
  expect(bank.keyGrads).toEqual(all.keyGrads.slice(0, rows * dim));
});

it('supcon over the queries alone has no key gradients and no accuracy', async () => {
  const options = { objective: 'supcon', labels: classes } as const;
  const result = await contrastiveLossAndGrad(queries, null, options);
  expect(result.keyGrads).toHaveLength(0);
  expect(result.accuracy).toBeNaN();
  expect(numbers(contrastiveLossAndGradSync(queries, null, options))).toEqual(numbers(result));
});

it('rows add up to the loss and the accuracy', () => {
  const result = contrastiveLossSync(more.queries, more.keys, { objective: 'infonce', perRow: true });
  const { loss, lse, positiveFirst } = result.rows!;
  const mean = (array: ArrayLike<number>) => Array.from(array).reduce((sum, x) => sum + x, 0) / rows;
  expect(mean(loss)).toBeCloseTo(result.loss, 5);
  expect(mean(positiveFirst)).toBeCloseTo(result.accuracy, 12);
  expect([...positiveFirst].every((x) => x === 0 || x === 1)).toBe(true);
  // lse − loss is the positive's logit
  const positive = (i: number) =>
    more.queries.data
      .subarray(i * dim, (i + 1) * dim)
      .reduce((sum, q, d) => sum + q * more.keys.data[i * dim + d]!, 0) / 0.07;
  for (const i of [0, 7, rows - 1]) expect(lse[i]! - loss[i]!).toBeCloseTo(positive(i), 4);
  const siglip = contrastiveLossSync(queries, keys, { objective: 'siglip', perRow: true });
  expect(siglip.rows!.lse.every((x) => Number.isNaN(x))).toBe(true);
});

describe('other features', () => {
  const expected = contrastiveLossAndGradSync(queries, keys);

  it('an onnxruntime tensor', () => {
    const tensor = (m: typeof queries) => ({
      data: m.data,
      dims: m.shape,
      type: 'float32',
      size: rows * dim,
    });
    expect(numbers(contrastiveLossAndGradSync(tensor(queries), tensor(keys)))).toEqual(numbers(expected));
  });

  it('shared memory, at an offset', () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * (rows * dim + 3)), 12);
    shared.set(queries.data);
    const result = contrastiveLossAndGradSync({ data: shared, shape: queries.shape }, keys);
    expect(numbers(result)).toEqual(numbers(expected));
  });

  /** Values that float16 and bfloat16 hold exactly, with their bits. */
  const exact = [
    { value: 0.5, float16: 0x3800, bfloat16: 0x3f00 },
    { value: -0.25, float16: 0xb400, bfloat16: 0xbe80 },
    { value: 0.09375, float16: 0x2e00, bfloat16: 0x3dc0 },
    { value: 0, float16: 0, bfloat16: 0 },
  ];
  const picked = (seed: number) => Array.from({ length: rows * dim }, (_, i) => exact[hash(seed, i) % 4]!);
  const shape = [rows, dim] as const;

  it.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
    const sides = [picked(1), picked(2)];
    const options = { compute: 'float32', logitScale: 2 } as const;
    const [a, b] = sides.map((side) => ({ data: Float32Array.from(side, ({ value }) => value), shape }));
    const [c, d] = sides.map((side) => ({ data: Uint16Array.from(side, (x) => x[dtype]), shape, dtype }));
    const result = contrastiveLossAndGradSync(c!, d!, options);
    expect(numbers(result)).toEqual(numbers(contrastiveLossAndGradSync(a!, b!, options)));
    // and with the arithmetic that 16 bits have by default
    expect(contrastiveLossAndGradSync(c!, d!, { logitScale: 2 }).loss).toBeCloseTo(result.loss, 2);
  });
});

it('stats say what the call was', () => {
  const { stats } = contrastiveLossAndGradSync(queries, keys, {
    threads: 1,
    queryIds: classes,
    keyIds: classes,
  });
  expect(stats).toMatchObject({ backend: 'cpu', device: null, threads: 1, tilesSkipped: 0 });
  expect(['scalar', 'avx2', 'avx512', 'neon']).toContain(stats.isa);
  expect(stats.tiles).toBeGreaterThan(0);
  // off the diagonal, both rows of each pair of equal class
  expect(stats.maskedPairs).toBe(
    classes.reduce((sum, c) => sum + classes.filter((d) => d === c).length - 1, 0),
  );
  expect(stats.seconds).toBeGreaterThan(0);
  expect(stats.forwardSeconds + stats.backwardSeconds).toBeLessThanOrEqual(stats.seconds * (1 + 1e-9));
  expect(stats.peakBytes).toBeGreaterThanOrEqual(stats.workspaceBytes);
});
