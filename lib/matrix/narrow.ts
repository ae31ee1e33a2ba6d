/**
 * Numbers as the bits of float16 and bfloat16. Rounds once, to the nearest, ties to even (IEEE 754).
 *
 * Refuses nothing: what is beyond the type becomes its infinity, and the caller looks for that.
 */

/** A binary floating point type of 16 bits: sign, exponent, fraction. */
interface NarrowType {
  fractionBits: number;
  /** Exponent of the least normal number. */
  least: number;
  /** The bits of infinity. */
  infinity: number;
}

const narrowTypes = {
  float16: { fractionBits: 10, least: -14, infinity: 0x7c00 },
  bfloat16: { fractionBits: 7, least: -126, infinity: 0x7f80 },
} as const satisfies Record<string, NarrowType>;

export type NarrowDType = keyof typeof narrowTypes;

const float64 = new DataView(new ArrayBuffer(8));

/** The bits of `value`, which is no NaN. */
export function toBits(value: number, dtype: NarrowDType): number {
  const { fractionBits, least, infinity } = narrowTypes[dtype];
  float64.setFloat64(0, value);
  const sign = (float64.getUint16(0) & 0x8000) === 0 ? 0 : 0x8000;
  // 11 bits of exponent follow the sign
  const exponent = Math.max(((float64.getUint16(0) >>> 4) & 0x7ff) - 1023, least);
  // steps of the type at this size: subnormal numbers have those of the least normal one
  const steps = roundEven(Math.abs(value) * 2 ** (fractionBits - exponent));
  // a fraction that rounds up to the next power of two carries into the exponent
  return sign | Math.min((exponent - least) * 2 ** fractionBits + steps, infinity);
}

export function isInfinite(bits: number, dtype: NarrowDType): boolean {
  return (bits & 0x7fff) === narrowTypes[dtype].infinity;
}

/** To the nearest integer, for numbers from 0 to 2^51: between 2^52 and 2^53, float64 has steps of 1. */
const roundEven = (value: number) => value + 2 ** 52 - 2 ** 52;

/** The number that the bits stand for. */
export function fromBits(bits: number, dtype: NarrowDType): number {
  const { fractionBits, least, infinity } = narrowTypes[dtype];
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const magnitude = bits & 0x7fff;
  if (magnitude >= infinity) return magnitude === infinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const exponent = magnitude >>> fractionBits;
  const fraction = magnitude & ((1 << fractionBits) - 1);
  // subnormal numbers have the exponent of the least normal one, and no leading 1
  const steps = exponent === 0 ? fraction : fraction + (1 << fractionBits);
  return sign * steps * 2 ** (least + Math.max(exponent, 1) - 1 - fractionBits);
}
