/**
 * One event listener per AbortSignal, for any number of calls that listen. Node takes the eleventh listener
 * on one signal for a leak and prints a warning.
 *
 * Refuses to trust a signal, which may be of a polyfill. The listener ignores its event. Errors of
 * `removeEventListener` are dropped, as the call that they would reach is already over.
 */

import { invalid } from './validate';

interface Watched {
  listeners: Set<() => void>;
  callAll: () => void;
}

/** Options of a listener, which inherit no property. */
const once = Object.freeze(Object.assign(Object.create(null), { once: true }));

const watchedSignals = new WeakMap<AbortSignal, Watched>();

/**
 * Calls `listener` once if `signal` aborts. Returns a function that stops listening, which never throws.
 * After the last one stops, no listener is left on the signal. Throws an error of `addEventListener`, or
 * ERR_TYPE without that method, and then listens to nothing.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {};
  // a new function for each call: a listener given twice is called twice and removed one at a time
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
  // with the first entry in it: a signal may call its listeners while they are added
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

/** After an abort as well, as not all polyfills know `once`. */
function remove(signal: AbortSignal, callAll: () => void): void {
  try {
    signal.removeEventListener('abort', callAll);
  } catch {
    // the listener stays on the signal, and its set of listeners is empty
  }
}

/** Removes and returns the entry of these listeners; undefined if a new call watches the signal anew. */
function forget(signal: AbortSignal, listeners: Set<() => void>): Watched | undefined {
  const watched = watchedSignals.get(signal);
  if (watched?.listeners !== listeners) return undefined;
  watchedSignals.delete(signal);
  return watched;
}

/**
 * Throws the signal's reason if the signal has aborted, an error of `throwIfAborted`, or ERR_TYPE without
 * that method.
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal) Reflect.apply(methodOf(signal, 'throwIfAborted'), signal, []);
}

/**
 * A method that was there when the arguments were checked. A signal that is no real AbortSignal may have lost
 * the method since.
 */
function methodOf(signal: AbortSignal, name: 'throwIfAborted' | 'addEventListener') {
  const method: unknown = signal[name];
  if (typeof method !== 'function') throw invalid('ERR_TYPE', `signal.${name}`, 'function', method);
  return method;
}

/** `signal.reason`, or the error of reading it. */
export function abortReason(signal: AbortSignal | undefined): unknown {
  try {
    return signal?.reason;
  } catch (error) {
    return error;
  }
}
