/**
 * toFloat16, toBFloat16 and toFloat32 against an oracle that searches the nearest of all 65,536 numbers: every
 * pattern, the middles between neighbours, random float32.
 */
import { contrastiveLossSync, toBFloat16, toFloat16, toFloat32 } from '../../lib';
import { fromBfloat16, fromFloat16 } from '../reference/narrow';
import { generator } from '../trainer/toy-encoder';
import { expectError, thrownBy } from './fake-binding';
import { classOf } from './refusal-table';

// of the sandbox that Jest runs this in, looked up once
const { abs } = Math;

/** All numbers that are not negative, in the order of their bits. Infinity has the value that would follow. */
function tableOf(value: (bits: number) => number, infinity: number): Float64Array {
  const table = Float64Array.from({ length: infinity + 1 }, (_, bits) => value(bits));
  table[infinity] = 2 * table[infinity - 1]! - table[infinity - 2]!;
  return table;
}

const types = [
  { dtype: 'float16', convert: toFloat16, value: fromFloat16, infinity: 0x7c00 },
  { dtype: 'bfloat16', convert: toBFloat16, value: fromBfloat16, infinity: 0x7f80 },
].map((type) => ({ ...type, table: tableOf(type.value, type.infinity) })) as {
  dtype: 'float16' | 'bfloat16';
  convert: typeof toFloat16 | typeof toBFloat16;
  value(bits: number): number;
  infinity: number;
  table: Float64Array;
}[];
type Narrow = (typeof types)[number];

/** The bits nearest to a number that is no NaN, by search over all bits in their order. */
function nearestBits({ table, infinity }: Narrow, x: number): number {
  const sign = x < 0 || (x === 0 && 1 / x < 0) ? 0x8000 : 0;
  const size = abs(x);
  let [below, above] = [0, infinity];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (table[middle]! <= size) below = middle;
    else above = middle;
  }
  const [left, right] = [size - table[below]!, table[above]! - size];
  const isAbove = right < left || (right === left && above % 2 === 0);
  return sign | (isAbove ? above : below);
}

const row = (data: Float32Array) => ({ data, shape: [1, data.length] });
const fromWords = (words: Uint32Array) => row(new Float32Array(words.buffer));

describe.each(types)('$dtype', (type) => {
  const { dtype, convert, value, infinity } = type;
  const finite = Array.from({ length: infinity }, (_, bits) => bits).flatMap((bits) => [bits, bits | 0x8000]);

  it('every number that the type has keeps its bits', () => {
    const { data } = convert(row(Float32Array.from(finite, value)));
    expect(finite.filter((bits, i) => data[i] !== bits)).toEqual([]);
  });

  it('the middle of two neighbours goes to the even one, and what is beside the middle to the nearer one', () => {
    const inputs = finite.flatMap((bits) => {
      const [one, two] = [value(bits), (bits & 0x7fff) === infinity - 1 ? undefined : value(bits + 1)];
      const middle = two === undefined ? one * (1 + 2 ** -12) : (one + two) / 2;
      return [middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20)];
    });
    const given = Float32Array.from(inputs);
    const { data } = convert(row(given));
    const wrong = [...given].filter((x, i) => data[i] !== nearestBits(type, x));
    expect(wrong).toEqual([]);
    expect(given).toHaveLength(6 * infinity);
  });

  it('random float32 of all sizes goes to the nearest', () => {
    const random = generator(5);
    const words = Uint32Array.from({ length: 50_000 }, () => {
      const upper = Math.floor(random.next() * 2 ** 16);
      return ((upper << 16) | Math.floor(random.next() * 2 ** 16)) >>> 0;
    });
    const given = fromWords(words);
    const { data } = convert(given);
    const numbers = [...given.data].map((x, i) => ({ x, bits: data[i]! }));
    const real = numbers.filter(({ x }) => !Number.isNaN(x));
    expect(real.length).toBeGreaterThan(45_000);
    expect(real.filter(({ x, bits }) => bits !== nearestBits(type, x))).toEqual([]);
    const nans = numbers.filter(({ x }) => Number.isNaN(x));
    expect(nans.length).toBeGreaterThan(100);
    expect(nans.filter(({ bits }) => (bits & 0x7fff) <= infinity)).toEqual([]);
  });

  it('infinity, zero and NaN keep what they are, and their sign', () => {
    const words = Uint32Array.of(0x7f800000, 0xff800000, 0, 0x80000000, 0x7f800001, 0xffffffff, 0x7fc00000);
    const { data } = convert(fromWords(words));
    expect([...data.subarray(0, 4)]).toEqual([infinity, infinity | 0x8000, 0, 0x8000]);
    for (const bits of data.subarray(4)) expect(value(bits)).toBeNaN();
    expect([...data.subarray(4)].map((bits) => bits >> 15)).toEqual([0, 1, 0]);
  });

  it('all 65,536 patterns become float32 and come back', () => {
    const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const wide = toFloat32({ data: bits, shape: [256, 256], dtype });
    const differs = [...bits].filter((_, i) => !Object.is(wide.data[i], value(i)));
    expect(differs).toEqual([]);
    const back = convert(wide).data;
    // a NaN that signals comes back as one that is quiet
    expect([...bits].filter((_, i) => back[i] !== i && !Number.isNaN(value(i)))).toEqual([]);
    expect([...bits].filter((_, i) => Number.isNaN(value(i)) !== Number.isNaN(value(back[i]!)))).toEqual([]);
  });

  it('from the other 16-bit type it rounds once', () => {
    const other = types.find((one) => one !== type)!;
    const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const { data } = convert({ data: bits, shape: [0x10000, 1], dtype: other.dtype });
    const wrong = [...bits].filter(
      (i) => !Number.isNaN(other.value(i)) && data[i] !== nearestBits(type, other.value(i)),
    );
    expect(wrong).toEqual([]);
  });
});

it('rows are packed, and nothing of the result is the caller’s memory', () => {
  const data = Float32Array.of(9, 1, 2, 9, 3, 4, 9);
  const given = { data, shape: [2, 2], rowStride: 3, offset: 1 };
  expect(toFloat32(given)).toEqual({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'float32' });
  expect(toBFloat16(given).data).toEqual(Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4080));
  const bits = { data: Uint16Array.of(7, 8), shape: [1, 2], dtype: 'float16' as const };
  const copy = toFloat16(bits);
  bits.data[0] = 1;
  expect(copy).toEqual({ data: Uint16Array.of(7, 8), shape: [1, 2], dtype: 'float16' });
});

it('the loss takes the result', () => {
  const random = generator(3);
  const given = { data: Float32Array.from({ length: 64 }, () => random.next() - 0.5), shape: [8, 8] };
  const exact = contrastiveLossSync(given, given).loss;
  for (const { convert } of types) {
    const half = convert(given);
    const { loss } = contrastiveLossSync(half, half);
    expect(loss).not.toBe(exact);
    expect(Math.abs(loss - exact)).toBeLessThan(0.05);
    expect(loss).toBeCloseTo(contrastiveLossSync(toFloat32(half), toFloat32(half)).loss, 3);
  }
});

const one = { data: new Float32Array(1), shape: [1, 1] };
it.each<[string, unknown, string, string]>([
  ['nothing', undefined, 'ERR_TYPE', 'for features but received undefined'],
  ['numbers without a shape', new Float32Array(4), 'ERR_TYPE', 'matrix { data, shape'],
  ['another type', { ...one, data: new Float64Array(1) }, 'ERR_DTYPE', 'features.data'],
  ['bits of no type', { ...one, data: new Uint16Array(1) }, 'ERR_DTYPE', 'features.dtype'],
  ['too few elements', { ...one, shape: [2, 2] }, 'ERR_SHAPE', 'at least 4 elements'],
])('%s is refused', (_, features, code, message) => {
  for (const convert of [toFloat16, toBFloat16, toFloat32]) {
    const error = thrownBy(() => convert(features as never));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  }
});
