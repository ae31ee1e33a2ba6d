/**
 * Promises from callers' callbacks, which may be of another library.
 *
 * Refuses to call any method of such an object but `then`.
 */

/** For a promise that no code waits for: its rejection would end the process. */
export function ignoreRejection(returned: PromiseLike<unknown>): void {
  adopt(returned).catch(() => {});
}

/**
 * A promise of our own, unlike Promise.resolve, which may return the caller's. Methods that a caller has put
 * on its promise are never called, except `then`.
 */
export function adopt(returned: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve) => resolve(returned));
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
