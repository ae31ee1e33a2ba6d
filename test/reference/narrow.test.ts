/** 16-bit rounding: every bit pattern survives the way there and back, and ties go to even. */
import { fromBfloat16, fromFloat16, narrow, toBfloat16, toFloat16 } from './narrow';

const kinds = [
  ['bfloat16', toBfloat16, fromBfloat16, 0x7f80, 2 ** -8],
  ['float16', toFloat16, fromFloat16, 0x7c00, 2 ** -11],
] as const;

describe.each(kinds)('%s', (dtype, toBits, toFloat, infinity, halfUnit) => {
  it('all finite bit patterns are themselves', () => {
    const patterns = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const finite = patterns.filter((bits) => (bits & 0x7fff) < infinity);
    expect(finite.filter((bits) => toBits(toFloat(bits)) !== bits)).toEqual([]);
  });

  it('halfway goes to even, beyond it up, before it down', () => {
    const { values, bits } = narrow(
      { data: Float32Array.of(1 + halfUnit, 1 + 3 * halfUnit), shape: [1, 2] },
      dtype,
    );
    expect(Array.from(values.data)).toEqual([1, 1 + 4 * halfUnit]);
    expect(bits.dtype).toBe(dtype);
    expect(toFloat(toBits(Math.fround(1 + halfUnit + 2 ** -20)))).toBe(1 + 2 * halfUnit);
    expect(toFloat(toBits(Math.fround(-1 - halfUnit + 2 ** -20)))).toBe(-1);
  });

  it('knows some numbers', () => {
    const one = dtype === 'bfloat16' ? 0x3f80 : 0x3c00;
    expect([toBits(1), toBits(-1), toBits(0), toBits(-0)]).toEqual([one, one | 0x8000, 0, 0x8000]);
  });
});
