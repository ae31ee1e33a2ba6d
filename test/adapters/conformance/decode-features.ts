/** Features that an encoder returned, as numbers. */
import type { MatrixLike } from '../../../lib';
import { fromFloat16 } from '../../reference/narrow';

/** Elements of a Float32Array, a Float16Array, or of bits that say that they are float16. */
export function decodeFeatures({ data, dtype }: MatrixLike): number[] {
  if (!(data instanceof Uint16Array)) return Array.from(data as ArrayLike<number>);
  expect(dtype).toBe('float16');
  return Array.from(data, fromFloat16);
}
