/**
 * A piece of memory by its addresses. Two objects may be on one memory: a cloned SharedArrayBuffer, a
 * WebAssembly memory before and after it grew. So only addresses tell whether objects overlap.
 *
 * Refuses to know the purpose of the memory.
 */

/** Bytes from `begin` to before `end`, on a device, or on the host where `device` is undefined. */
export interface Extent {
  name: string;
  device: number | undefined;
  begin: number;
  end: number;
}

/**
 * The memory that a call reads, and the caller's memory that it writes. New outputs are not among it: no
 * other call knows them.
 */
export interface CallMemory<T> {
  read: T[];
  written: T[];
}

export function overlap(a: Extent, b: Extent): boolean {
  return a.begin < b.end && b.begin < a.end && a.device === b.device;
}
