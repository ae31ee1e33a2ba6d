/**
 * Returns to the event loop for one turn. Node hears signals such as Ctrl-C in such turns only, and neither plain loops
 * nor the promises of jax-js give any. Refuses to decide how often: callers do it several times a second.
 */

import { setImmediate } from 'node:timers/promises';

/** Rejects with `signal.reason` when the signal is aborted, also in this very turn. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
