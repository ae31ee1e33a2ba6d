/**
 * 16-bit floats for tests: float32 rounded to bfloat16 or float16, as the bits that the public API takes and as the
 * float32 values that those bits mean. Round to nearest, ties to even. Finite values within range only.
 */
import type { MatrixLike } from '../../lib';
import type { FloatMatrix } from './inputs';

export type NarrowDType = 'float16' | 'bfloat16';

export interface Narrowed {
  /** For the engine. */
  bits: MatrixLike & { data: Uint16Array };
  /** The same numbers for the oracle. */
  values: FloatMatrix;
}

export function narrow({ data, shape, rowStride }: FloatMatrix, dtype: NarrowDType): Narrowed {
  const toBits = dtype === 'bfloat16' ? toBfloat16 : toFloat16;
  const toFloat = dtype === 'bfloat16' ? fromBfloat16 : fromFloat16;
  const bits = Uint16Array.from(data, toBits);
  return {
    bits: { data: bits, shape, dtype, rowStride },
    values: { data: Float32Array.from(bits, toFloat), shape, rowStride },
  };
}

const { abs, floor, log2 } = Math; // of the sandbox that Jest runs this in, looked up once
const word = new DataView(new ArrayBuffer(4));

/** The upper half of a float32, rounded. */
export function toBfloat16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** Sign, 5 bits of exponent with bias 15, 10 of fraction: value = 2^(e - 15) (1 + f / 1024), or 2^-14 f / 1024 if e = 0. */
export function toFloat16(value: number): number {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24); // 2^-24 is the least; 1024 of it carries into e = 1
  if (size >= 65520) return sign | 0x7c00;
  const exponent = floor(log2(size));
  // the fraction's carry, if any, goes on into the exponent
  return sign | ((exponent + 14) * 1024 + roundEven(size * 2 ** (10 - exponent)));
}

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function roundEven(value: number): number {
  const below = floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
