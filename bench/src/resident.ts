/** Peak resident memory of this process, from /proc, which only Linux has. */
import { readFileSync, writeFileSync } from 'node:fs';

function statusBytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'));
  return Number(line![1]) * 1024;
}

export interface Growth {
  /** Bytes that one call adds to the resident memory before it, at its peak. */
  firstBytes: number;
  /** The same over `measuredCalls` calls: what a program meets that calls again and again. */
  laterBytes: number;
}

/** Allocators that plan for the next call have done so by the third one. */
const measuredCalls = 3;

/** Measures calls in a process that has made none yet. */
export async function measureGrowth<Result>(
  call: () => Result | Promise<Result>,
): Promise<Growth & { result: Result }> {
  writeFileSync('/proc/self/clear_refs', '5'); // VmHWM = VmRSS from here on
  const before = statusBytes('VmRSS');
  let result = await call();
  const firstBytes = statusBytes('VmHWM') - before;
  for (let calls = 1; calls < measuredCalls; calls++) result = await call();
  return { firstBytes, laterBytes: statusBytes('VmHWM') - before, result };
}
