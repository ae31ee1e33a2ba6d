/**
 * Watches over one running native call through its three control words: tells it to stop when its caller aborts or the
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
      onProgress?.(readProgress(control, lastPhase));
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

/** One word tells phase and fraction: steps are counted on from the forward into the backward lap. */
function readProgress(control: Int32Array, lastPhase: Progress['phase']): Progress {
  const total = Atomics.load(control, Control.total);
  const done = Atomics.load(control, Control.done);
  if (total === 0) return { fraction: 0, phase: 'forward' };
  if (done < total || lastPhase === 'forward') return { fraction: done / total, phase: 'forward' };
  return { fraction: done / total - 1, phase: 'backward' };
}
