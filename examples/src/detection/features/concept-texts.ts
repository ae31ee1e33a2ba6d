/**
 * The texts that regions are compared with: one for each concept, then one for "nothing". A concept's text is
 * its name with other words for it at a smaller weight. Refuses to tokenise: `text-tokens.ts` of the icons
 * does, which the page runs as well.
 */

import type { SparseMatrix } from '../../features/hashing.js';
import { textColumns, textFeatures } from '../../icons/client/text-tokens.js';
import type { Concept } from '../data/concepts.js';

/** Weight of a tag beside 1 for the name. */
const tagWeight = 0.35;
const nothing = 'background';

/** Row i is concept i; the last row is that of regions without a thing. Rows have length 1. */
export function conceptTexts(concepts: readonly Pick<Concept, 'label' | 'tags'>[]): SparseMatrix {
  const starts = new Int32Array(concepts.length + 2);
  const columns: number[] = [];
  const values: number[] = [];
  [...concepts, { label: nothing, tags: [] }].forEach(({ label, tags }, i) => {
    const row = weightedRow(label, tags);
    const length = Math.hypot(...row.values());
    for (const [column, value] of row) {
      columns.push(column);
      values.push(value / length);
    }
    starts[i + 1] = columns.length;
  });
  return {
    rows: concepts.length + 1,
    columnCount: textColumns,
    starts,
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  };
}

function weightedRow(label: string, tags: readonly string[]): Map<number, number> {
  const row = new Map<number, number>();
  const add = (text: string, weight: number) => {
    const { columns, values } = textFeatures(text);
    columns.forEach((column, i) => {
      row.set(column, (row.get(column) ?? 0) + weight * values[i]!);
    });
  };
  add(label, 1);
  for (const tag of tags) add(tag, tagWeight);
  return row;
}
