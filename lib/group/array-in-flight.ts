/**
 * The array of a collective call while the call waits or runs: no other call may write it meanwhile, and it may not be
 * transferred away.
 */

import { codedError } from '../errors';
import { memoryInFlight } from '../matrix/memory-in-flight';
import type { CollectiveArray, NativeBinding } from '../native/binding';
import { lengthOf } from '../typed-array';

/**
 * Enters the array among the memory of calls in flight. Returns a function for the end of the call, which throws
 * ERR_DETACHED where the array has lost its memory. Throws ERR_OVERLAP.
 */
export function enterArray(
  array: CollectiveArray,
  written: boolean,
  binding: Pick<NativeBinding, 'memoryAddress'>,
): { leave: () => void; verify: () => void } {
  const length = lengthOf(array);
  if (length === 0) return { leave: () => {}, verify: () => {} };
  const begin = binding.memoryAddress(array);
  const end = begin + length * array.BYTES_PER_ELEMENT;
  const extent = { name: 'values', device: undefined, begin, end };
  const leave = memoryInFlight.enter({ read: written ? [] : [extent], written: written ? [extent] : [] });
  const verify = () => {
    if (lengthOf(array) !== length)
      throw codedError('ERR_DETACHED', 'The buffer of values was detached while the call ran');
  };
  return { leave, verify };
}
