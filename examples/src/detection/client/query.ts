/**
 * What the page computes: from words to a feature, and how well the words fit each box. Knows no element of
 * the page, and refuses to answer for words of which the encoder knows nothing.
 */

import { textFeatures } from '../../icons/client/text-tokens.js';
import type { PageData } from './page-data.js';

/** The text's feature, of length 1; undefined where no part of it occurred in training. */
export function encode({ dim, textScales, textValues }: PageData, text: string): Float32Array | undefined {
  const { columns, values } = textFeatures(text);
  const feature = new Float32Array(dim);
  columns.forEach((column, i) => {
    const weight = values[i]! * textScales[column]!;
    for (let d = 0; d < dim; d++) feature[d]! += weight * textValues[column * dim + d]!;
  });
  const length = Math.hypot(...feature);
  return length > 0 ? feature.map((value) => value / length) : undefined;
}

/**
 * For each box, numbered through all scenes, how well the words fit beside the box's own name, at most 1: the quotient of
 * the probabilities that the model gives to both. A name of which the model is unsure leaves more room for words.
 */
export function fitsOf(
  { dim, scale, scenes, boxScales, boxValues }: PageData,
  feature: Float32Array,
): Float32Array {
  const fits = new Float32Array(boxScales.length);
  let box = 0;
  for (const { boxes } of scenes) {
    for (const { logSum, score } of boxes) {
      let product = 0;
      for (let d = 0; d < dim; d++) product += feature[d]! * boxValues[box * dim + d]!;
      const logit = scale * product * boxScales[box]!;
      fits[box] = Math.min(1, Math.exp(logit - logSum) / score);
      box++;
    }
  }
  return fits;
}
