/**
 * Watches one running native call through its three control words. Tells the call to stop when its caller
 * aborts or the process exits, and reports its progress.
 *
 * Refuses to settle before native work has stopped: until then native code writes the outputs. An error or
 * rejection of `onProgress` stops the call, and the promise rejects with it.
 */

import timers from 'node:timers';
import { Control } from '../native/binding';
import { onAbort, throwIfAborted } from '../on-abort';
import type { Phase, Progress } from './options';
import { ProgressReporter } from './progress';

// Taken when this file loads: a test that fakes the global timers must not stop the progress reports.
const { setInterval, clearInterval } = timers;

const pollMilliseconds = 50;

interface Watch {
  control: Int32Array;
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => unknown) | undefined;
  /** The last phase of the call. */
  lastPhase: Phase;
}

export interface Supervised<T> {
  result: T;
  /** Waits for the promises that `onProgress` returned. Rejects with their first error. */
  settled: () => Promise<void>;
}

/**
 * Runs `start` and watches it. Does not wait for promises of `onProgress`: such a promise may wait for
 * another call, so the queue must go on first. `settled` waits for them.
 */
export async function supervise<T>(watch: Watch, start: () => Promise<T>): Promise<Supervised<T>> {
  const { control, signal, onProgress, lastPhase } = watch;
  let timer: NodeJS.Timeout | undefined;
  const stop = () => void Atomics.store(control, Control.abort, 1);
  const progress = new ProgressReporter(onProgress, () => {
    clearInterval(timer);
    stop();
  });
  // first, as it may throw: there must be nothing to clean up yet
  const stopListening = onAbort(signal, stop);
  process.once('exit', stop);
  if (onProgress) {
    timer = setInterval(() => progress.report(readProgress(control, lastPhase)), pollMilliseconds).unref();
  }
  let result: T;
  try {
    result = await start();
  } catch (error) {
    // after a stop from here, the native error only says that the call was stopped
    progress.throwIfFailed();
    throwIfAborted(signal);
    throw error;
  } finally {
    clearInterval(timer);
    stopListening();
    process.removeListener('exit', stop);
  }
  // a stop that came too late for native code is still an error for the caller
  progress.throwIfFailed();
  throwIfAborted(signal);
  progress.report({ fraction: 1, phase: lastPhase });
  progress.throwIfFailed();
  return { result, settled: () => progress.settled() };
}

/** `done` tells phase and fraction: the backward pass continues the count of the forward pass. */
function readProgress(control: Int32Array, lastPhase: Progress['phase']): Progress {
  const total = Atomics.load(control, Control.total);
  const done = Atomics.load(control, Control.done);
  if (total === 0) return { fraction: 0, phase: 'forward' };
  if (done < total || lastPhase === 'forward') return { fraction: done / total, phase: 'forward' };
  return { fraction: done / total - 1, phase: 'backward' };
}
