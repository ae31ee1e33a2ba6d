/**
 * Cuts a file into blocks of whole records. A record is a row as bytes: a line, or several lines where a quoted
 * field has line feeds. Blank lines are no records.
 *
 * Refuses to know columns. Checks what holds for every format: UTF-8, no NUL, closed quotes, rows of a sane length.
 */

import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { throwIfAborted } from '../on-abort';
import { dataError } from './data-error';

/** Some records, one after the other. */
export interface Records {
  bytes: Buffer;
  /** First byte of each record within `bytes`, and the byte after its last one, without the line end. */
  begins: number[];
  ends: number[];
  /** Names a record in messages, as "pairs.tsv:12". */
  where(record: number): string;
}

/** Records of a file as it is read from its begin to its end. */
export interface FileRecords extends Records {
  /** First byte of `bytes` within the file. */
  offset: number;
}

export interface RecordSource {
  file: FileHandle;
  path: string;
  /** Whether a double quote opens a field that may contain line feeds. */
  quoted: boolean;
  signal: AbortSignal | undefined;
  /** Sees all bytes of the file, in order. */
  onBytes(bytes: Buffer): void;
}

const [lineFeed, carriageReturn, doubleQuote] = [0x0a, 0x0d, 0x22];
const blockBytes = 2 ** 20;
/** A longer row is no text: a quote was left open, or the file is of another kind. */
export const longestRecord = 16 * 2 ** 20;
const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);

/** Yields blocks of about a mebibyte. Rejects with ERR_DATA or `signal.reason`. */
export async function* readRecords(source: RecordSource): AsyncGenerator<FileRecords> {
  const { file, path, quoted, signal, onBytes } = source;
  const scanner = new Scanner(quoted);
  const block = Buffer.allocUnsafe(blockBytes);
  let bytes: Buffer = Buffer.alloc(0);
  let offset = 0;
  let position = 0;
  for (;;) {
    throwIfAborted(signal);
    const { bytesRead } = await file.read(block, 0, blockBytes, position);
    const read = block.subarray(0, bytesRead);
    const isFirst = position === 0;
    position += bytesRead;
    onBytes(read);
    bytes = Buffer.concat([bytes, read]);
    if (isFirst && bytes.subarray(0, 3).equals(byteOrderMark)) {
      bytes = bytes.subarray(3);
      offset = 3;
    }
    const atEnd = bytesRead === 0;
    const { begins, ends, lines, scanned } = scanner.scan(bytes, atEnd, path);
    const done = bytes.subarray(0, scanned);
    const records = { bytes: done, begins, ends, offset, where: (i: number) => `${path}:${lines[i]}` };
    requireText(records);
    if (begins.length > 0) yield records;
    if (atEnd) return;
    bytes = bytes.subarray(scanned);
    offset += scanned;
    if (bytes.length > longestRecord) throw tooLong(`${path}:${scanner.line}`, quoted);
  }
}

function tooLong(where: string, quoted: boolean): Error {
  const why = quoted ? 'a quote is left open here, or the file is no text' : 'the file is no text';
  return dataError(where, `Expected rows of at most ${longestRecord} bytes but this one is longer: ${why}`);
}

/** Finds the ends of records. Keeps the place in an unfinished record between blocks. */
class Scanner {
  /** The line of the first byte that is not yet part of a record, counted from 1. */
  line = 1;
  /** What is known of the unfinished record: bytes looked at, line feeds among them, and whether a quote is open. */
  private seen = 0;
  private feeds = 0;
  private open = false;

  constructor(private readonly quoted: boolean) {}

  /** The records that end within `bytes`, which begin with a record. */
  scan(bytes: Buffer, atEnd: boolean, path: string) {
    const begins: number[] = [];
    const ends: number[] = [];
    const lines: number[] = [];
    let begin = 0;
    while (begin < bytes.length) {
      let end = this.quoted ? this.quotedEnd(bytes, begin) : bytes.indexOf(lineFeed, begin + this.seen);
      if (end < 0 && !atEnd) {
        this.seen = bytes.length - begin;
        break;
      }
      if (this.open) throw dataError(`${path}:${this.line}`, 'a quote is left open to the end of the file');
      if (end < 0) end = bytes.length;
      if (end - begin > longestRecord) throw tooLong(`${path}:${this.line}`, this.quoted);
      const last = end > begin && bytes[end - 1] === carriageReturn ? end - 1 : end;
      if (last > begin) {
        begins.push(begin);
        ends.push(last);
        lines.push(this.line);
      }
      this.line += this.feeds + 1;
      begin = end + 1;
      this.seen = this.feeds = 0;
    }
    return { begins, ends, lines, scanned: Math.min(begin, bytes.length) };
  }

  /** The next line feed outside of quotes, or -1. A doubled quote closes and opens, which comes to the same. */
  private quotedEnd(bytes: Buffer, begin: number): number {
    for (let i = begin + this.seen; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === doubleQuote) this.open = !this.open;
      else if (byte === lineFeed) {
        if (!this.open) return i;
        this.feeds++;
      }
    }
    return -1;
  }
}

/** Refuses bytes that are not UTF-8, and NULs, which UTF-16 without a mark has beside each ASCII character. */
function requireText({ bytes, begins, ends, where }: Records): void {
  if (isUtf8(bytes) && !bytes.includes(0)) return;
  const bytesOf = (i: number) => bytes.subarray(begins[i], ends[i]);
  const bad = begins.findIndex((_, i) => !isUtf8(bytesOf(i)) || bytesOf(i).includes(0));
  const received = bytesOf(bad).includes(0) ? 'a NUL, as UTF-16 has' : 'other bytes';
  throw dataError(
    where(bad),
    `Expected UTF-8 but received ${received}: save the file as UTF-8, or convert the file with iconv`,
  );
}
