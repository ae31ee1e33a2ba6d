/**
 * Long work in JavaScript, cut into slices. Between slices the event loop takes its other turns, and the
 * signal is looked at.
 *
 * Refuses to time anything: the caller says how many operations an item takes.
 */

import { type Rows, requireAttached } from '../matrix/read-rows';
import { throwIfAborted } from '../on-abort';

/** About 20 ms. */
const operationsOfSlice = 2 ** 24;

/** Items from 0 to `count`, in order, and the operations that each one takes. */
export interface Work {
  count: number;
  operationsEach: number;
  /** Features of the caller that the work reads: they must be there in every slice. */
  reads: readonly Rows[];
  signal: AbortSignal | undefined;
}

/** Calls `work` with the bounds of each slice. Rejects with `signal.reason` or ERR_DETACHED. */
export async function inSlices(
  { count, operationsEach, reads, signal }: Work,
  work: (begin: number, end: number) => void,
): Promise<void> {
  const step = Math.max(1, Math.floor(operationsOfSlice / operationsEach));
  for (let begin = 0; begin < count; begin += step) {
    throwIfAborted(signal);
    reads.forEach(requireAttached);
    work(begin, Math.min(begin + step, count));
    await new Promise((resolve) => setImmediate(resolve));
  }
  throwIfAborted(signal);
}
