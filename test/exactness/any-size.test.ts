/**
 * Numbers that must hold through the public API at any size of logits, and comparisons that must be ties. Every
 * instruction set has the same tests natively (test/native); random problems of any size are in test/property.
 */
import { contrastiveLoss, contrastiveLossAndGrad, type MatrixLike } from '../../lib';

function rows(count: number, dim: number, value: (row: number, feature: number) => number): MatrixLike {
  const data = Float32Array.from({ length: count * dim }, (_, at) => value(Math.floor(at / dim), at % dim));
  return { data, shape: [count, dim] };
}

describe('logits of any size', () => {
  it.each([4096, 6000, 20011, 1e6, 1e9, 1e12, 1e18])('one row of length %d among short ones', async (a) => {
    const features = { data: Float32Array.of(a, 1, 3), shape: [3, 1] as const };
    const result = await contrastiveLossAndGrad(features, features, { objective: 'infonce', logitScale: 1 });
    const long = Math.fround(a);
    const loss = (long - 1 + (3 * long - 9)) / 3; // row 0 is solved; rows 1 and 2 prefer the long key
    expect(Math.abs(result.loss / loss - 1)).toBeLessThan(1e-6);
    const right = [0, (long - 1) / 3, (long - 3) / 3];
    right.forEach((value, i) => {
      expect(Math.abs(result.queryGrads[i]! - value)).toBeLessThanOrEqual(1e-6 * long);
    });
  });

  it('pairs that match and that nobody normalised are solved', async () => {
    const wave = (seed: number) => (row: number, d: number) => Math.sin(seed + (row * 24 + d) ** 2 * 0.7);
    const queries = rows(40, 24, (row, d) => 150 * wave(1)(row, d));
    const keys = rows(40, 24, (row, d) => 150 * wave(1)(row, d) + 15 * wave(2)(row, d));
    const result = await contrastiveLossAndGrad(queries, keys, { logitScale: 100, perRow: true });
    expect(Math.abs(result.loss)).toBeLessThan(1e-12);
    expect(Math.min(...result.rows!.loss)).toBeGreaterThan(-1e-12);
    expect(Math.hypot(...result.queryGrads)).toBe(0);
  });

  it.each([1e2, 3e3, 1e4, 3e4, 1e9, 1e18])('two rows of length %d that tie', async (v) => {
    const one = (value: number) => ({ data: Float32Array.of(value, value), shape: [2, 1] as const });
    const { loss, queryGrads } = await contrastiveLossAndGrad(one(v), one(-v), { logitScale: 1 });
    expect(loss).toBeCloseTo(Math.log(2), 6);
    for (const g of queryGrads) expect(Math.abs(g)).toBeLessThanOrEqual(1e-6 * v);
  });

  it.each([
    ['features', 3e38, 1e-38, 1],
    ['similarities', 1e19, 1e19, 1],
    ['logits', 1e10, 1e10, 1e20],
    ['gradients', 1e15, 1e-20, 1e25],
  ])('%s that float32 may not hold are refused, with what to do', async (what, q, k, logitScale) => {
    const queries = rows(2, 2, () => q);
    const keys = rows(2, 2, () => k);
    await expect(contrastiveLossAndGrad(queries, keys, { logitScale })).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: expect.stringMatching(new RegExp(`${what}.*normalise the rows`)),
    });
  });

  it.each([1e-25, 1e-20, 1e-10, 1e10])('masked pairs have no weight at scale %d', async (logitScale) => {
    const features = (seed: number) => rows(64, 16, (row, d) => Math.sin((row * 16 + d) * seed));
    const ids = Int32Array.from({ length: 64 }, (_, i) => i % 2);
    const { loss, stats } = await contrastiveLoss(features(0.7), features(1.3), {
      logitScale,
      queryIds: ids,
      keyIds: ids,
    });
    expect(stats.maskedPairs).toBe(64 * 31);
    if (logitScale < 1) expect(loss).toBeCloseTo(Math.log(33), 6);
    else expect(Number.isFinite(loss)).toBe(true);
  });
});

describe('what is compared', () => {
  const passage = rows(64, 48, (_, d) => Math.cos(d) / 5);
  const questions = rows(64, 48, (i, d) => Math.sin(7 * i + 3 * d + 1) / 5);

  it.each(['float32', 'bfloat16'] as const)(
    'copies of the positive are no false negatives at margin 0, products in %s',
    async (compute) => {
      const options = { objective: 'infonce', falseNegativeMargin: 0, compute } as const;
      const { loss, stats, accuracy } = await contrastiveLoss(questions, passage, options);
      expect(stats.maskedPairs).toBe(0);
      expect(loss).toBeCloseTo(Math.log(64), 5);
      expect(accuracy).toBe(1);
    },
  );

  it('hard negatives that copy the positive tie with it', async () => {
    const keys = rows(120, 37, (i, d) => Math.sin(1 + (i * 37 + d) ** 2 * 0.7) / 4);
    for (let i = 0; i < 120; i++) {
      const row = (keys.data as Float32Array).subarray(i * 37, (i + 1) * 37);
      const length = Math.hypot(...row);
      row.forEach((value, d) => {
        row[d] = value / length;
      });
    }
    const copies = rows(240, 37, (i, d) => keys.data[Math.floor(i / 2) * 37 + d]!);
    const options = { objective: 'infonce', hardNegatives: { keys: copies, perQuery: 2 } } as const;
    expect((await contrastiveLoss(keys, keys, { objective: 'infonce' })).accuracy).toBe(1);
    expect((await contrastiveLoss(keys, keys, options)).accuracy).toBe(1);
  });
});
