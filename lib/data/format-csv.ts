/**
 * Values separated by commas or tabs with quoted fields (RFC 4180), by a parser that the caller passes in:
 * `parse` of the package csv-parse/sync. infcl finds the rows, the parser finds the fields within them.
 *
 * Refuses to import a parser.
 */

import { describe, isArray, shorten } from '../describe';
import { dataError } from './data-error';
import type { Records } from './records';
import type { RowFormat } from './row-format';

/** The part of csv-parse's options that infcl sets. */
export interface CsvParserOptions {
  bom: false;
  columns: false;
  delimiter: string;
  encoding: 'utf8';
  escape: '"';
  quote: '"';
  record_delimiter: string[];
  relax_column_count: true;
  skip_empty_lines: true;
}

/** `parse` of csv-parse/sync: fields of each row. Throws an error with `code` and `records`, the rows before. */
export type CsvParser = (input: Buffer, options: CsvParserOptions) => string[][];

export function csvFormat(parser: CsvParser, delimiter: ',' | '\t'): RowFormat {
  const options: CsvParserOptions = {
    bom: false,
    columns: false,
    delimiter,
    encoding: 'utf8',
    escape: '"',
    quote: '"',
    record_delimiter: ['\r\n', '\n'],
    // infcl counts the columns itself, and names the file in its error
    relax_column_count: true,
    skip_empty_lines: true,
  };
  return {
    quoted: true,
    parse(records) {
      const rows = callParser(parser, options, records);
      if (!isArray(rows) || !rows.every(isStringList)) {
        throw dataError(
          records.where(0),
          `Expected an array of arrays of strings from options.parser but received ${describe(rows)}: ` +
            'pass parse of csv-parse/sync as it is',
        );
      }
      if (rows.length !== records.begins.length) {
        throw dataError(
          records.where(0),
          `The parser found ${rows.length} rows where the quotes of the file delimit ${records.begins.length}`,
        );
      }
      return rows;
    },
  };
}

function isStringList(row: unknown): row is string[] {
  return isArray(row) && row.every((field) => typeof field === 'string');
}

function callParser(parser: CsvParser, options: CsvParserOptions, records: Records): unknown {
  try {
    return parser(records.bytes, options);
  } catch (cause) {
    const {
      code,
      records: before,
      message,
    } = cause as { code?: unknown; records?: unknown; message?: unknown };
    const record = typeof before === 'number' && before < records.begins.length ? before : 0;
    throw dataError(records.where(record), explain(code, message), cause);
  }
}

const explanations: Record<string, string> = {
  CSV_INVALID_CLOSING_QUOTE:
    'Expected a delimiter after the quote that closes a field: double each quote within a quoted field',
  INVALID_OPENING_QUOTE:
    'A quote stands within a field that is not quoted: quote the whole field, and double each quote within',
  CSV_QUOTE_NOT_CLOSED: 'a quote is left open',
};

function explain(code: unknown, message: unknown): string {
  if (typeof code === 'string' && Object.hasOwn(explanations, code)) return explanations[code]!;
  return `The parser refused the row: ${shorten(String(message))}`;
}
