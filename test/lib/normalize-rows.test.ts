/** normalizeRows and its gradient: against float64 formulas, finite differences, and rows at the edges of float32. */
import {
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  type NormalizedRows,
  normalizeRows,
  normalizeRowsGrad,
  toFloat16,
} from '../../lib';
import { generator } from '../trainer/toy-encoder';
import { expectError, thrownBy } from './fake-binding';
import { classOf } from './refusal-table';

function randomMatrix(rows: number, dim: number, seed: number, size = 1) {
  const random = generator(seed);
  const data = Float32Array.from({ length: rows * dim }, () => size * (random.next() - 0.5));
  return { data, shape: [rows, dim] as const };
}

const rowsOf = (data: ArrayLike<number>, dim: number) =>
  Array.from({ length: data.length / dim }, (_, i) => Array.from(data).slice(i * dim, (i + 1) * dim));

describe('features', () => {
  it.each([1, 1e-38, 1e38])('of size %d get length 1 and keep their direction', (size) => {
    const given = randomMatrix(7, 33, 1, size);
    const before = given.data.slice();
    const { features, lengths } = normalizeRows(given);
    expect(given.data).toEqual(before);
    expect(features.shape).toEqual([7, 33]);
    rowsOf(features.data, 33).forEach((row, i) => {
      const exact = Math.hypot(...rowsOf(given.data, 33)[i]!);
      expect(lengths[i]! / exact).toBeCloseTo(1, 14);
      expect(Math.hypot(...row)).toBeCloseTo(1, 6);
      row.forEach((x, d) => {
        expect(x).toBeCloseTo(given.data[i * 33 + d]! / exact, 7);
      });
    });
  });

  it('a row of zeros stays zeros; the least float32 alone is a direction', () => {
    const { features, lengths } = normalizeRows({
      data: Float32Array.of(0, -0, 2 ** -149, 0),
      shape: [2, 2],
    });
    expect([...features.data].map(Math.abs)).toEqual([0, 0, 1, 0]);
    expect([...lengths]).toEqual([0, 2 ** -149]);
  });

  it('of 16 bits, with gaps and an offset are read as the loss reads them', () => {
    const half = toFloat16(randomMatrix(3, 4, 2));
    const { features } = normalizeRows(half);
    expect(features.dtype).toBe('float32');
    expect(
      normalizeRows({ data: Float32Array.of(9, 3, 4, 9, 0, 2), shape: [2, 2], rowStride: 3, offset: 1 }),
    ).toEqual({
      features: { data: Float32Array.of(0.6, 0.8, 0, 1), shape: [2, 2], dtype: 'float32' },
      lengths: Float64Array.of(5, 2),
    });
  });

  it('in place writes over the array and gives the same numbers', () => {
    const given = randomMatrix(5, 6, 3);
    const apart = normalizeRows(given);
    const { features, lengths } = normalizeRows(given, { inPlace: true });
    expect(features.data.buffer).toBe(given.data.buffer);
    expect(given.data).toEqual(apart.features.data);
    expect(lengths).toEqual(apart.lengths);
  });
});

describe('gradient', () => {
  it('of the loss agrees with finite differences through lengths of many sizes', () => {
    const [rows, dim] = [6, 5];
    const queries = randomMatrix(rows, dim, 4);
    queries.data.forEach((x, i) => {
      queries.data[i] = x * 4 ** (Math.floor(i / dim) - 2);
    });
    const keys = normalizeRows(randomMatrix(rows, dim, 5)).features;
    const options = { logitScale: 5 };
    const lossOf = (data: Float32Array) =>
      contrastiveLossSync(normalizeRows({ data, shape: [rows, dim] }).features, keys, options).loss;
    const normalized = normalizeRows(queries);
    const { queryGrads } = contrastiveLossAndGradSync(normalized.features, keys, options);
    const grads = normalizeRowsGrad(normalized, queryGrads);
    for (let i = 0; i < rows * dim; i++) {
      const h = normalized.lengths[Math.floor(i / dim)]! * 2 ** -7;
      const nudged = [h, -h].map((step) => {
        const data = queries.data.slice();
        data[i]! += step;
        return { data, loss: lossOf(data) };
      });
      const numeric = (nudged[0]!.loss - nudged[1]!.loss) / (nudged[0]!.data[i]! - nudged[1]!.data[i]!);
      const scale = 1 / normalized.lengths[Math.floor(i / dim)]!;
      expect(Math.abs(grads[i]! - numeric) / scale).toBeLessThan(2e-4);
    }
    expect(Math.hypot(...grads)).toBeGreaterThan(0.1);
  });

  it('equals the formula in float64, and is orthogonal to the row', () => {
    const [rows, dim] = [4, 17];
    const given = randomMatrix(rows, dim, 6, 10);
    const normalized = normalizeRows(given);
    const upstream = randomMatrix(rows, dim, 7).data;
    const grads = rowsOf(normalizeRowsGrad(normalized, upstream), dim);
    rowsOf(given.data, dim).forEach((x, i) => {
      const length = Math.hypot(...x);
      const g = rowsOf(upstream, dim)[i]!;
      const dot = g.reduce((sum, value, d) => sum + (value * x[d]!) / length, 0);
      grads[i]!.forEach((value, d) => {
        expect(value).toBeCloseTo((g[d]! - (dot * x[d]!) / length) / length, 6);
      });
      expect(grads[i]!.reduce((sum, value, d) => sum + value * x[d]!, 0)).toBeCloseTo(0, 5);
    });
  });

  it('of a row of zeros is zeros, and in place it overwrites the given gradient', () => {
    const normalized = normalizeRows({ data: Float32Array.of(0, 0, 3, 4), shape: [2, 2] });
    const grads = Float32Array.of(5, 6, 1, 0);
    const made = normalizeRowsGrad(normalized, grads);
    [0, 0, 0.128, -0.096].forEach((expected, i) => {
      expect(made[i]).toBeCloseTo(expected, 7);
    });
    expect([made[0], made[1]]).toEqual([0, 0]);
    expect([...grads]).toEqual([5, 6, 1, 0]);
    expect(normalizeRowsGrad(normalized, grads, { inPlace: true })).toBe(grads);
    expect(grads).toEqual(made);
  });
});

describe('refusals', () => {
  const good = () => ({ data: Float32Array.of(3, 4), shape: [1, 2] });
  const half = { data: Uint16Array.of(1, 2), shape: [1, 2], dtype: 'float16' };
  const gaps = { data: new Float32Array(5), shape: [2, 2], rowStride: 3 };
  const holding = (...values: number[]) => ({ data: Float32Array.from(values), shape: [1, values.length] });
  it.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, {}, 'ERR_TYPE', 'for features but received undefined'],
    ['another type', { ...good(), data: new Float64Array(2) }, {}, 'ERR_DTYPE', 'features.data'],
    ['NaN', holding(1, Number.NaN), {}, 'ERR_NOT_FINITE', 'row 0, column 1 of features'],
    ['infinity', holding(-1 / 0, 2), {}, 'ERR_NOT_FINITE', 'row 0, column 0 of features'],
    ['a number for options', good(), 5, 'ERR_TYPE', 'object for options'],
    ['a typo', good(), { inplace: true }, 'ERR_OPTION', 'did you mean inPlace?'],
    ['a number for inPlace', good(), { inPlace: 1 }, 'ERR_TYPE', 'boolean for options.inPlace'],
    ['16 bits in place', half, { inPlace: true }, 'ERR_DTYPE', 'as options.inPlace is true'],
    ['rows with gaps in place', gaps, { inPlace: true }, 'ERR_SHAPE', 'row stride 3 for dim 2'],
  ])('of normalizeRows: %s', (_, features, options, code, message) => {
    const error = thrownBy(() => normalizeRows(features as never, options as never));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  const unit = () => normalizeRows(good());
  const grads = Float32Array.of(1, 2);
  it.each<[string, unknown, unknown, unknown, string, string]>([
    ['features alone', unit().features, grads, {}, 'ERR_OPTION', 'Unknown name data in normalized'],
    ['nothing', undefined, grads, {}, 'ERR_TYPE', 'object for normalized'],
    ['16-bit features', { ...unit(), features: half }, grads, {}, 'ERR_TYPE', 'that normalizeRows returned'],
    ['rows with gaps', { ...unit(), features: gaps }, grads, {}, 'ERR_TYPE', 'that normalizeRows returned'],
    [
      'float32 lengths',
      { ...unit(), lengths: new Float32Array(1) },
      grads,
      {},
      'ERR_TYPE',
      'normalized.lengths',
    ],
    [
      'too many lengths',
      { ...unit(), lengths: new Float64Array(2) },
      grads,
      {},
      'ERR_SHAPE',
      'Expected 1 lengths',
    ],
    ['no gradient', unit(), undefined, {}, 'ERR_TYPE', 'Float32Array for grads'],
    ['a matrix as gradient', unit(), good(), {}, 'ERR_TYPE', 'Float32Array for grads'],
    ['a gradient of another size', unit(), new Float32Array(4), {}, 'ERR_SHAPE', 'Expected 2 elements'],
    ['NaN', unit(), Float32Array.of(0, Number.NaN), {}, 'ERR_NOT_FINITE', 'row 0, column 1 of grads'],
    ['a typo', unit(), grads, { out: grads }, 'ERR_OPTION', 'Unknown name out in options'],
  ])('of normalizeRowsGrad: %s', (_, normalized, given, options, code, message) => {
    const error = thrownBy(() =>
      normalizeRowsGrad(normalized as NormalizedRows, given as never, options as never),
    );
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  it('of normalizeRowsGrad: a gradient beyond float32', () => {
    const short = normalizeRows({ data: Float32Array.of(2 ** -140, 0), shape: [1, 2] });
    const error = thrownBy(() => normalizeRowsGrad(short, Float32Array.of(0, 1)));
    expectError(error, { type: RangeError, code: 'ERR_NOT_FINITE', message: 'The gradient of row 0' });
  });
});
