/**
 * Features in the form of other libraries: shapes that are no plain arrays, strides and offsets of ndarrays.
 * A Float16Array is read as bits. Node 20 has no such class, so there a marked array stands in for one.
 */
import { contrastiveLossSync } from '../../lib';
import type { Features } from '../../lib/matrix/features';
import { toNativeMatrix } from '../../lib/matrix/host-matrix';
import { makePair } from '../reference/inputs';
import { expectError, fakeNative, matrix, thrownBy } from './fake-binding';

const mockHalves = new WeakSet<object>();
jest.mock('../../lib/typed-array', () => {
  const actual = jest.requireActual('../../lib/typed-array');
  const kindOf = (value: unknown) =>
    typeof value === 'object' && value !== null && mockHalves.has(value)
      ? 'Float16Array'
      : actual.kindOf(value);
  return { ...actual, kindOf };
});

const [rows, dim] = [6, 4];
const { queries, keys } = makePair({ rows: 10, dim, seed: 101 });
const sub = (from: number) => ({
  data: queries.data.subarray(from * dim),
  shape: [rows, dim] as [number, number],
});
const pairs = { data: keys.data, shape: [rows, dim] as [number, number] };
const lossOf = (features: unknown) => contrastiveLossSync(features as Features, pairs).loss;

/** Row-major in `order`, whatever else; libraries have more fields than anybody reads. */
const whole = { data: queries.data, shape: [rows, dim], size: rows * dim };

it.each<[string, object]>([
  ['ndarray', { ...whole, stride: [dim, 1], offset: 0, order: [1, 0], dtype: 'float32' }],
  ['@stdlib/ndarray', { ...whole, strides: [dim, 1], offset: 0, order: 'row-major', dtype: 'float32' }],
  ['transformers.js', { ...whole, stride: () => [dim, 1], dims: [rows, dim], type: 'float32' }],
  ['an order alone', { ...whole, order: 'row-major' }],
  ['a shape in a typed array', { ...whole, shape: Int32Array.of(rows, dim) }],
  ['dims in a frozen array', { data: queries.data, dims: Object.freeze([rows, dim]) }],
  ['a shape in anything like an array', { ...whole, shape: { length: 2, 0: rows, 1: dim } }],
])('%s', (_, features) => {
  expect(lossOf(features)).toBe(lossOf(sub(0)));
});

it('an offset is honoured, with strides and without', () => {
  const expected = lossOf(sub(2));
  expect(expected).not.toBe(lossOf(sub(0)));
  for (const more of [{ stride: [dim, 1] }, { strides: Int32Array.of(dim, 1), order: 'row-major' }, {}]) {
    expect(lossOf({ ...whole, ...more, offset: 2 * dim })).toBe(expected);
  }
});

it('strides from row to row are those of rowStride', () => {
  const [every, shape] = [2 * dim, [5, dim]];
  const five = { data: keys.data, shape } as unknown as Features;
  const loss = (more: object) =>
    contrastiveLossSync({ data: queries.data, shape, ...more } as Features, five).loss;
  const expected = loss({ rowStride: every });
  expect(loss({ stride: [every, 1], offset: 0 })).toBe(expected);
  expect(loss({ strides: [every, 1] })).toBe(expected);
  expect(loss({ strides: [every, 1], rowStride: every })).toBe(expected);
});

it('strides along a dimension of one element do not matter', () => {
  const one = { data: Float32Array.of(1, 2, 3), shape: [1, 3], strides: [-7, 1] };
  expect(toNativeMatrix('m', one)).toMatchObject({ rows: 1, dim: 3, rowStride: 3 });
  const column = { data: Float32Array.of(1, 2, 3), shape: [3, 1], strides: [1, 5] };
  expect(toNativeMatrix('m', column)).toMatchObject({ rows: 3, dim: 1, rowStride: 1 });
});

describe('a Float16Array', () => {
  type Half = new (buffer: ArrayBuffer, offset: number, length: number) => Uint16Array;
  const Half = (globalThis as { Float16Array?: Half }).Float16Array;
  /** Two rows of 1, 0 and 0, 1, behind a number that is not ours. */
  const make = () => {
    const bits = Uint16Array.of(0x7c00, 0x3c00, 0, 0, 0x3c00);
    const half = Half ? new Half(bits.buffer, 2, 4) : bits.subarray(1);
    if (!Half) mockHalves.add(half);
    return { half, bits: bits.subarray(1) };
  };

  it.each([{}, { dtype: 'float16' }, { type: 'float16' }])('stated as %j is taken as its bits', (stated) => {
    const { half, bits } = make();
    const native = toNativeMatrix('m', { data: half, dims: [2, 2], ...stated });
    expect(native).toMatchObject({ dtype: 'float16', rows: 2, dim: 2 });
    expect(native.data.constructor.name).toBe('Uint16Array');
    expect(native.data.buffer).toBe(half.buffer);
    expect([...native.data]).toEqual([...bits]);
  });

  it('as queries, keys and hard negatives, with the loss of its bits', () => {
    const loss = (data: unknown) => {
      const m = { data, shape: [2, 2], dtype: 'float16' } as Features;
      return contrastiveLossSync(m, m, { logitScale: 2, hardNegatives: { keys: m, perQuery: 1 } }).loss;
    };
    const { half, bits } = make();
    expect(loss(half)).toBe(loss(bits));
  });

  it.each(['float32', 'bfloat16'])('called %s is refused', (dtype) => {
    expectError(
      thrownBy(() => toNativeMatrix('m', { data: make().half, shape: [2, 2], dtype })),
      { type: TypeError, code: 'ERR_DTYPE', message: 'float16, as data is a Float16Array, for m.dtype' },
    );
  });

  it('is no place for gradients', () => {
    const { functions } = fakeNative();
    const options = { out: { queryGrads: make().half as unknown as Float32Array } };
    expectError(
      thrownBy(() => functions.contrastiveLossAndGradSync(matrix(2, 2), matrix(2, 2), options)),
      { type: TypeError, code: 'ERR_TYPE', message: 'Float32Array for options.out.queryGrads' },
    );
  });
});
