/**
 * Floats of 16 and 32 bits as integers: from one type to another by their bits alone. Faster than arithmetic on
 * numbers (`narrow.ts`, for float64), and the payload of a NaN is kept.
 *
 * Refuses nothing: a number beyond the narrow type becomes its infinity.
 */

import type { DType } from '../native/binding';

/** The bits of the float32 with the value of these bits. Exact. */
export const toFloat32Pattern: Record<DType, (bits: number) => number> = {
  float32: (bits) => bits,
  bfloat16: (bits) => bits << 16,
  float16: fromFloat16Bits,
};

/** The bits nearest to a float32, given by its bits. Ties go to the even neighbour (IEEE 754). */
export const fromFloat32Pattern: Record<DType, (pattern: number) => number> = {
  float32: (pattern) => pattern,
  bfloat16: toBFloat16Bits,
  float16: toFloat16Bits,
};

const infinity32 = 0x7f800000;
/** The exponent field of float32 is larger than that of float16 by this much, for the same number. */
const biasDifference = 112;

function fromFloat16Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return sign | infinity32 | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x400) return sign | ((magnitude << 13) + (biasDifference << 23));
  if (magnitude === 0) return sign;
  // a subnormal number, magnitude * 2^-24, is a normal float32
  const leading = 31 - Math.clz32(magnitude);
  return sign | ((leading + 103) << 23) | ((magnitude << (23 - leading)) & 0x7fffff);
}

function toBFloat16Bits(pattern: number): number {
  // the upper half of a NaN may be all zeros, which would be infinity: the quiet bit prevents that
  if ((pattern & 0x7fffffff) > infinity32) return (pattern >>> 16) | 0x40;
  return ((pattern >>> 0) + 0x7fff + ((pattern >>> 16) & 1)) >>> 16;
}

function toFloat16Bits(pattern: number): number {
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fffffff;
  if (magnitude > infinity32) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and more
  if (magnitude < 0x38800000) return sign | subnormalSteps(magnitude); // below 2^-14
  // a fraction that rounds up carries into the exponent, and at the end into infinity
  return sign | ((magnitude - (biasDifference << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The nearest number of steps of 2^-24, the least float16, for a float32 below 2^-14. */
function subnormalSteps(magnitude: number): number {
  const exponent = magnitude >>> 23;
  if (exponent < 102) return 0; // less than half a step
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const below = significand >>> shift;
  const rest = significand - (below << shift);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (below & 1) === 1) ? below + 1 : below;
}
