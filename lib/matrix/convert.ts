/**
 * Features in another element type: float32, float16 or bfloat16.
 *
 * Refuses nothing but bad features: NaN and infinity are converted too, and the loss functions refuse
 * them later.
 */

import type { DType, NativeHostMatrix } from '../native/binding';
import { bufferOf, byteOffsetOf, lengthOf } from '../typed-array';
import { allocateElements } from './allocate';
import { toHostMatrix } from './features';
import { fromFloat32Pattern, toFloat32Pattern } from './float-patterns';
import type { HostFeatures } from './host-matrix';
import type { PackedMatrix } from './pack-rows';

/** A matrix without gaps between rows, whose element type is known to TypeScript. */
export interface PackedOf<D extends DType> extends PackedMatrix {
  data: D extends 'float32' ? Float32Array : Uint16Array;
  dtype: D;
}

/**
 * A copy of features [rows x dim] as the bits of float16: half the memory of float32, 11 significant bits.
 * Each number is rounded once, to the nearest, ties to even (IEEE 754). Numbers of size 65,520 and more become
 * infinity, and those of size 2^-25 and less become zero. NaN stays NaN.
 *
 * Throws ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED for features that are none, or
 * that are on a device. ERR_OUT_OF_MEMORY where the system refuses the memory.
 */
export function toFloat16(features: HostFeatures): PackedOf<'float16'> {
  return converted('features', toHostMatrix('features', features), 'float16');
}

/**
 * A copy of features [rows x dim] as the bits of bfloat16: the range of float32 in half the memory, 8 significant
 * bits. Rounds as {@link toFloat16}, and throws as it does.
 */
export function toBFloat16(features: HostFeatures): PackedOf<'bfloat16'> {
  return converted('features', toHostMatrix('features', features), 'bfloat16');
}

/** A copy of features [rows x dim] as float32, which is exact. Throws as {@link toFloat16}. */
export function toFloat32(features: HostFeatures): PackedOf<'float32'> {
  return converted('features', toHostMatrix('features', features), 'float32');
}

/** Converts a checked matrix. `name` is for messages. Throws ERR_OUT_OF_MEMORY. */
export function converted<D extends DType>(name: string, matrix: NativeHostMatrix, dtype: D): PackedOf<D> {
  const { rows, dim, rowStride } = matrix;
  const [widen, round] = [toFloat32Pattern[matrix.dtype], fromFloat32Pattern[dtype]];
  const data = allocateElements(`a ${dtype} copy of ${name}`, rows * dim, dtype);
  const [from, into] = [patternsOf(matrix.data), patternsOf(data)];
  for (let row = 0; row < rows; row++) {
    const [begin, at] = [row * dim, row * rowStride];
    for (let d = 0; d < dim; d++) into[begin + d] = round(widen(from[at + d]!));
  }
  return { data, shape: [rows, dim], dtype } as PackedOf<D>;
}

/** The same memory as integers. */
function patternsOf(array: Float32Array | Uint16Array): Uint32Array | Uint16Array {
  const place = [bufferOf(array), byteOffsetOf(array), lengthOf(array)] as const;
  return array.BYTES_PER_ELEMENT === 2 ? new Uint16Array(...place) : new Uint32Array(...place);
}
