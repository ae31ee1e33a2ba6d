/** Arrays for keys and their scores, k for each query: no key anywhere, which is -1 with -Infinity. */

import { allocate } from '../../matrix/allocate';

/** [queries × k] each. Throws ERR_OUT_OF_MEMORY. */
export function allocateKeys(
  what: string,
  queries: number,
  k: number,
): { indices: Int32Array; scores: Float32Array } {
  return allocate(
    `${what}, ${k} of ${queries} queries`,
    queries * k * 8,
    () => ({
      indices: new Int32Array(queries * k).fill(-1),
      scores: new Float32Array(queries * k).fill(Number.NEGATIVE_INFINITY),
    }),
    'pass fewer queries, a smaller count or a smaller range',
  );
}
