/** Arrays for keys and their scores, k for each query: no key anywhere, which is -1 with -Infinity. */

import { codedError } from '../../errors';

/** [queries × k] each. Throws ERR_OUT_OF_MEMORY. */
export function allocateKeys(
  what: string,
  queries: number,
  k: number,
): { indices: Int32Array; scores: Float32Array } {
  try {
    return {
      indices: new Int32Array(queries * k).fill(-1),
      scores: new Float32Array(queries * k).fill(Number.NEGATIVE_INFINITY),
    };
  } catch (error) {
    throw codedError(
      'ERR_OUT_OF_MEMORY',
      `Cannot allocate ${queries * k * 8} bytes for ${what}, ${k} of ${queries} queries: ` +
        'pass fewer queries, a smaller count or a smaller range',
      error,
    );
  }
}
