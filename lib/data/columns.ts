/**
 * Which columns of a file are which: the query first, then its key, then its hard negatives, and perhaps a label.
 * The conventions are those of sentence-transformers: the order decides, and a column named label, labels, score or
 * scores is the label.
 *
 * Refuses to guess where names and order contradict each other, and where a third column may be no text.
 */

import { dataError, quote } from './data-error';

/** What the caller said. Numbers count columns from 0. */
export interface WantedColumns {
  columns: readonly (string | number)[] | undefined;
  /** false: no column is the label. */
  label: string | number | false | undefined;
}

/** Places of the columns within a row. */
export interface Columns {
  texts: readonly number[];
  label: number | undefined;
  /** The number of columns that every row has. */
  width: number;
  /** Names by place, undefined where the file has none. */
  names: readonly string[] | undefined;
  /** Whether rows are objects, with fields by name. */
  byName: boolean;
  /** Whether the caller named the columns: other fields of an object do not matter then. */
  chosen: boolean;
}

const labelNames = ['label', 'labels', 'score', 'scores'];
const negativeName = /^(hard[ _-]?)?neg(ative)?s?([ _-]?\d+)?$/i;

/** Columns of a file whose columns have names. Throws ERR_DATA. */
export function namedColumns(
  where: string,
  names: readonly string[],
  wanted: WantedColumns,
  byName: boolean,
): Columns {
  requireNames(where, names);
  // who names columns has seen the header
  if (!byName && !wanted.columns?.some((column) => typeof column === 'string')) refuseTexts(where, names);
  const hint = byName ? '' : headerHint;
  const chosen = wanted.columns?.map((column) => placeOf(where, column, names, hint));
  const label = namedLabel(where, names, wanted.label, chosen);
  const others = names.map((_, i) => i).filter((i) => i !== label);
  if (!chosen)
    requireConvention(
      where,
      others.map((i) => names[i]!),
    );
  const common = { label, width: names.length, names, byName, chosen: chosen !== undefined };
  return checked(where, { texts: chosen ?? others, ...common });
}

/** Columns of a file without names. Throws ERR_DATA. */
export function numberedColumns(where: string, width: number, wanted: WantedColumns): Columns {
  const numbers = Array.from({ length: width }, (_, i) => i);
  const place = (column: string | number) => {
    if (typeof column === 'string') {
      throw dataError(
        where,
        `Expected a column ${column} but the file has no names: give numbers from 0, or header: true`,
      );
    }
    if (column >= width) throw dataError(where, `Expected a column ${column} but received ${width} columns`);
    return column;
  };
  const label = wanted.label === undefined || wanted.label === false ? undefined : place(wanted.label);
  const chosen = wanted.columns?.map(place);
  const texts = chosen ?? numbers.filter((i) => i !== label);
  return checked(where, {
    texts,
    label,
    width,
    names: undefined,
    byName: false,
    chosen: chosen !== undefined,
  });
}

const longestName = 60;
const mostWords = 6;
const sentenceEnd = /[.?!…。？！]$/;
const onlyDigits = /^[+-]?[\d.,]*\d$/;

/** A first row of texts, taken for names, would be lost without a word. Throws ERR_DATA for the usual ones. */
function refuseTexts(where: string, names: readonly string[]): void {
  const text = names.find((given) => {
    const name = given.trim();
    const isText = name.length > longestName || name.split(/\s+/).length > mostWords;
    return isText || sentenceEnd.test(name) || onlyDigits.test(name);
  });
  if (text === undefined) return;
  throw dataError(
    where,
    `Expected names of columns in the first row but received ${quote(text)}: header: false takes the first row for texts; ` +
      'if these are names, give those to read in columns',
  );
}

function requireNames(where: string, names: readonly string[]): void {
  const empty = names.findIndex((name) => name.trim() === '');
  if (empty >= 0)
    throw dataError(where, `Expected a name for column ${empty} in the header but received none`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw dataError(where, `Expected different names in the header but ${twice} occurs twice`);
}

/** For a file without a header whose columns the caller names. */
const headerHint = '. The first row was read as names; if it is none, give numbers and header: false';

function placeOf(where: string, column: string | number, names: readonly string[], hint = ''): number {
  const place = typeof column === 'number' ? column : names.indexOf(column);
  if (place >= 0 && place < names.length) return place;
  throw dataError(where, `Expected a column ${column} but the columns are ${names.join(', ')}${hint}`);
}

function namedLabel(
  where: string,
  names: readonly string[],
  wanted: string | number | false | undefined,
  texts: readonly number[] | undefined,
): number | undefined {
  if (wanted === false) return undefined;
  if (wanted !== undefined) return placeOf(where, wanted, names);
  const found = names.map((_, i) => i).filter((i) => labelNames.includes(names[i]!) && !texts?.includes(i));
  if (found.length > 1) {
    const list = found.map((i) => names[i]).join(' and ');
    throw dataError(
      where,
      `Expected one label but the columns ${list} are named so: say which one is the label`,
    );
  }
  return found[0];
}

/** By the order of sentence-transformers. Names that everybody uses must not contradict the order. */
function requireConvention(where: string, names: readonly string[]): void {
  const advice = `say which ones are meant, as columns: ${JSON.stringify(names.slice(0, 2))}`;
  for (const [place, name] of ['anchor', 'positive'].entries()) {
    const found = names.indexOf(name);
    if (found >= 0 && found !== place) {
      throw dataError(
        where,
        `Expected ${name} as text column ${place + 1} but received ${names.join(', ')}: name the columns in the order ` +
          'query, key, hard negatives, as columns: ["anchor", "positive"]',
      );
    }
  }
  const other = names.slice(2).find((name) => !negativeName.test(name));
  if (other === undefined) return;
  throw dataError(
    where,
    `Columns after the second one are hard negatives, but ${other} is not named so (negative, negative_1): ${advice}`,
  );
}

function checked(where: string, columns: Columns): Columns {
  const { texts, label, width, names } = columns;
  if (texts.length < 2) {
    const received = names?.join(', ') ?? `${width} columns`;
    throw dataError(where, `Expected two columns of texts, the query and its key, but received ${received}`);
  }
  if (label !== undefined && texts.includes(label)) {
    throw dataError(
      where,
      `Expected a label that is no text column but received column ${names?.[label] ?? label} as both`,
    );
  }
  const twice = texts.find((column, i) => texts.indexOf(column) !== i);
  if (twice !== undefined) {
    throw dataError(where, `Expected different columns but column ${names?.[twice] ?? twice} is named twice`);
  }
  return columns;
}
