/**
 * Calls a caller's `onProgress` and keeps the first error of it: one that it throws, or one that a promise it returned
 * rejects with. Both are treated alike, so that an `async` function cannot end the process with an unhandled rejection.
 *
 * Refuses to decide what an error stops: `failed` tells its owner, who stops the work.
 */

import { codedError } from '../errors';
import { adopt, ignoreRejection, isThenable } from '../thenable';

export class ProgressReporter<Progress> {
  private thrown: { error: unknown } | undefined;
  private readonly pending = new Set<Promise<void>>();

  constructor(
    private readonly onProgress: ((done: Progress) => unknown) | undefined,
    /** Called once, with the first error. */
    private readonly failed: () => void = () => {},
  ) {}

  /** Never throws. After an error `onProgress` is not called any more. */
  report(done: Progress): void {
    if (!this.onProgress || this.thrown) return;
    try {
      const returned = this.onProgress(done);
      if (isThenable(returned)) this.follow(returned);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Throws the error that `onProgress` has thrown, or rejected with, so far. */
  throwIfFailed(): void {
    if (this.thrown) throw this.thrown.error;
  }

  /** Waits for all promises that `onProgress` returned. Rejects with its first error. */
  async settled(): Promise<void> {
    while (this.pending.size > 0 && !this.thrown) await Promise.race(this.pending);
    this.throwIfFailed();
  }

  private follow(returned: PromiseLike<unknown>): void {
    const ended: Promise<void> = adopt(returned)
      .then(
        () => {},
        (error) => this.fail(error),
      )
      .finally(() => this.pending.delete(ended));
    this.pending.add(ended);
  }

  private fail(error: unknown): void {
    if (this.thrown) return;
    this.thrown = { error };
    this.failed();
  }
}

/** Once, after a blocking call. Throws what `onProgress` throws, and ERR_TYPE where it returns a promise. */
export function reportBlocking<Progress>(
  onProgress: ((done: Progress) => unknown) | undefined,
  done: Progress,
): void {
  const returned = onProgress?.(done);
  if (!isThenable(returned)) return;
  ignoreRejection(returned);
  throw codedError(
    'ERR_TYPE',
    'Expected no promise from options.onProgress of a blocking call but received one: use the function that returns a ' +
      'promise, or an onProgress that is not async',
  );
}
