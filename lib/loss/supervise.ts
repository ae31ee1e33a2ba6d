/**
 * Watches over one running native call through its three control words: tells it to stop when its caller aborts or the
 * process exits, and reports how far it is.
 *
 * Refuses to settle before native work has stopped: until then arrays are being written. Whatever a caller's
 * `onProgress` throws, or rejects with, stops the call and is what the promise rejects with.
 */

import timers from 'node:timers';
import { Control } from '../native/binding';
import { onAbort, throwIfAborted } from './on-abort';
import type { Phase, Progress } from './options';
import { ProgressReporter } from './progress';

// Taken when this file loads: a test that fakes the global timers must not stop the reports of progress.
const { setInterval, clearInterval } = timers;

const pollMilliseconds = 50;

export interface Watch {
  control: Int32Array;
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => unknown) | undefined;
  /** The phase whose end is the end of the call. */
  lastPhase: Phase;
}

export interface Supervised<T> {
  result: T;
  /** Waits for the promises that `onProgress` returned. Rejects with the first error of one. */
  settled: () => Promise<void>;
}

/**
 * Runs `start` and watches over it. What `settled` waits for is a caller's own affair, which may be another call: that is
 * why the queue goes on before it.
 */
export async function supervise<T>(watch: Watch, start: () => Promise<T>): Promise<Supervised<T>> {
  const { control, signal, onProgress, lastPhase } = watch;
  let timer: NodeJS.Timeout | undefined;
  const stop = () => void Atomics.store(control, Control.abort, 1);
  const progress = new ProgressReporter(onProgress, () => {
    clearInterval(timer);
    stop();
  });
  // first, as it may throw, and then there must be nothing to clean up
  const stopListening = onAbort(signal, stop);
  process.once('exit', stop);
  if (onProgress) {
    timer = setInterval(() => progress.report(readProgress(control, lastPhase)), pollMilliseconds).unref();
  }
  let result: T;
  try {
    result = await start();
  } catch (error) {
    // once stopped from here, the native error is only the echo of that
    progress.throwIfFailed();
    throwIfAborted(signal);
    throw error;
  } finally {
    clearInterval(timer);
    stopListening();
    process.removeListener('exit', stop);
  }
  // stopped too late for the native side to notice: the caller is told all the same
  progress.throwIfFailed();
  throwIfAborted(signal);
  progress.report({ fraction: 1, phase: lastPhase });
  progress.throwIfFailed();
  return { result, settled: () => progress.settled() };
}

/** One word tells phase and fraction: steps are counted on from the forward into the backward pass. */
function readProgress(control: Int32Array, lastPhase: Progress['phase']): Progress {
  const total = Atomics.load(control, Control.total);
  const done = Atomics.load(control, Control.done);
  if (total === 0) return { fraction: 0, phase: 'forward' };
  if (done < total || lastPhase === 'forward') return { fraction: done / total, phase: 'forward' };
  return { fraction: done / total - 1, phase: 'backward' };
}
