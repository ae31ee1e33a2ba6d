/**
 * What the formats have in common: each one turns records into rows. A row is an array of fields in the order of
 * the columns, or an object of fields by name.
 *
 * Refuses to judge fields: `columns.ts` says which ones are texts.
 */

import type { Records } from './records';

/** Fields are strings, but in JSON Lines any value of JSON. */
export type Row = readonly unknown[] | { readonly [name: string]: unknown };

export interface RowFormat {
  /** Whether a double quote opens a field that may contain line feeds. */
  quoted: boolean;
  /** Throws ERR_DATA for a record that is not of the format. */
  parse(records: Records): Row[];
}

export function isFieldList(row: Row): row is readonly unknown[] {
  return Array.isArray(row);
}
