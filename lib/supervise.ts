/**
 * Watches over one running native call through its four control words: tells it to stop when its caller aborts or the
 * process exits, and reports how far it is.
 *
 * Refuses to settle before native work has stopped: until then arrays are being written. Whatever a caller's
 * `onProgress` throws stops the call and is what the promise rejects with.
 */

import type { Progress } from './contrastive-options';
import { Control } from './native/binding';
import { onAbort } from './on-abort';

const pollMilliseconds = 50;

export interface Watch {
  control: Int32Array;
  signal?: AbortSignal;
  onProgress?: (done: Progress) => void;
  /** The phase whose end is the end of the call. */
  lastPhase: Progress['phase'];
}

export async function supervise<T>(watch: Watch, start: () => Promise<T>): Promise<T> {
  const { control, signal, onProgress, lastPhase } = watch;
  const stop = () => void Atomics.store(control, Control.abort, 1);
  let thrown: { error: unknown } | undefined;
  const poll = () => {
    try {
      onProgress?.(readProgress(control));
    } catch (error) {
      thrown ??= { error };
      clearInterval(timer);
      stop();
    }
  };
  const timer = onProgress && setInterval(poll, pollMilliseconds).unref();
  const stopListening = onAbort(signal, stop);
  process.once('exit', stop);
  let result: T;
  try {
    result = await start();
  } catch (error) {
    // once stopped from here, the native error is only the echo of that
    if (thrown) throw thrown.error;
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
    stopListening();
    process.removeListener('exit', stop);
  }
  // stopped too late for the native side to notice: the caller is told all the same
  if (thrown) throw thrown.error;
  signal?.throwIfAborted();
  onProgress?.({ fraction: 1, phase: lastPhase });
  return result;
}

/** Between phases the words may be read half updated, hence the clamp. */
function readProgress(control: Int32Array): Progress {
  const total = Atomics.load(control, Control.total);
  const done = Atomics.load(control, Control.done);
  return {
    fraction: total > 0 ? Math.min(done / total, 1) : 0,
    phase: Atomics.load(control, Control.phase) === 0 ? 'forward' : 'backward',
  };
}
