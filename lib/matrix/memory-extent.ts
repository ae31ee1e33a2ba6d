/**
 * A piece of memory by its addresses. Two objects may lie on one memory (a cloned SharedArrayBuffer, a WebAssembly memory
 * before and after it grew), so that only addresses tell whether they share some.
 *
 * Refuses to know what the memory is for.
 */

/** Bytes from `begin` up to `end` of a device, or of the host where `device` is undefined. */
export interface Extent {
  name: string;
  device: number | undefined;
  begin: number;
  end: number;
}

/** What a call reads and what of the caller's it writes. New outputs are not among it: nobody else knows of them. */
export interface CallMemory<T> {
  read: T[];
  written: T[];
}

export function overlap(a: Extent, b: Extent): boolean {
  return a.begin < b.end && b.begin < a.end && a.device === b.device;
}
