/** Arrays that may be larger than the memory that the system gives. */

import { codedError } from '../errors';
import type { DType } from '../native/binding';

/**
 * What `make` makes. Throws ERR_OUT_OF_MEMORY where it throws.
 *
 * @param advice What the caller can do, for the message.
 */
export function allocate<T>(what: string, bytes: number, make: () => T, advice = 'pass fewer rows'): T {
  try {
    return make();
  } catch (error) {
    throw codedError('ERR_OUT_OF_MEMORY', `Cannot allocate ${bytes} bytes for ${what}: ${advice}`, error);
  }
}

/** Zeros of an element type; 16-bit types as their bits. Throws ERR_OUT_OF_MEMORY. */
export function allocateElements(
  what: string,
  elements: number,
  dtype: DType,
  advice?: string,
): Float32Array | Uint16Array {
  if (dtype === 'float32') return allocate(what, 4 * elements, () => new Float32Array(elements), advice);
  return allocate(what, 2 * elements, () => new Uint16Array(elements), advice);
}
