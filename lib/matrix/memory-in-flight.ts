/**
 * The memory that calls in flight (waiting or running) read and write. No two calls in flight may write the
 * same memory, and no call may write memory that another reads.
 *
 * Refuses a call that would break this rule at once, so that it cannot silently change another's result.
 * Knows the calls of its own thread only: threads that share memory must agree among themselves.
 */

import { codedError, type InfclError } from '../errors';
import { type CallMemory, type Extent, overlap } from './memory-extent';

export class MemoryInFlight {
  /**
   * Written extents of each device, and of the host, by address. No two overlap, so a search finds the
   * only candidate.
   */
  private readonly written = new Map<number | undefined, Extent[]>();
  /** Read extents, each once, with the number of calls that read it: calls may read the same memory. */
  private readonly read = new Map<string, { extent: Extent; calls: number }>();

  /** Throws ERR_OVERLAP for a call that must not run beside the calls in flight. */
  check({ read, written }: CallMemory<Extent>): void {
    for (const extent of [...read, ...written]) this.refuseWritten(extent);
    for (const extent of written) this.refuseRead(extent);
  }

  /**
   * Checks a call and enters its memory. The returned function removes the memory when the call has settled.
   */
  enter(memory: CallMemory<Extent>): () => void {
    this.check(memory);
    for (const extent of memory.read) {
      const entry = this.read.get(keyOf(extent)) ?? { extent, calls: 0 };
      entry.calls++;
      this.read.set(keyOf(extent), entry);
    }
    for (const extent of memory.written) {
      const list = this.writtenOn(extent.device);
      list.splice(countBelow(list, extent.begin), 0, extent);
    }
    return () => this.leave(memory);
  }

  private leave(memory: CallMemory<Extent>): void {
    for (const extent of memory.read) {
      const entry = this.read.get(keyOf(extent))!;
      entry.calls--;
      if (entry.calls === 0) this.read.delete(keyOf(extent));
    }
    for (const extent of memory.written) {
      const list = this.writtenOn(extent.device);
      list.splice(countBelow(list, extent.begin), 1);
    }
  }

  private writtenOn(device: number | undefined): Extent[] {
    const list = this.written.get(device) ?? [];
    this.written.set(device, list);
    return list;
  }

  private refuseWritten(extent: Extent): void {
    const list = this.writtenOn(extent.device);
    const last = list[countBelow(list, extent.end) - 1];
    if (last && overlap(extent, last)) throw conflict(extent, last);
  }

  private refuseRead(extent: Extent): void {
    for (const { extent: other } of this.read.values()) {
      if (overlap(extent, other)) throw conflict(extent, other);
    }
  }
}

/** Memory of all calls of this thread, from all functions. */
export const memoryInFlight = new MemoryInFlight();

const keyOf = ({ device, begin, end }: Extent) => `${device} ${begin} ${end}`;

/** The number of sorted extents that begin below this address. */
function countBelow(sorted: readonly Extent[], address: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.begin < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

function conflict(extent: Extent, other: Extent): InfclError {
  return codedError(
    'ERR_OVERLAP',
    `Expected ${extent.name} not to share memory with ${other.name} of a call that waits or runs: let that call settle first, ` +
      'or use separate arrays',
  );
}
