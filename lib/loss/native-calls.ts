/**
 * The way of every asynchronous native call: its memory is entered among the calls in flight, the call waits
 * for its turn, and runs under supervision. The losses and the search go this way, so they share one queue for
 * each backend and device.
 *
 * Refuses to know what a call computes.
 */

import { fromNative } from '../errors';
import { type ProcessGroup, runInGroup } from '../group/process-group';
import type { CallMemory, Extent } from '../matrix/memory-extent';
import { MemoryInFlight, memoryInFlight } from '../matrix/memory-in-flight';
import type { BackendChoice } from '../native/binding';
import { type Memory, rememberBuffers } from './call-memory';
import { CallQueue } from './call-queue';
import type { Phase, Progress } from './options';
import { supervise } from './supervise';

/** One native call. */
export interface NativeCall<Response> {
  choice: BackendChoice;
  /** Takes turns with the calls of this group, and not with those of its backend. */
  group?: ProcessGroup | undefined;
  /** The words by which JavaScript watches and stops the call. */
  control: Int32Array;
  signal: AbortSignal | undefined;
  onProgress: ((done: Progress) => unknown) | undefined;
  /** The last phase of the call. */
  lastPhase: Phase;
  memory: CallMemory<Extent>;
  /** The caller's memory by the names of messages: none of it may be detached during the call. */
  buffers: Readonly<Record<string, Memory | null>>;
  start: () => Promise<Response>;
}

export class NativeCalls {
  /** One for each backend and device: calls on different ones run beside each other. */
  private readonly queues = new Map<string, CallQueue>();

  constructor(readonly inFlight = new MemoryInFlight()) {}

  /**
   * Rejects with `signal.reason`, an error of `onProgress`, ERR_OVERLAP, ERR_DETACHED, or the native error.
   */
  async run<Response>(native: NativeCall<Response>): Promise<Response> {
    const { choice, group, control, signal, onProgress, lastPhase, memory, buffers, start } = native;
    const leave = this.inFlight.enter(memory);
    try {
      const verify = rememberBuffers(buffers);
      const watch = { control, signal, onProgress, lastPhase };
      const call = (succeed = () => {}) => supervise(watch, () => restated(start, succeed));
      const { result, settled } = await (group
        ? runInGroup(group, call, signal)
        : this.queueOf(choice).run(() => call(), signal));
      verify();
      await settled();
      return result;
    } finally {
      leave();
    }
  }

  private queueOf({ backend, device }: BackendChoice): CallQueue {
    const name = `${backend} ${device}`;
    const queue = this.queues.get(name) ?? new CallQueue();
    this.queues.set(name, queue);
    return queue;
  }
}

/** The calls of all public functions of this thread. */
export const nativeCalls = new NativeCalls(memoryInFlight);

async function restated<T>(start: () => Promise<T>, succeed: () => void): Promise<T> {
  try {
    const response = await start();
    succeed();
    return response;
  } catch (error) {
    throw fromNative(error);
  }
}
