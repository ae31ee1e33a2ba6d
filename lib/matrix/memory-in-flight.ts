/**
 * Which memory the calls that wait or run read and write, so that no other call gets in their way: what one writes, no
 * other may read or write, and what one reads, no other may write.
 *
 * Refuses such a call at once, instead of letting it change the result of the first in silence. Sees the calls of its own
 * thread only: other threads that share memory have to agree among themselves.
 */

import { codedError, type InfclError } from '../errors';
import { type CallMemory, type Extent, overlap } from './memory-extent';

export class MemoryInFlight {
  /** Of each device, and of the host: no two overlap, so that a search finds the only candidate. By address. */
  private readonly written = new Map<number | undefined, Extent[]>();
  /** Calls may read the same memory: each extent once, with how many calls read it. */
  private readonly read = new Map<string, { extent: Extent; calls: number }>();

  /** Throws ERR_OVERLAP for a call that may not run beside those in flight. */
  check({ read, written }: CallMemory<Extent>): void {
    for (const extent of [...read, ...written]) this.refuseWritten(extent);
    for (const extent of written) this.refuseRead(extent);
  }

  /** Checks a call and takes its memory; the returned function gives the memory back when the call has settled. */
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

/** Of all calls of this thread, whichever functions they are made by. */
export const memoryInFlight = new MemoryInFlight();

const keyOf = ({ device, begin, end }: Extent) => `${device} ${begin} ${end}`;

/** How many of the sorted extents begin below this address. */
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
