/**
 * Rows of a format to texts and labels: picks the columns, and refuses what cannot be trained on.
 *
 * Refuses to change a text: nothing is trimmed, normalised or cut.
 */

import { describe } from '../describe';
import type { Columns } from './columns';
import { dataError, quote } from './data-error';
import { isFieldList, type Row } from './row-format';

/** One row of a data set. */
export interface ParsedRow {
  /** The query, its key, its hard negatives. */
  texts: string[];
  label: number | undefined;
}

/** Throws ERR_DATA for a ragged row, an empty text, and values of the wrong type. */
export function pickColumns(where: string, row: Row, columns: Columns): ParsedRow {
  const fields = fieldsOf(where, row, columns);
  const nameOf = (place: number) => columns.names?.[place] ?? `column ${place}`;
  const texts = columns.texts.map((place) => requireText(where, nameOf(place), fields[place]));
  const { label } = columns;
  return {
    texts,
    label: label === undefined ? undefined : requireNumber(where, nameOf(label), fields[label]),
  };
}

/** Fields in the order of the columns. Absent ones, of columns that nobody reads, are undefined. */
function fieldsOf(where: string, row: Row, columns: Columns): readonly unknown[] {
  const { width, byName } = columns;
  if (isFieldList(row) === byName) {
    const [first, received] = byName ? ['an object', 'an array'] : ['an array', 'an object'];
    throw dataError(where, `Expected ${first}, as in the first row, but received ${received}`);
  }
  if (!isFieldList(row)) return namedFields(where, row, columns);
  if (row.length === width) return row;
  throw dataError(where, `Expected ${width} columns, as in the first row, but received ${row.length}`);
}

function namedFields(
  where: string,
  row: { readonly [name: string]: unknown },
  { names: all, texts, label, chosen }: Columns,
): readonly unknown[] {
  const names = all!;
  const read = label === undefined ? texts : [...texts, label];
  const missing = read.find((place) => !Object.hasOwn(row, names[place]!));
  if (missing !== undefined) {
    const received = Object.keys(row).join(', ') || 'none';
    throw dataError(where, `Expected a field ${names[missing]} but the fields are ${received}`);
  }
  const other = chosen ? undefined : Object.keys(row).find((name) => !names.includes(name));
  if (other !== undefined) {
    throw dataError(
      where,
      `Expected the fields of the first row, ${names.join(', ')}, but received ${other} as well: name those to read in columns`,
    );
  }
  return names.map((name) => (Object.hasOwn(row, name) ? row[name] : undefined));
}

const loneSurrogate = /\p{Surrogate}/u;

function requireText(where: string, name: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw dataError(where, `Expected a text for ${name} but received ${describe(value)}`);
  }
  if (!/\S/.test(value)) {
    throw dataError(where, `Expected a text for ${name} but received ${quote(value)}: leave the row out`);
  }
  if (loneSurrogate.test(value)) {
    throw dataError(
      where,
      `Expected well-formed text for ${name} but received half of a surrogate pair in ${quote(value)}`,
    );
  }
  return value;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function requireNumber(where: string, name: string, value: unknown): number {
  const number = typeof value === 'string' && decimal.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(Math.fround(number))) return number;
  throw dataError(where, `Expected a number for the label ${name} but received ${describe(value)}`);
}
