/**
 * Calls a caller's `onProgress` and keeps its first error: one that it throws, or the rejection of a
 * promise that it returns. Both count, so that an `async` function cannot end the process with an
 * unhandled rejection.
 *
 * Refuses to stop the work: `failed` tells the owner of the work, who stops it.
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

  /** Never throws. After an error, `onProgress` is not called again. */
  report(done: Progress): void {
    if (!this.onProgress || this.thrown) return;
    try {
      const returned = this.onProgress(done);
      if (isThenable(returned)) this.follow(returned);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Throws the first error of `onProgress`, or of its promises, so far. */
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

/**
 * Calls `onProgress` once, after a blocking call. Throws an error of `onProgress`, and ERR_TYPE if it returns
 * a promise.
 */
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
