/**
 * The order of a group's calls on one rank. A call of a group waits for the same call of every other rank. So calls run
 * in the order in which they were made, and a call that fails before the others have come is refused there too.
 *
 * Refuses to know what a call is, and how ranks exchange messages.
 */

import { abortReason, onAbort, throwIfAborted } from '../on-abort';

/** Takes part in a call of the other ranks, to end it. `started`: the call reached native code, and failed there. */
type Refuse = (error: unknown, started: boolean) => void;

export class GroupTurns {
  /** Settles when the turns of the calls so far are over. Never rejects. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly refuse: Refuse) {}

  /**
   * Runs a call after the calls before it. A call that is aborted while it waits rejects at once, and keeps its place:
   * its turn is then a refusal.
   */
  async run<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let started = false;
    let left: { reason: unknown } | undefined;
    let reject!: (reason: unknown) => void;
    const leaving = new Promise<never>((_, rejectNow) => {
      reject = rejectNow;
    });
    const leave = (reason: unknown) => {
      left = { reason };
      reject(reason);
    };
    const turn = this.enter(async () => {
      try {
        if (left) throw left.reason;
        started = true;
        return await call();
      } catch (error) {
        this.refuse(error, started);
        throw error;
      }
    });
    let stopListening = () => {};
    try {
      throwIfAborted(signal);
      stopListening = onAbort(signal, () => {
        if (!started) leave(abortReason(signal));
      });
    } catch (error) {
      leave(error);
    }
    try {
      return await Promise.race([turn, leaving]);
    } finally {
      stopListening();
    }
  }

  /** Takes the turn of a call that cannot be made. */
  refuseNext(error: unknown): void {
    this.enter(() => this.refuse(error, false));
  }

  /** Runs `work` when all turns before it are over. */
  enter<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => {});
    return turn;
  }
}
