/**
 * First come, first served: one native call at a time per environment. A call already uses every processor, so a
 * second one beside it gains nothing and doubles the scratch memory.
 *
 * Refuses priorities, and knows nothing of what it runs. A call aborted while it waits leaves the queue at once. No code
 * of a caller's signal runs between the moment a waiter is taken out and the moment its promise is settled: a signal
 * that throws can therefore neither stop the queue nor reject another call.
 */

import { abortReason, onAbort, throwIfAborted } from './on-abort';

export class CallQueue {
  private busy = false;
  /** Insertion order is the order of service. */
  private readonly waiting = new Set<() => void>();

  /** Starts `task` in this tick when the queue is idle. Rejects with `signal.reason` if aborted before its turn. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    if (this.busy) await this.turn(signal);
    this.busy = true;
    try {
      // again: an abort may come between being admitted and going on
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
    // before the signal is asked for anything: it may call its listener at once
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
