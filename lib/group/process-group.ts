/**
 * One rank of a group, as programs see it: threads of this process, or processes that a launcher started. All ranks
 * make the same calls in the same order.
 *
 * A call of one rank that the others do not make in the same way is refused on all ranks: each rank first tells the
 * others which call it makes. After such a refusal the group goes on. After a failure of a rank, every later call ends
 * with the text of that failure.
 *
 * Refuses to know how ranks exchange messages; the handle of native code knows.
 */

import { types } from 'node:util';
import { codedError, fromNative } from '../errors';
import type {
  CollectiveArray,
  CollectiveRequest,
  GroupHandle,
  NativeBinding,
  Reduction,
} from '../native/binding';
import { invalid } from '../validate';
import { enterArray } from './array-in-flight';
import {
  type CollectiveValues,
  emptyRequest,
  newArrayLike,
  readOperation,
  readRoot,
  readValues,
} from './collective-request';
import { GroupTurns } from './turns';

export type { CollectiveArray, Reduction };

/** Arrays whose values can be reduced. */
export type ReducibleArray = Float32Array | Float64Array | Int32Array;

/** What a group needs of the addon. */
export type GroupBinding = Pick<
  NativeBinding,
  'callGroup' | 'closeGroup' | 'refuseGroupCall' | 'memoryAddress'
>;

/** The place of one rank, as native code made it. */
export interface RankPlace {
  handle: GroupHandle;
  rank: number;
  size: number;
  /** Milliseconds. Absent: ranks wait without end. */
  timeout?: number;
  /** Called when the group has closed. */
  onClosed?: () => void;
}

/** A collective call whose arguments were checked. */
interface Checked<T> {
  values?: CollectiveValues;
  writes: boolean;
  fields: Partial<Pick<CollectiveRequest, 'operation' | 'root' | 'into'>>;
  result: T;
}

/** What this package does with a group, and no caller can. */
let access: {
  has: (value: object) => value is ProcessGroup;
  make: (place: RankPlace, binding: GroupBinding) => ProcessGroup;
  handle: (group: ProcessGroup) => GroupHandle;
  turns: (group: ProcessGroup) => GroupTurns;
};

/**
 * One rank of a group. `threadGroups` of infcl/distributed makes groups of threads, `mpi` of infcl/mpi a group of
 * processes. The option `group` of `contrastiveLoss`, `contrastiveLossAndGrad` and `chunkedStep` takes either.
 *
 * The docs of a method name its own errors. All methods have ERR_RANK_FAILED, and ERR_DISPOSED after `close`.
 */
export class ProcessGroup {
  /** This rank, from 0 to `size` - 1. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /**
   * Milliseconds that a call waits while nothing moves. Then the call ends with ERR_RANK_FAILED. Undefined for threads,
   * which wait without end.
   */
  readonly timeout: number | undefined;
  readonly #place: RankPlace;
  readonly #binding: GroupBinding;
  readonly #turns = new GroupTurns((error, started) => this.#refuse(error, started));
  #closing: Promise<void> | undefined;

  static {
    access = {
      has: (value): value is ProcessGroup => #place in value,
      make: (place, binding) => new ProcessGroup(place, binding),
      handle: (group) => group.#open(),
      turns: (group) => group.#turns,
    };
  }

  private constructor(place: RankPlace, binding: GroupBinding) {
    this.#place = place;
    this.#binding = binding;
    this.rank = place.rank;
    this.size = place.size;
    this.timeout = place.timeout;
  }

  /**
   * Replaces `values` on all ranks by their sum, minimum or maximum over the ranks, element by element, and
   * resolves to `values`. All ranks get the same bits. A sum of float32 is made in float64, in the order of ranks,
   * and rounded once. A sum of int32 wraps around. NaN on one rank is NaN on all.
   *
   * Errors: ERR_TYPE, ERR_VALUE, ERR_BUFFER, ERR_DETACHED, ERR_OVERLAP for arguments; ERR_SHAPE, ERR_VALUE where ranks
   * differ. After these errors `values` is as before. ERR_RANK_FAILED may leave a part of it replaced.
   */
  allReduce<T extends ReducibleArray>(values: T, operation: Reduction = 'sum'): Promise<T> {
    return this.#call('allReduce', () => ({
      values: readValues(values, ['float32', 'float64', 'int32']),
      writes: true,
      fields: { operation: readOperation(operation) },
      result: values,
    }));
  }

  /**
   * Replaces `values` on all ranks by those of rank `root` (default 0), and resolves to `values`. Errors as
   * allReduce.
   */
  broadcast<T extends CollectiveArray>(values: T, root = 0): Promise<T> {
    return this.#call('broadcast', () => ({
      values: readValues(values),
      writes: true,
      fields: { root: readRoot(root, this.size) },
      result: values,
    }));
  }

  /** A new array with the values of all ranks, one rank after another: [size * values.length]. Errors as allReduce. */
  allGather<T extends CollectiveArray>(values: T): Promise<T> {
    return this.#call('allGather', () => {
      const mine = readValues(values);
      const into = newArrayLike(mine, this.size);
      return { values: mine, writes: false, fields: { into }, result: into as T };
    });
  }

  /** Resolves when all ranks have called it. */
  barrier(): Promise<void> {
    return this.#call('barrier', () => ({ writes: false, fields: {}, result: undefined }));
  }

  /**
   * Gives back what the rank has, after its calls have settled. A second call returns the same promise.
   *
   * A rank that is a process waits until all ranks close the group or end, then ends MPI; a process can open one group
   * in its life. A rank that is a thread ends at once, and calls of other ranks that still need it are rejected with
   * ERR_RANK_FAILED.
   */
  close(): Promise<void> {
    const { handle, onClosed } = this.#place;
    this.#closing ??= this.#turns
      .enter(() => restated(async () => this.#binding.closeGroup(handle)))
      .finally(onClosed);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): GroupHandle {
    if (this.#closing) throw codedError('ERR_DISPOSED', 'The group was closed on this rank');
    return this.#place.handle;
  }

  async #call<T>(call: CollectiveRequest['call'], read: () => Checked<T>): Promise<T> {
    const handle = this.#open();
    let checked: Checked<T>;
    let entered: ReturnType<typeof enterArray> | undefined;
    try {
      checked = read();
      if (checked.values) entered = enterArray(checked.values.array, checked.writes, this.#binding);
    } catch (error) {
      this.#turns.refuseNext(error);
      throw error;
    }
    try {
      const { values, fields, result } = checked;
      const own = values && { values: values.array, dtype: values.dtype };
      const request: CollectiveRequest = { ...emptyRequest, call, ...own, ...fields };
      await this.#turns.run(() => restated(() => this.#binding.callGroup(handle, request)));
      entered?.verify();
      return result;
    } finally {
      entered?.leave();
    }
  }

  /** Does not wait for the others, who may never come. Native code runs refusals and calls in order. */
  #refuse(error: unknown, started: boolean): void {
    const message = error instanceof Error ? error.message : String(error);
    try {
      this.#binding.refuseGroupCall(this.#place.handle, { message, started }).catch(() => {});
    } catch {
      // the group was closed meanwhile, and the others know
    }
  }
}

async function restated<T>(native: () => Promise<T>): Promise<T> {
  try {
    return await native();
  } catch (error) {
    throw fromNative(error);
  }
}

export const makeGroup = (place: RankPlace, binding: GroupBinding): ProcessGroup =>
  access.make(place, binding);

/** Runs a call of a group in its turn. The call tells `succeed` where native code has done the work. */
export const runInGroup = <T>(
  group: ProcessGroup,
  call: (succeed: () => void) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> => access.turns(group).run(call, signal);

/** A function that tells whether the last call of a group since now failed on all ranks. */
export const watchFailures = (group: ProcessGroup): (() => boolean) => access.turns(group).watch();

/** Takes part in the next call of a group for a call that did not begin, and ends it on all ranks. */
export const refuseInGroup = (group: ProcessGroup, error: unknown): void =>
  access.turns(group).refuseNext(error);

/** The option `group` of a call; null without one. Throws ERR_TYPE, or ERR_DISPOSED for a closed group. */
export function resolveGroup(group: unknown): GroupHandle | null {
  if (group === undefined) return null;
  if (!isGroup(group)) {
    throw invalid(
      'ERR_TYPE',
      'options.group',
      'ProcessGroup, such as those of threadGroups in infcl/distributed and mpi in infcl/mpi',
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
