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
  /** Calls whose end is known. */
  private ended = 0;
  /** Whether the last of them failed, which it then did on all ranks. */
  private failed = false;

  constructor(private readonly refuse: Refuse) {}

  /**
   * Runs a call after the calls before it. A call that is aborted while it waits rejects at once, and keeps its place:
   * its turn is then a refusal.
   *
   * @param call Calls `succeed` where native code has done the work: an error after that is this rank's alone.
   */
  async run<T>(call: (succeed: () => void) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let started = false;
    let known = false;
    const end = (failed: boolean) => {
      if (!known) this.end(failed);
      known = true;
    };
    let left: { reason: unknown } | undefined;
    let reject!: (reason: unknown) => void;
    const leaving = new Promise<never>((_, rejectNow) => {
      reject = rejectNow;
    });
    const leave = (reason: unknown) => {
      left = { reason };
      end(true);
      reject(reason);
    };
    const turn = this.enter(async () => {
      try {
        if (left) throw left.reason;
        started = true;
        const result = await call(() => end(false));
        end(false);
        return result;
      } catch (error) {
        end(true);
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
    this.end(true);
    this.enter(() => this.refuse(error, false));
  }

  /**
   * A function that tells whether the last call since now failed on all ranks. It says no where there was none.
   */
  watch(): () => boolean {
    const before = this.ended;
    return () => this.ended > before && this.failed;
  }

  private end(failed: boolean): void {
    this.ended++;
    this.failed = failed;
  }

  /** Runs `work` when all turns before it are over. */
  enter<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => {});
    return turn;
  }
}
