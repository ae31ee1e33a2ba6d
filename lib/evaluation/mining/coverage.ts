/**
 * Which keys have come so far, where keys come in parts. Neighbouring parts become one run, so parts in order
 * take no memory however many they are.
 *
 * Refuses a key that comes twice, and keys that never come.
 */

import { codedError } from '../../errors';

interface Run {
  begin: number;
  end: number;
}

export class Coverage {
  /** By their begin. No two touch. */
  private readonly runs: Run[] = [];

  /** Throws ERR_CHUNKS for a key that has come before. */
  add({ name, firstKey, rows }: { name: string; firstKey: number; rows: number }): void {
    let [begin, end] = [firstKey, firstKey + rows];
    const at = this.runs.findIndex((run) => run.end >= begin);
    const first = at < 0 ? this.runs.length : at;
    let last = first;
    for (; last < this.runs.length && this.runs[last]!.begin <= end; last++) {
      const run = this.runs[last]!;
      if (run.begin < firstKey + rows && run.end > firstKey) {
        const again = Math.max(run.begin, firstKey);
        throw codedError(
          'ERR_CHUNKS',
          `Expected each key in one part but key ${again}, in ${name}, has come before: firstKey is the index of the first key of a part`,
        );
      }
      begin = Math.min(begin, run.begin);
      end = Math.max(end, run.end);
    }
    this.runs.splice(first, last - first, { begin, end });
  }

  /** Throws ERR_CHUNKS unless all keys from 0 to the last one have come, and at least one. */
  requireWhole(): void {
    const [first, second] = this.runs;
    if (first === undefined)
      throw codedError('ERR_CHUNKS', 'Expected at least one part of keys but received none');
    if (first.begin === 0 && second === undefined) return;
    const missing = first.begin > 0 ? 0 : first.end;
    const next = first.begin > 0 ? first.begin : second!.begin;
    throw codedError(
      'ERR_CHUNKS',
      `Expected each key in one part but keys ${missing} to ${next - 1} are in none: firstKey is the index of the first key of a part`,
    );
  }
}
