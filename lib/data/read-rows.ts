/**
 * Reads rows of an indexed file by their numbers, in any order. Rows that lie near each other are read together.
 *
 * Refuses to read more than the rows need, but for the small gaps between rows that are read together.
 */

import type { FileHandle } from 'node:fs/promises';
import { throwIfAborted } from '../on-abort';
import { readFully } from './file-identity';
import type { RowOffsets } from './row-offsets';

/** A read of as many bytes takes hardly longer than a read of none. */
const largestGap = 1024;
const largestRead = 2 ** 20;
/** As many as libuv has threads. */
const readsAtOnce = 4;

/** Rows that are read together: places in the list of the caller. */
interface Span {
  begin: number;
  end: number;
  places: number[];
}

/** The bytes of each row, in the order of `rows`, with line ends. Rejects with ERR_DATA or `signal.reason`. */
export async function readRowBytes(
  file: FileHandle,
  path: string,
  offsets: RowOffsets,
  rows: ArrayLike<number>,
  signal: AbortSignal | undefined,
): Promise<Buffer[]> {
  const found = new Array<Buffer>(rows.length);
  const spans = spansOf(offsets, rows);
  let next = 0;
  const work = async () => {
    while (next < spans.length) {
      const { begin, end, places } = spans[next++]!;
      throwIfAborted(signal);
      const bytes = Buffer.allocUnsafe(end - begin);
      await readFully(file, path, bytes, begin);
      for (const place of places) {
        const row = rows[place]!;
        found[place] = bytes.subarray(offsets.begin(row) - begin, offsets.end(row) - begin);
      }
    }
  };
  // all settle before the file is closed, also when one fails
  const results = await Promise.allSettled(Array.from({ length: readsAtOnce }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return found;
}

function spansOf(offsets: RowOffsets, rows: ArrayLike<number>): Span[] {
  const places = Array.from({ length: rows.length }, (_, i) => i);
  places.sort((a, b) => rows[a]! - rows[b]!);
  const spans: Span[] = [];
  for (const place of places) {
    const begin = offsets.begin(rows[place]!);
    const end = offsets.end(rows[place]!);
    const last = spans.at(-1);
    if (last && begin - last.end <= largestGap && end - last.begin <= largestRead) {
      last.end = Math.max(last.end, end);
      last.places.push(place);
    } else {
      spans.push({ begin, end, places: [place] });
    }
  }
  return spans;
}
