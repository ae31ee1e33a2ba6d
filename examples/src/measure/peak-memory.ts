/**
 * How far a piece of work raises the resident memory of this process above what it held before. On Linux the
 * kernel's high-water mark is set back first, so that loading code and making data do not count; elsewhere it cannot
 * be, and the number is an upper bound. Refuses to guess what part of it is garbage.
 */

import { readFileSync, writeFileSync } from 'node:fs';

export interface PeakMeter {
  /** Resident memory when the meter was made. */
  readonly beforeBytes: number;
  /** Bytes of growth up to the highest point since the meter was made. */
  growthBytes(): number;
}

export function startPeakMeter(): PeakMeter {
  const linux = process.platform === 'linux';
  // "5" is the kernel's command for: the peak so far is what is resident now
  if (linux) writeFileSync('/proc/self/clear_refs', '5');
  const before = process.memoryUsage.rss();
  return {
    beforeBytes: before,
    growthBytes() {
      const peak = linux ? highWaterMark() : process.resourceUsage().maxRSS * 1024;
      return Math.max(0, peak - before);
    },
  };
}

function highWaterMark(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
