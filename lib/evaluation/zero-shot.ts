/**
 * Zero-shot classification: the class whose feature has the largest dot product with a row is the answer
 * (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision").
 *
 * Refuses to normalise: the caller's features decide whether the product is a cosine.
 */

import type { ReadableFeatures } from '../matrix/features';
import { readRows, requireEqualDim } from '../matrix/read-rows';
import { type ClassMetrics, classMetrics, readLabels } from './class-metrics';
import { readOptionsOf, type SignalOption } from './read-options';

/**
 * How often the right class is found. Computes in float64; among equal products the lower class comes first.
 *
 * @param features [M × D].
 * @param classFeatures [classes × D]: row c is the feature of class c. For CLIP, the normalised mean of the
 *   normalised features of several prompts.
 * @param labels [M], the class of each row, from 0.
 *
 * Source: CLIP_benchmark, zero-shot classification: acc1, acc5 and mean_per_class_recall.
 *
 * Rejects with ERR_TYPE, ERR_DTYPE, ERR_SHAPE, ERR_VALUE, ERR_NOT_FINITE, ERR_OPTION, ERR_BUFFER,
 * ERR_DETACHED or ERR_OUT_OF_MEMORY.
 */
export async function zeroShotAccuracy(
  features: ReadableFeatures,
  classFeatures: ReadableFeatures,
  labels: Int32Array,
  options?: SignalOption,
): Promise<ClassMetrics> {
  const { signal } = readOptionsOf(options, ['signal']);
  const read = readRows('features', features);
  const weights = readRows('classFeatures', classFeatures);
  requireEqualDim('features', read, 'classFeatures', weights);
  const classes = readLabels('labels', labels, read.rows, weights.rows);
  // a copy: the caller's array may change between two slices
  return classMetrics(read, { weights, bias: null }, classes.slice(), signal);
}
