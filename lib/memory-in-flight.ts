/**
 * Which memory the calls that wait or run read and write, so that no other call gets in their way: what one writes, no
 * other may read or write, and what one reads, no other may write.
 *
 * Refuses such a call at once, instead of letting it change the result of the first in silence. Sees the calls of its own
 * thread only: other threads that share memory have to agree among themselves.
 */

import { type CallMemory, type Extent, overlap } from './call-memory';
import { codedError } from './errors';

export class MemoryInFlight {
  private readonly read = new Set<Extent>();
  private readonly written = new Set<Extent>();

  /** Throws ERR_OVERLAP for a call that may not run beside those in flight. */
  check({ read, written }: CallMemory<Extent>): void {
    for (const extent of read) refuse(extent, this.written);
    for (const extent of written) {
      refuse(extent, this.written);
      refuse(extent, this.read);
    }
  }

  /** Checks a call and takes its memory; the returned function gives the memory back when the call has settled. */
  enter(memory: CallMemory<Extent>): () => void {
    this.check(memory);
    for (const extent of memory.read) this.read.add(extent);
    for (const extent of memory.written) this.written.add(extent);
    return () => {
      for (const extent of memory.read) this.read.delete(extent);
      for (const extent of memory.written) this.written.delete(extent);
    };
  }
}

function refuse(extent: Extent, taken: Set<Extent>): void {
  for (const other of taken) {
    if (!overlap(extent, other)) continue;
    throw codedError(
      'ERR_OVERLAP',
      `Expected ${extent.name} not to share memory with ${other.name} of a call that waits or runs: let that call settle first, ` +
        'or use separate arrays',
    );
  }
}
