/**
 * A data set in a file: pairs of a query and its key, or triplets and more, with hard negatives. The texts stay in
 * the file until somebody reads them.
 *
 * Refuses to know batches and the order of rows.
 */

import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { throwIfAborted } from '../on-abort';
import * as check from '../validate';
import type { CheckedDatasetOptions, DatasetOptions } from './dataset-options';
import { checkDatasetOptions } from './dataset-options';
import { withFile } from './file-identity';
import { type FileIndex, indexFile } from './index-file';
import { type ParsedRow, pickColumns } from './parse-rows';
import { readRowBytes } from './read-rows';
import { readRowNumbers } from './row-numbers';
import { type TextBatch, toBatch } from './text-batch';

/** What a data set tells about itself, and its rows. {@link openDataset} makes it. */
export interface TextDataset {
  readonly name: string;
  readonly path: string;
  /** The number of rows: pairs or triplets. */
  readonly rows: number;
  /** Hard negatives of each row; 0 for pairs. */
  readonly perQuery: number;
  /** Whether rows have labels. */
  readonly labelled: boolean;
  /** Names of the text columns, query first; undefined where the file has no names. */
  readonly columns: readonly string[] | undefined;
  /**
   * Reads rows by their numbers from 0, in the order given. A number may occur twice.
   *
   * Rejects with ERR_TYPE or ERR_VALUE for numbers that are no rows, with ERR_DATA if the file has changed since
   * it was opened, and with `signal.reason`.
   */
  read(rows: ArrayLike<number>, options?: { signal?: AbortSignal | undefined }): Promise<TextBatch>;
}

/** About as many bytes are parsed between two turns of the event loop. */
const bytesAtOnce = 2 ** 20;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** The one implementation. `textBatches` also uses what the interface does not show. */
export class FileDataset implements TextDataset {
  readonly name: string;
  readonly path: string;
  readonly rows: number;
  readonly perQuery: number;
  readonly labelled: boolean;
  readonly columns: readonly string[] | undefined;
  readonly #options: CheckedDatasetOptions;
  readonly #index: FileIndex;
  /** Numbers of the rows within the file, undefined for all of them. */
  readonly #chosen: Int32Array | undefined;

  constructor(options: CheckedDatasetOptions, index: FileIndex, chosen?: Int32Array) {
    const { texts, names, label } = index.columns;
    this.name = options.name;
    this.path = options.path;
    this.rows = chosen?.length ?? index.offsets.rows;
    this.#chosen = chosen;
    this.perQuery = texts.length - 2;
    this.labelled = label !== undefined;
    this.columns = names && texts.map((place) => names[place]!);
    this.#options = options;
    this.#index = index;
    Object.freeze(this);
  }

  static is(value: unknown): value is FileDataset {
    return typeof value === 'object' && value !== null && #index in value;
  }

  get checksum(): number {
    const { checksum } = this.#index;
    const chosen = this.#chosen;
    if (chosen === undefined) return checksum;
    return crc32(Buffer.from(chosen.buffer, chosen.byteOffset, chosen.byteLength), checksum);
  }

  /** A data set of some rows. @param rows Numbers of rows of this data set. */
  part(name: string, rows: Int32Array): FileDataset {
    return new FileDataset(
      { ...this.#options, name: `${this.name}, ${name}` },
      this.#index,
      this.#inFile(rows),
    );
  }

  #inFile(rows: Int32Array): Int32Array {
    const chosen = this.#chosen;
    return chosen === undefined ? rows : rows.map((row) => chosen[row]!);
  }

  async read(
    rows: ArrayLike<number>,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<TextBatch> {
    const { numbers, signal } = readRowNumbers(rows, options, this.rows);
    return toBatch(this, numbers, await this.parse(numbers, signal));
  }

  /** The rows of these numbers, which must be rows. */
  async parse(numbers: Int32Array, signal: AbortSignal | undefined): Promise<ParsedRow[]> {
    const { path } = this;
    const rows = this.#inFile(numbers);
    const { identity, offsets } = this.#index;
    const bytes = await withFile(path, identity, (file) => readRowBytes(file, path, offsets, rows, signal));
    const parsed: ParsedRow[] = [];
    for (let begin = 0; begin < bytes.length; ) {
      throwIfAborted(signal);
      let end = begin;
      for (let sum = 0; end < bytes.length && sum < bytesAtOnce; end++) sum += bytes[end]!.length;
      for (const row of this.#parseGroup(rows.subarray(begin, end), bytes.slice(begin, end)))
        parsed.push(row);
      begin = end;
      if (begin < bytes.length) await setImmediate();
    }
    return parsed;
  }

  /** The rows as one piece of text, so that the parser is called once. */
  #parseGroup(numbers: Int32Array, bytes: Buffer[]): ParsedRow[] {
    const begins: number[] = [];
    const ends: number[] = [];
    const pieces: Buffer[] = [];
    let length = 0;
    for (const row of bytes) {
      const text = withoutLineEnds(row);
      begins.push(length);
      ends.push(length + text.length);
      pieces.push(text, lineEnd);
      length += text.length + lineEnd.length;
    }
    const where = (i: number) => `${this.path}, row ${numbers[i]}`;
    const rows = this.#options.format.parse({ bytes: Buffer.concat(pieces, length), begins, ends, where });
    return rows.map((row, i) => pickColumns(where(i), row, this.#index.columns));
  }
}

const lineEnd = Buffer.of(lineFeed);

/** Without the line end of the row, and without the blank lines after the row. */
function withoutLineEnds(row: Buffer): Buffer {
  let end = row.length;
  while (end > 0 && (row[end - 1] === lineFeed || row[end - 1] === carriageReturn)) end--;
  return row.subarray(0, end);
}

/**
 * Opens a file of pairs (query, key), or of triplets and more (query, key, hard negatives): TSV, CSV or JSON Lines.
 * Columns are those of sentence-transformers. Reads the file once, checks every row, and keeps 8 bytes a row.
 *
 * Rejects with ERR_TYPE, ERR_VALUE or ERR_OPTION for wrong arguments, before the file is opened. Rejects with
 * ERR_DATA for content that cannot be used, with the file and the line: bad UTF-8, ragged rows, empty texts,
 * missing columns, broken JSON, values of the wrong type, open quotes. Errors of the file system and
 * `signal.reason` arrive as they are.
 */
export async function openDataset(path: string, options?: DatasetOptions): Promise<TextDataset> {
  const checked = checkDatasetOptions(path, options);
  throwIfAborted(checked.signal);
  return new FileDataset(checked, await indexFile(checked));
}

/** The data set behind the interface. Throws ERR_TYPE for any other value. */
export function requireDataset(name: string, value: unknown): FileDataset {
  if (FileDataset.is(value)) return value;
  throw check.invalid('ERR_TYPE', name, 'data set that openDataset made', value);
}
