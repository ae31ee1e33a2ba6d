/**
 * A ProcessGroup over MPI: checks arguments, and hands calls to the addon in the order in which they were made.
 *
 * Refuses to keep the other ranks waiting: where an argument is wrong, they get an error too.
 */

import { codedError, fromNative } from '../errors';
import type {
  CollectiveArray,
  CollectiveRequest,
  NativeBinding,
  NativeGroup,
  Reduction,
} from '../native/binding';
import { enterArray } from './array-in-flight';
import {
  type CollectiveValues,
  emptyRequest,
  newArrayLike,
  readOperation,
  readRoot,
  readValues,
} from './collective-request';
import type { ProcessGroup, ReducibleArray } from './process-group';

/** What a group needs of the addon. */
export type GroupBinding = Pick<NativeBinding, 'callGroup' | 'closeGroup' | 'memoryAddress'>;

/** A call whose arguments were checked. */
interface Checked<T> {
  values?: CollectiveValues;
  writes: boolean;
  fields: Partial<Pick<CollectiveRequest, 'operation' | 'root' | 'into'>>;
  result: T;
}

export class MpiGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly binding: GroupBinding,
    private readonly native: NativeGroup,
    readonly timeout: number,
    private readonly onClosed: () => void = () => {},
  ) {
    this.rank = native.rank;
    this.size = native.size;
  }

  allReduce<T extends ReducibleArray>(values: T, operation: Reduction = 'sum'): Promise<T> {
    return this.call('allReduce', () => ({
      values: readValues(values, ['float32', 'float64', 'int32']),
      writes: true,
      fields: { operation: readOperation(operation) },
      result: values,
    }));
  }

  broadcast<T extends CollectiveArray>(values: T, root = 0): Promise<T> {
    return this.call('broadcast', () => ({
      values: readValues(values),
      writes: true,
      fields: { root: readRoot(root, this.size) },
      result: values,
    }));
  }

  allGather<T extends CollectiveArray>(values: T): Promise<T> {
    return this.call('allGather', () => {
      const mine = readValues(values);
      const into = newArrayLike(mine, this.size);
      return { values: mine, writes: false, fields: { into }, result: into as T };
    });
  }

  barrier(): Promise<void> {
    return this.call('barrier', () => ({ writes: false, fields: {}, result: undefined }));
  }

  close(): Promise<void> {
    this.closing ??= restated(() => this.binding.closeGroup(this.native.handle)).finally(this.onClosed);
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async call<T>(name: CollectiveRequest['call'], read: () => Checked<T>): Promise<T> {
    if (this.closing) throw codedError('ERR_DISPOSED', `The group was closed before this call of ${name}`);
    const { handle } = this.native;
    const request: CollectiveRequest = { ...emptyRequest, call: name };
    let checked: Checked<T>;
    let entered: ReturnType<typeof enterArray> | undefined;
    try {
      checked = read();
      if (checked.values) entered = enterArray(checked.values.array, checked.writes, this.binding);
    } catch (error) {
      // The caller has its error already. This call tells the other ranks, and nobody waits for its end.
      this.binding.callGroup(handle, { ...request, refusal: (error as Error).message }).catch(() => {});
      throw error;
    }
    try {
      const { values, fields, result } = checked;
      const own = values && { values: values.array, dtype: values.dtype };
      await restated(() => this.binding.callGroup(handle, { ...request, ...own, ...fields }));
      entered?.verify();
      return result;
    } finally {
      entered?.leave();
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
