/**
 * JSON Lines: one JSON value a line, an object of fields by name or an array of fields.
 *
 * Refuses values of another kind, and lines that are no JSON.
 */

import { describe } from '../describe';
import { dataError, quote } from './data-error';
import type { Records } from './records';
import type { Row, RowFormat } from './row-format';

export const jsonlFormat: RowFormat = {
  quoted: false,
  parse: (records) => records.begins.map((_, i) => parseLine(records, i)),
};

function parseLine({ bytes, begins, ends, where }: Records, record: number): Row {
  const text = bytes.toString('utf8', begins[record], ends[record]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw dataError(where(record), `Expected one JSON value on the line but received ${quote(text)}`, cause);
  }
  if (typeof value !== 'object' || value === null) {
    throw dataError(
      where(record),
      `Expected a JSON object or an array of strings but received ${describe(value)}`,
    );
  }
  return value as Row;
}
