/**
 * One event listener per AbortSignal, however many calls wait on it: Node takes the eleventh on one signal for a leak
 * and prints a warning.
 */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` once if `signal` aborts. Returns how to stop listening; after the last one the signal is left clean. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {};
  const listeners = listenersOf.get(signal) ?? watch(signal);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) unwatch(signal);
  };
}

const callAll = (event: Event) => {
  const signal = event.currentTarget as AbortSignal;
  const listeners = listenersOf.get(signal) ?? [];
  listenersOf.delete(signal);
  for (const listener of listeners) listener();
};

function watch(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', callAll, { once: true });
  return listeners;
}

function unwatch(signal: AbortSignal): void {
  listenersOf.delete(signal);
  signal.removeEventListener('abort', callAll);
}
