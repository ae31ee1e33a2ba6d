/**
 * One event listener per AbortSignal, however many calls wait on it: Node takes the eleventh on one signal for a leak
 * and prints a warning.
 *
 * Refuses to trust a signal, which may be of a polyfill: the listener does not look at its event, and what
 * `removeEventListener` throws is nobody's error, as the call it would reach is already over.
 */

import { invalid } from '../validate';

interface Watched {
  listeners: Set<() => void>;
  callAll: () => void;
}

/** Options of a listener, which inherit none. */
const once = Object.freeze(Object.assign(Object.create(null), { once: true }));

const watchedSignals = new WeakMap<AbortSignal, Watched>();

/**
 * Calls `listener` once if `signal` aborts. Returns how to stop listening, which never throws; after the last one the
 * signal is left clean. Throws what `addEventListener` throws, or ERR_TYPE, and then listens to
 * nothing.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {};
  // a function of its own, so that one that is given twice is called twice and removed once
  const entry = () => listener();
  const known = watchedSignals.get(signal);
  known?.listeners.add(entry);
  const { listeners } = known ?? watch(signal, entry);
  return () => {
    listeners.delete(entry);
    if (listeners.size === 0) unwatch(signal, listeners);
  };
}

function watch(signal: AbortSignal, first: () => void): Watched {
  // with the first one in it already: a signal may call its listeners while they are added
  const listeners = new Set([first]);
  const callAll = () => {
    forget(signal, listeners);
    for (const listener of listeners) listener();
    remove(signal, callAll);
  };
  const watched = { listeners, callAll };
  watchedSignals.set(signal, watched);
  try {
    Reflect.apply(methodOf(signal, 'addEventListener'), signal, ['abort', callAll, once]);
  } catch (error) {
    forget(signal, listeners);
    throw error;
  }
  return watched;
}

function unwatch(signal: AbortSignal, listeners: Set<() => void>): void {
  const watched = forget(signal, listeners);
  if (watched) remove(signal, watched.callAll);
}

/** After an abort as well: polyfills do not all know `once`. */
function remove(signal: AbortSignal, callAll: () => void): void {
  try {
    signal.removeEventListener('abort', callAll);
  } catch {
    // the listener stays on the signal and has nobody left to call
  }
}

/** What was watched with these listeners, unless somebody has begun to watch the signal anew. */
function forget(signal: AbortSignal, listeners: Set<() => void>): Watched | undefined {
  const watched = watchedSignals.get(signal);
  if (watched?.listeners !== listeners) return undefined;
  watchedSignals.delete(signal);
  return watched;
}

/** Throws the signal's reason if the signal has aborted, what the method throws, or ERR_TYPE without the method. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal) Reflect.apply(methodOf(signal, 'throwIfAborted'), signal, []);
}

/** A method that was there when the arguments were checked. A signal that is no AbortSignal may have lost the method since. */
function methodOf(signal: AbortSignal, name: 'throwIfAborted' | 'addEventListener') {
  const method: unknown = signal[name];
  if (typeof method !== 'function') throw invalid('ERR_TYPE', `signal.${name}`, 'function', method);
  return method;
}

/** `signal.reason`, or what reading it throws. */
export function abortReason(signal: AbortSignal | undefined): unknown {
  try {
    return signal?.reason;
  } catch (error) {
    return error;
  }
}
