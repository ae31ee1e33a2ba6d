/**
 * The group of ranks that a call belongs to, and the order of its calls. A call of a group waits for the same call of
 * every other rank. So a call that fails here before native code begins is refused there too: otherwise the other
 * ranks would wait for it.
 *
 * Refuses to know how ranks exchange messages; the handle of native code knows.
 */

import { types } from 'node:util';
import { codedError } from '../errors';
import type { GroupHandle, NativeBinding } from '../native/binding';
import { invalid } from '../validate';
import { abortReason, onAbort, throwIfAborted } from './on-abort';

/** The place of one rank, as native code made it. */
interface RankPlace {
  handle: GroupHandle;
  rank: number;
  size: number;
}

/** What this package does with a group, and no caller can. */
let access: {
  has: (value: object) => value is ProcessGroup;
  make: (place: RankPlace, binding: NativeBinding) => ProcessGroup;
  handle: (group: ProcessGroup) => GroupHandle;
  run: <T>(group: ProcessGroup, call: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;
  refuse: (group: ProcessGroup, error: unknown) => void;
};

/**
 * One rank of a group. Every rank makes the same calls in the same order, each with its own rows. The option `group` of
 * `contrastiveLoss` and `contrastiveLossAndGrad` takes it. `threadGroups` makes groups.
 */
export class ProcessGroup {
  /** This rank, from 0 to `size` - 1. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  readonly #handle: GroupHandle;
  readonly #binding: NativeBinding;
  /** Settles when the turns of the calls so far are over. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  static {
    access = {
      has: (value): value is ProcessGroup => #handle in value,
      make: (place, binding) => new ProcessGroup(place, binding),
      handle: (group) => group.#open(),
      run: (group, call, signal) => group.#run(call, signal),
      refuse: (group, error) => group.#enter(() => group.#refuse(error, false)),
    };
  }

  private constructor({ handle, rank, size }: RankPlace, binding: NativeBinding) {
    this.#handle = handle;
    this.#binding = binding;
    this.rank = rank;
    this.size = size;
  }

  /**
   * Gives back the threads of this rank, after its calls have settled. Calls of other ranks that still need this rank
   * are rejected with ERR_RANK_FAILED. A second close does nothing.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    this.#binding.closeGroup(this.#handle);
  }

  #open(): GroupHandle {
    if (this.#closed) throw codedError('ERR_DISPOSED', 'The group was closed on this rank');
    return this.#handle;
  }

  /**
   * Runs a call after the calls before it. A call that is aborted while it waits rejects at once, and keeps its place:
   * its turn is then a refusal.
   */
  async #run<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    let started = false;
    let left: { reason: unknown } | undefined;
    let reject!: (reason: unknown) => void;
    const leaving = new Promise<never>((_, rejectNow) => {
      reject = rejectNow;
    });
    const leave = (reason: unknown) => {
      left = { reason };
      reject(reason);
    };
    const turn = this.#enter(async () => {
      try {
        if (left) throw left.reason;
        started = true;
        return await call();
      } catch (error) {
        this.#refuse(error, started);
        throw error;
      }
    });
    let stopListening = () => {};
    try {
      throwIfAborted(signal);
      stopListening = onAbort(signal, () => {
        if (!started) leave(abortReason(signal));
      });
    } catch (error) {
      leave(error);
    }
    try {
      return await Promise.race([turn, leaving]);
    } finally {
      stopListening();
    }
  }

  /** Runs `work` when all turns before it are over. */
  #enter<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Does not wait for the others, who may never come. Native code runs refusals and calls in order. */
  #refuse(error: unknown, started: boolean): void {
    const message = error instanceof Error ? error.message : String(error);
    try {
      this.#binding.refuseGroupCall({ group: this.#handle, message, started }).catch(() => {});
    } catch {
      // the group was closed meanwhile, and the others know
    }
  }
}

export const makeGroup = (place: RankPlace, binding: NativeBinding): ProcessGroup =>
  access.make(place, binding);

/** Runs a call of a group in its turn. */
export const runInGroup = <T>(
  group: ProcessGroup,
  call: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> => access.run(group, call, signal);

/** Takes part in the next call of a group for a call that did not begin, and ends it on all ranks. */
export const refuseInGroup = (group: ProcessGroup, error: unknown): void => access.refuse(group, error);

/** The option `group` of a call; null without one. Throws ERR_TYPE, or ERR_DISPOSED for a closed group. */
export function resolveGroup(group: unknown): GroupHandle | null {
  if (group === undefined) return null;
  if (!isGroup(group)) {
    throw invalid(
      'ERR_TYPE',
      'options.group',
      'ProcessGroup, such as those of threadGroups in infcl/distributed',
      group,
    );
  }
  return access.handle(group);
}

/** The group among options that may be wrong in any way. Runs no code of the caller. */
export function groupAmong(options: unknown): ProcessGroup | undefined {
  if (typeof options !== 'object' || options === null || types.isProxy(options)) return undefined;
  const group: unknown = Object.getOwnPropertyDescriptor(options, 'group')?.value;
  return isGroup(group) ? group : undefined;
}

function isGroup(value: unknown): value is ProcessGroup {
  return typeof value === 'object' && value !== null && access.has(value);
}
