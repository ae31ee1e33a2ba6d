/**
 * The options of `openDataset`, read once and checked before the file is opened.
 *
 * Refuses options that do not belong to the format of the file.
 */

import { basename, extname } from 'node:path';
import { isArray } from '../describe';
import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { WantedColumns } from './columns';
import { type CsvParser, csvFormat } from './format-csv';
import { jsonlFormat } from './format-jsonl';
import { plainTsvFormat } from './format-tsv';
import type { RowFormat } from './row-format';

export type DatasetFormat = 'tsv' | 'csv' | 'jsonl';

export interface DatasetOptions {
  /** By default the ending of the path decides: `.tsv`, `.tab`, `.csv`, `.jsonl`, `.ndjson`. */
  format?: DatasetFormat | undefined;
  /**
   * Whether the first row has the names of the columns. Needed for tsv and csv, unless `columns` has names, which
   * only a header can have. JSON Lines has no header.
   */
  header?: boolean | undefined;
  /**
   * The columns of the query, its key and its hard negatives, in this order, by name or by number from 0. By default all
   * columns but the label, in the order of the file.
   */
  columns?: readonly (string | number)[] | undefined;
  /**
   * The column of numbers that belong to the rows. By default the column named label, labels, score or scores, if
   * there is one. false: no column.
   */
  label?: string | number | false | undefined;
  /**
   * tsv only: whether fields may be in quotes (then `parser` is needed), or quotes are part of the texts. Needed
   * where a field begins with a quote.
   */
  quotes?: boolean | undefined;
  /** `parse` of the package `csv-parse/sync`. Needed for csv, and for tsv with quoted fields. */
  parser?: CsvParser | undefined;
  /** Names the data set in batches and in saved positions. By default the name of the file. */
  name?: string | undefined;
  /** Stops the reading; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

export interface CheckedDatasetOptions {
  path: string;
  name: string;
  format: RowFormat;
  header: boolean;
  wanted: WantedColumns;
  signal: AbortSignal | undefined;
}

const names = ['format', 'header', 'columns', 'label', 'quotes', 'parser', 'name', 'signal'] as const;
type Given = Record<(typeof names)[number], unknown>;

const formatOfEnding: Record<string, DatasetFormat> = {
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function checkDatasetOptions(path: unknown, options: unknown): CheckedDatasetOptions {
  if (typeof path !== 'string') throw check.invalid('ERR_TYPE', 'path', 'string', path);
  if (path === '') throw check.invalid('ERR_VALUE', 'path', 'path of a file', path);
  const given: Given = readNames('options', options === undefined ? {} : options, names);
  const format = formatOf(path, given.format);
  const name = given.name === undefined ? basename(path) : text('options.name', given.name);
  const wanted = { columns: checkColumns(given.columns), label: checkLabel(given.label) };
  if (wanted.columns?.some((column) => column === wanted.label)) {
    throw codedError(
      'ERR_VALUE',
      `Expected options.label that is none of options.columns but received ${wanted.label}`,
    );
  }
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  const header = checkHeader(format, given.header, wanted);
  return { path, name, format: makeFormat(format, given), header, wanted, signal };
}

function formatOf(path: string, value: unknown): DatasetFormat {
  if (value !== undefined) return check.oneOf('options.format', value, ['tsv', 'csv', 'jsonl']);
  const ending = extname(path).toLowerCase();
  if (Object.hasOwn(formatOfEnding, ending)) return formatOfEnding[ending]!;
  const packed = ['.gz', '.bz2', '.xz', '.zst', '.zip'].includes(ending) ? '; unpack the file first' : '';
  throw check.invalid(
    'ERR_OPTION',
    'options.format',
    `one of tsv, csv, jsonl, as the ending ${ending || '(none)'} of the path says nothing,`,
    undefined,
    packed,
  );
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw check.invalid('ERR_TYPE', name, 'string', value);
  if (value === '') throw check.invalid('ERR_VALUE', name, 'a text', value);
  return value;
}

function checkColumn(name: string, value: unknown): string | number {
  return typeof value === 'number' ? check.nonNegativeInteger(name, value) : text(name, value);
}

/** More columns than any file of texts has. */
const mostColumns = 10_000;

function checkColumns(value: unknown): WantedColumns['columns'] {
  if (value === undefined) return undefined;
  if (!isArray(value)) throw check.invalid('ERR_TYPE', 'options.columns', 'array of names or numbers', value);
  if (value.length < 2 || value.length > mostColumns) {
    throw codedError(
      'ERR_VALUE',
      `Expected at least two options.columns, the query and its key, but received ${value.length}`,
    );
  }
  const columns = Array.from(value, (column, i) => checkColumn(`options.columns[${i}]`, column));
  const kinds = new Set(columns.map((column) => typeof column));
  if (kinds.size > 1) {
    throw codedError('ERR_TYPE', 'Expected options.columns to be all names or all numbers but received both');
  }
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) {
    throw codedError('ERR_VALUE', `Expected different options.columns but received ${twice} twice`);
  }
  return columns;
}

function checkLabel(value: unknown): WantedColumns['label'] {
  if (value === undefined || value === false) return value;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw check.invalid('ERR_TYPE', 'options.label', 'name or number of a column, or false,', value);
  }
  return checkColumn('options.label', value);
}

function checkHeader(format: DatasetFormat, value: unknown, { columns, label }: WantedColumns): boolean {
  const named = typeof columns?.[0] === 'string' || typeof label === 'string';
  const header = value === undefined ? undefined : check.boolean('options.header', value);
  if (format === 'jsonl') {
    if (header === undefined) return false;
    throw codedError(
      'ERR_OPTION',
      'Expected no options.header for jsonl, whose rows have names of their own',
    );
  }
  if (header === false && named) {
    throw codedError(
      'ERR_OPTION',
      'Expected numbers for options.columns and options.label, as there is no header',
    );
  }
  if (header === undefined && !named) {
    throw codedError(
      'ERR_OPTION',
      `Expected options.header for ${format}: true if the first row has the names of the columns, false if it has texts`,
    );
  }
  return header ?? true;
}

function makeFormat(format: DatasetFormat, { quotes, parser }: Given): RowFormat {
  const quoted = quotes === undefined ? undefined : check.boolean('options.quotes', quotes);
  if (quoted !== undefined && format !== 'tsv') {
    throw codedError(
      'ERR_OPTION',
      `Expected no options.quotes for ${format}: only tsv is written in both ways`,
    );
  }
  const needsParser = format === 'csv' || quoted === true;
  if (!needsParser) {
    if (parser !== undefined) {
      throw codedError(
        'ERR_OPTION',
        'Expected no options.parser for this file: only csv, and tsv with quotes: true, use one',
      );
    }
    return format === 'jsonl' ? jsonlFormat : plainTsvFormat(quoted === false);
  }
  if (typeof parser !== 'function') {
    throw check.invalid(
      parser === undefined ? 'ERR_OPTION' : 'ERR_TYPE',
      'options.parser',
      'parse of csv-parse/sync',
      parser,
      '; npm install csv-parse, and give the function parse of csv-parse/sync as the option parser',
    );
  }
  return csvFormat(parser as CsvParser, format === 'csv' ? ',' : '\t');
}
