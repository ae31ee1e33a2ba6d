/**
 * Promises of others: what a callback returned may be a promise of another library.
 *
 * Refuses to call methods of such an object but `then`.
 */

/** For a promise that nobody waits for: its rejection would end the process. */
export function ignoreRejection(returned: PromiseLike<unknown>): void {
  adopt(returned).catch(() => {});
}

/** Unlike Promise.resolve, a promise of our own: methods that somebody has put on theirs are called for nothing. */
export function adopt(returned: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve) => resolve(returned));
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
