/**
 * A turn of the event loop for code that would otherwise hold it: jax-js answers from the microtask queue, and plain
 * loops give no turn at all. Signals such as Ctrl-C are heard in such turns only. Refuses to decide how often; a caller
 * takes a turn after each tenth of a second of work or so.
 */

import { setImmediate } from 'node:timers/promises';

/** Rejects with `signal.reason` when the signal is aborted, also in this very turn. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
