/**
 * Captions to the sparse input of the text encoder. Refuses to tokenise: `client/text-tokens.ts` does, for the page
 * as well.
 */

import type { SparseMatrix } from '../../features/hashing.js';
import { textColumns, textFeatures } from '../client/text-tokens.js';

export function textMatrix(texts: readonly string[]): SparseMatrix {
  const starts = new Int32Array(texts.length + 1);
  const columns: number[] = [];
  const values: number[] = [];
  texts.forEach((text, i) => {
    const features = textFeatures(text);
    columns.push(...features.columns);
    values.push(...features.values);
    starts[i + 1] = columns.length;
  });
  return {
    rows: texts.length,
    columnCount: textColumns,
    starts,
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  };
}

/** 1 for each column that a row of the matrix has. */
export function columnsInUse({ columns, columnCount }: SparseMatrix): Uint8Array {
  const used = new Uint8Array(columnCount);
  for (const column of columns) used[column] = 1;
  return used;
}
