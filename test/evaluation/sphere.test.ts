/** alignment, uniformity and modalityGap: plain oracles, known values, and forms of features. */
import { alignment, modalityGap, uniformity } from '../../lib/evaluation';
import {
  normalRows,
  plainAlignment,
  plainModalityGap,
  plainUniformity,
  unitRows,
} from '../reference/features';
import { widen } from '../reference/inputs';

const x = unitRows(normalRows(57, 13, 1));
const y = unitRows(normalRows(57, 13, 2));
const same = { data: new Float32Array(40 * 4).fill(0.5), shape: [40, 4] as const };

/** Unit rows that share a direction. */
const shifted = (rows: number, dim: number, seed: number) => {
  const { data, shape } = normalRows(rows, dim, seed);
  return unitRows({ data: data.map((value, at) => value + (at % dim === 0 ? 2 : 0)), shape });
};

describe('alignment', () => {
  it.each([undefined, 1, 2, 0.5])('equals the oracle, alpha %p', async (alpha) => {
    expect(await alignment(x, y, { alpha })).toBeCloseTo(plainAlignment(x, y, alpha), 12);
  });

  it('is 0 for equal rows, 4 for opposite ones, and 2 for rows at a right angle', async () => {
    const pair = (...values: number[]) => ({ data: Float32Array.from(values), shape: [1, 2] });
    expect(await alignment(x, x)).toBe(0);
    expect(await alignment(pair(1, 0), pair(-1, 0))).toBe(4);
    expect(await alignment(pair(1, 0), pair(0, 1))).toBe(2);
  });
});

describe('uniformity', () => {
  it.each([undefined, 0.5, 2, 10])('equals the oracle, t %p', async (t) => {
    expect(Math.abs((await uniformity(x, { t })) - plainUniformity(x, t))).toBeLessThan(2e-6);
  });

  it('a collapsed model has 0, up to the rounding of float32', async () => {
    expect(Math.abs(await uniformity(same))).toBeLessThan(2e-6);
  });

  it.each([
    [64, -3.875],
    [256, -3.969],
  ])('points all over a sphere of %d dimensions have about %d: -2t + 2t²/D', async (dim, expected) => {
    const value = await uniformity(unitRows(normalRows(2000, dim, dim)));
    expect(Math.abs(value - (-4 + 8 / dim))).toBeLessThan(0.004);
    expect(Math.abs(value - expected)).toBeLessThan(0.004);
  });

  it('two rows', async () => {
    const two = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };
    expect(await uniformity(two)).toBeCloseTo(-4, 6);
  });

  it('does not depend on the number of threads', async () => {
    expect(await uniformity(x, { threads: 1 })).toBe(await uniformity(x, { threads: 2 }));
  });
});

describe('modalityGap', () => {
  it.each([
    ['two sides that know nothing of each other', x, y],
    ['sides of different sizes', x, shifted(31, 13, 5)],
    ['sides that share a direction', shifted(40, 6, 3), shifted(90, 6, 4)],
  ])('equals the oracle: %s', async (_, one, other) => {
    const expected = plainModalityGap(one, other);
    const { gap, centroidCosine, separability } = await modalityGap(one, other);
    expect(gap).toBeCloseTo(expected.gap, 12);
    expect(centroidCosine).toBeCloseTo(expected.centroidCosine, 12);
    expect(separability).toBeCloseTo(expected.separability, 12);
  });

  it('a side and itself: no gap, and nothing tells them from each other', async () => {
    const { gap, centroidCosine, separability } = await modalityGap(x, x);
    expect([gap, separability]).toEqual([0, 0.5]);
    expect(centroidCosine).toBeCloseTo(1, 12);
  });

  it('opposite sides: the largest gap, and a plane parts them', async () => {
    const opposite = { data: same.data.map((value) => -value), shape: same.shape };
    expect(await modalityGap(same, opposite)).toEqual({ gap: 2, centroidCosine: -1, separability: 1 });
  });

  it('a mean of zero has no direction', async () => {
    const zero = { data: Float32Array.of(1, 0, -1, 0), shape: [2, 2] };
    const up = { data: Float32Array.of(0, 1), shape: [1, 2] };
    expect((await modalityGap(zero, up)).centroidCosine).toBeNaN();
  });
});

describe('forms of features', () => {
  const wide = widen(x, 3);
  const bits = { data: Uint16Array.of(0x3f80, 0, 0, 0x3f80), shape: [2, 2], dtype: 'bfloat16' } as const;
  const floats = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };

  it('rows with gaps between them', async () => {
    expect(await alignment(wide, y)).toBe(await alignment(x, y));
    expect(await uniformity(wide)).toBe(await uniformity(x));
    expect(await modalityGap(wide, y)).toEqual(await modalityGap(x, y));
  });

  it('16 bits', async () => {
    expect(await alignment(bits, floats)).toBe(0);
    expect(await uniformity(bits)).toBe(await uniformity(floats));
  });

  it('a length that rounding changed is set right', async () => {
    const nearly = { data: x.data.map((value) => value * 1.003), shape: x.shape };
    expect(await alignment(nearly, x)).toBeLessThan(1e-12);
    expect(Math.abs((await uniformity(nearly)) - (await uniformity(x)))).toBeLessThan(1e-6);
  });
});
