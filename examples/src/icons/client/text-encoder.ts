/** The text encoder of a page. Refuses to answer for texts of which the encoder knows nothing. */

import { textFeatures } from './text-tokens.js';

/** The text's feature, of length 1; undefined where no word and no part of a word occurred in training. */
export function encodeText(
  { dim, textScales, textValues }: { dim: number; textScales: Float32Array; textValues: Int8Array },
  text: string,
): Float32Array | undefined {
  const { columns, values } = textFeatures(text);
  const feature = new Float32Array(dim);
  columns.forEach((column, i) => {
    const weight = values[i]! * textScales[column]!;
    for (let d = 0; d < dim; d++) feature[d]! += weight * textValues[column * dim + d]!;
  });
  const length = Math.hypot(...feature);
  return length > 0 ? feature.map((value) => value / length) : undefined;
}
