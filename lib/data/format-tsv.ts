/**
 * Values separated by tabs, without quotes, as the media type text/tab-separated-values says: a field is what lies
 * between two tabs. Quotes within a field are part of its text.
 *
 * Refuses a field that begins with a quote, until the caller says whether the file has quoted fields: a wrong guess
 * would train on texts with quotes around them, or cut texts in other places.
 */

import { dataError, quote } from './data-error';
import type { Records } from './records';
import type { RowFormat } from './row-format';

/** @param knownPlain Whether the caller said that quotes are part of the texts. */
export function plainTsvFormat(knownPlain: boolean): RowFormat {
  return {
    quoted: false,
    parse: (records) => records.begins.map((_, i) => splitLine(records, i, knownPlain)),
  };
}

function splitLine({ bytes, begins, ends, where }: Records, record: number, knownPlain: boolean): string[] {
  const line = bytes.toString('utf8', begins[record], ends[record]);
  if (line.includes('\r')) {
    throw dataError(
      where(record),
      'Expected lines that end with a line feed but received a lone carriage return: convert the line ends',
    );
  }
  const fields = line.split('\t');
  const opening = knownPlain ? undefined : fields.find((field) => field.startsWith('"'));
  if (opening !== undefined) {
    throw dataError(
      where(record),
      `A field begins with a quote: ${quote(opening)}. Say quotes: true if the file has quoted fields, as pandas ` +
        'and spreadsheets write, or quotes: false if quotes are part of the texts',
    );
  }
  return fields;
}
