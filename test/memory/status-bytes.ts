/** Resident memory of this process, now and at most. Linux only. */
import { readFileSync } from 'node:fs';

export function statusBytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'));
  return Number(line![1]) * 1024;
}
