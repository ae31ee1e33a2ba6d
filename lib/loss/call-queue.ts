/**
 * A queue of native calls, first come, first served: one call runs at a time. A call already uses every
 * processor. A second one beside it gains nothing and doubles the scratch memory.
 *
 * Refuses priorities, and knows nothing of its tasks. A call that is aborted while it waits leaves the queue
 * at once. No code of a caller's signal runs between taking out a waiter and settling its promise. So a
 * signal that throws cannot stop the queue or reject another call.
 */

import { abortReason, onAbort, throwIfAborted } from '../on-abort';

export class CallQueue {
  private busy = false;
  /** Insertion order is the order of service. */
  private readonly waiting = new Set<() => void>();

  /**
   * Starts `task` in this tick when the queue is idle. Rejects with `signal.reason` if aborted before
   * its turn.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    if (this.busy) await this.turn(signal);
    this.busy = true;
    try {
      // again: an abort may come between leaving the queue and starting the task
      throwIfAborted(signal);
      return await task();
    } finally {
      this.next();
    }
  }

  private async turn(signal: AbortSignal | undefined): Promise<void> {
    let admit!: () => void;
    let leave!: (reason: unknown) => void;
    const admitted = new Promise<void>((resolve, reject) => {
      admit = resolve;
      leave = reject;
    });
    // first, as a signal may call its listener at once
    this.waiting.add(admit);
    let stopListening = () => {};
    try {
      stopListening = onAbort(signal, () => {
        if (this.waiting.delete(admit)) leave(abortReason(signal));
      });
    } catch (error) {
      if (this.waiting.delete(admit)) leave(error);
    }
    try {
      await admitted;
    } finally {
      stopListening();
    }
  }

  /** Admits the next waiter without setting `busy` to false, so that a new call cannot come before it. */
  private next(): void {
    for (const admit of this.waiting) {
      this.waiting.delete(admit);
      admit();
      return;
    }
    this.busy = false;
  }
}
