/** Options that several functions of this folder have. Each is checked before any work. */

import { readNames } from '../read-names';
import * as check from '../validate';

/** An option of every function that returns a promise. */
export interface SignalOption {
  /** Stops the work at its next slice; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of functions whose work the CPU backend does. */
export interface EngineOptions extends SignalOption {
  /** Threads of the CPU, default as many as this process may use. Results do not depend on this number. */
  threads?: number | undefined;
}

/** More than any machine has, as in the loss functions. */
const mostThreads = 1024;

/**
 * The options by name, `signal` and `threads` checked. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION.
 */
export function readOptionsOf<Name extends string>(
  options: unknown,
  names: readonly Name[],
): Record<Name, unknown> & EngineOptions {
  const given = readNames('options', options === undefined ? {} : options, names) as Record<Name, unknown> &
    Record<string, unknown>;
  const { signal, threads } = given;
  if (signal !== undefined) check.abortSignal('options.signal', signal);
  if (threads !== undefined) check.positiveInteger('options.threads', threads, mostThreads);
  return given as Record<Name, unknown> & EngineOptions;
}
