/** How well words fit each box. Knows no element of the page. */

import type { PageData } from './page-data.js';

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
