/**
 * First come, first served: one native call at a time per environment. A call already uses every processor, so a
 * second one beside it gains nothing and doubles the scratch memory.
 *
 * Refuses priorities, and knows nothing of what it runs. A call aborted while it waits leaves the queue at once.
 */

import { onAbort } from './on-abort';

export class CallQueue {
  private busy = false;
  /** Insertion order is the order of service. */
  private readonly waiting = new Set<() => void>();

  /** Starts `task` in this tick when the queue is idle. Rejects with `signal.reason` if aborted before its turn. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.busy) await this.turn(signal);
    this.busy = true;
    try {
      // again: an abort may come between being admitted and going on
      signal?.throwIfAborted();
      return await task();
    } finally {
      this.next();
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        stopListening();
        resolve();
      };
      const stopListening = onAbort(signal, () => {
        this.waiting.delete(admit);
        reject(signal?.reason);
      });
      this.waiting.add(admit);
    });
  }

  /** Hands the queue on without letting go of it, so that a newcomer cannot slip in before the next in line. */
  private next(): void {
    for (const admit of this.waiting) {
      this.waiting.delete(admit);
      admit();
      return;
    }
    this.busy = false;
  }
}
