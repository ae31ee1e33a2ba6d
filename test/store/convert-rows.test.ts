/** Rows as bytes of a file: rounded as everywhere in infcl, widened exactly, and never with a number that is lost. */

import { type DType, dtypes, toNativeMatrix } from '../../lib/matrix/host-matrix';
import { fromBits, isInfinite, toBits } from '../../lib/matrix/narrow';
import { blocksOf, checkConversion } from '../../lib/store/convert-rows';
import { expectError, thrownBy } from '../lib/fake-binding';

/** All blocks of a matrix, one after the other. */
function bytesOf(features: object, dtype: DType): Uint8Array {
  const blocks: Buffer[] = [];
  // copied at once: the next block takes the same memory
  for (const block of blocksOf(toNativeMatrix('features', features), dtype)) blocks.push(Buffer.from(block));
  return Buffer.concat(blocks);
}

const bitsOf = (bytes: Uint8Array) => new Uint16Array(new Uint8Array(bytes).buffer);
const floatsOf = (bytes: Uint8Array) => new Float32Array(new Uint8Array(bytes).buffer);

/** Equal bytes. Matchers take long for so many elements. */
const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const allBits = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
const isFinite16 = (dtype: 'float16' | 'bfloat16') => (bits: number) =>
  Number.isFinite(fromBits(bits, dtype));

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const finite = allBits.filter(isFinite16(dtype));

  it('every number becomes float32 exactly, and the same number again', () => {
    const wide = floatsOf(bytesOf({ data: finite, shape: [1, finite.length], dtype }, 'float32'));
    expect(wide.every((value, i) => Object.is(value, fromBits(finite[i]!, dtype)))).toBe(true);
    expect(same(bitsOf(bytesOf({ data: wide, shape: [wide.length, 1] }, dtype)), finite)).toBe(true);
  });

  it('float32 is rounded as packRows rounds, also half way between two numbers', () => {
    const values = new Float32Array(300_000);
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) {
      // halves, their neighbours, and anything
      const noise = Math.imul(i, 2654435761) >>> 0;
      bits[i] =
        i % 3 === 0 ? noise : (noise & 0xffffe000) + [0, 0x1000, 0xfff, 0x1001, 0x8000, 0x7fff][i % 6]!;
    }
    const kept = values.filter((value) => Number.isFinite(value) && !isInfinite(toBits(value, dtype), dtype));
    expect(kept.length).toBeGreaterThan(40_000);
    const stored = bitsOf(bytesOf({ data: kept, shape: [kept.length, 1] }, dtype));
    const wrong = stored.findIndex((value, i) => value !== toBits(kept[i]!, dtype));
    expect([wrong, kept[wrong]]).toEqual([-1, undefined]);
  });

  const largest = fromBits(dtype === 'float16' ? 0x7bff : 0x7f7f, dtype);
  const step = dtype === 'float16' ? 2 ** 5 : 2 ** 120;
  it.each([1, -1])('a number of float32 that would round to infinity is refused (sign %i)', (sign) => {
    const data = Float32Array.of(0, 1, largest * sign, Math.fround((largest + step / 2) * sign));
    expectError(
      thrownBy(() => bytesOf({ data, shape: [2, 2] }, dtype)),
      {
        type: RangeError,
        code: 'ERR_NOT_FINITE',
        message: `finite number that ${dtype} has for features, row 1, column 1, but received`,
      },
    );
  });
});

describe.each(dtypes)('NaN and infinity in %s', (dtype) => {
  const one = { float32: 1, float16: 0x3c00, bfloat16: 0x3f80 }[dtype];
  const bad = {
    float32: [Number.NaN, Infinity, -Infinity],
    float16: [0x7c00, 0xfc00, 0x7c01],
    bfloat16: [0x7f80, 0xff80, 0xffff],
  };
  it.each(bad[dtype])('%p is refused, with its row and column', (value) => {
    const data = dtype === 'float32' ? new Float32Array(3 * 4) : new Uint16Array(3 * 4);
    data.fill(one);
    data[3] = value; // in the gap between rows
    data[9] = value;
    const features = { data, shape: [3, 3], rowStride: 4, dtype };
    for (const to of dtype === 'float32' ? dtypes : [dtype, 'float32' as const]) {
      expectError(
        thrownBy(() => bytesOf(features, to)),
        {
          type: RangeError,
          code: 'ERR_NOT_FINITE',
          message: /for features, row 2, column 1, but received (NaN|-?Infinity)/,
        },
      );
    }
  });
});

it('blocks have whole rows, about 1 MiB, and are the rows without the gaps', () => {
  const [rows, dim, rowStride] = [1000, 700, 701];
  const data = Float32Array.from({ length: rows * rowStride }, (_, i) =>
    i % rowStride === dim ? Number.NaN : i,
  );
  const features = toNativeMatrix('features', { data, shape: [rows, dim], rowStride });
  const lengths = [...blocksOf(features, 'float32')].map((block) => block.length);
  expect(lengths.every((length) => length % (4 * dim) === 0 && length <= 2 ** 20)).toBe(true);
  expect(lengths.length).toBe(3);
  const packed = floatsOf(bytesOf({ data, shape: [rows, dim], rowStride }, 'float32'));
  expect(
    same(
      packed,
      data.filter((value) => !Number.isNaN(value)),
    ),
  ).toBe(true);
});

it('a row longer than a block is a block', () => {
  const data = new Float32Array(2 ** 19).fill(2);
  const features = toNativeMatrix('features', { data, shape: [1, data.length] });
  expect([...blocksOf(features, 'float32')].map((block) => block.length)).toEqual([2 ** 21]);
});

it('a buffer that is transferred between two blocks is refused', () => {
  const data = new Float32Array(2 ** 19);
  const blocks = blocksOf(toNativeMatrix('features', { data, shape: [2 ** 9, 2 ** 10] }), 'float32');
  blocks.next();
  structuredClone(data.buffer, { transfer: [data.buffer] });
  expectError(
    thrownBy(() => blocks.next()),
    { type: TypeError, code: 'ERR_DETACHED', message: 'features.data' },
  );
});

it('float16 and bfloat16 never become each other', () => {
  for (const [from, to] of [
    ['float16', 'bfloat16'],
    ['bfloat16', 'float16'],
  ] as const) {
    expectError(
      thrownBy(() => checkConversion(from, to)),
      {
        type: TypeError,
        code: 'ERR_DTYPE',
        message: `Expected ${to} or float32, as the store has ${to}, for features.dtype but received ${from}`,
      },
    );
  }
});
