/**
 * How often rows of features get the right class, where the class of the largest score is the answer. Among
 * equal scores the lower class comes first, as in numpy.argmax.
 *
 * Refuses to store all scores: one row of scores exists at a time.
 */

import { codedError } from '../errors';
import type { Rows } from '../matrix/read-rows';
import { lengthOf } from '../typed-array';
import * as check from '../validate';
import { inSlices } from './turns';

/** Metrics of a classifier, each from 0 to 1. */
export interface ClassMetrics {
  /** Fraction of rows whose class has the largest score. */
  top1: number;
  /** Fraction of rows whose class is among the five largest scores; 1 with five classes or fewer. */
  top5: number;
  /**
   * Mean over classes of the fraction of their rows that `top1` counts. Classes without a row are left out.
   */
  meanPerClassRecall: number;
}

/** Scores are w · x + b. */
export interface Classifier {
  /** [classes × dim]. */
  weights: Rows;
  /** [classes]; null for none. */
  bias: ArrayLike<number> | null;
}

/** Throws ERR_TYPE, ERR_SHAPE, ERR_VALUE, ERR_BUFFER or ERR_DETACHED. */
export function readLabels(name: string, value: unknown, rows: number, classes: number): Int32Array {
  const labels = check.int32Array(name, value);
  if (lengthOf(labels) !== rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows} elements, one for each row, for ${name} but received ${lengthOf(labels)}`,
    );
  }
  labels.forEach((label, row) => {
    if (label >= 0 && label < classes) return;
    const last = Number.isFinite(classes) ? ` to ${classes - 1}` : ' up';
    throw check.invalid('ERR_VALUE', `${name}[${row}]`, `class from 0${last}`, label);
  });
  return labels;
}

/** Judges a classifier on checked rows. Computes in float64. Rejects with `signal.reason`. */
export async function classMetrics(
  features: Rows,
  classifier: Classifier,
  labels: Int32Array,
  signal: AbortSignal | undefined,
): Promise<ClassMetrics> {
  const classes = classifier.weights.rows;
  const scores = new Float64Array(classes);
  const own = new Float64Array(features.dim);
  const [seen, right] = [new Float64Array(classes), new Float64Array(classes)];
  let amongFive = 0;
  const work = {
    count: features.rows,
    operationsEach: classes * features.dim,
    reads: [features, classifier.weights],
    signal,
  };
  await inSlices(work, (begin, end) => {
    for (let row = begin; row < end; row++) {
      scoreRow(features, classifier, row, scores, own);
      const label = labels[row]!;
      const place = placeOf(scores, label);
      seen[label]!++;
      if (place === 0) right[label]!++;
      if (place < 5) amongFive++;
    }
  });
  const recalls = [...right].flatMap((count, i) => (seen[i]! > 0 ? [count / seen[i]!] : []));
  return {
    top1: right.reduce((sum, count) => sum + count, 0) / features.rows,
    top5: amongFive / features.rows,
    meanPerClassRecall: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
  };
}

/** Number of classes before this one in the order of scores. */
function placeOf(scores: Float64Array, label: number): number {
  const own = scores[label]!;
  let place = 0;
  for (let other = 0; other < scores.length; other++) {
    if (scores[other]! > own || (scores[other] === own && other < label)) place++;
  }
  return place;
}

/** @param own Room for one row of features, [dim]: a row in float64 is not converted once for each class. */
function scoreRow(
  features: Rows,
  { weights, bias }: Classifier,
  row: number,
  scores: Float64Array,
  own: Float64Array,
): void {
  const { data, rowStride, rows: classes } = weights;
  const { dim } = features;
  for (let d = 0; d < dim; d++) own[d] = features.data[row * features.rowStride + d]!;
  let each = 0;
  // four classes at a time: one sum would wait for each addition, and each element of the row is read once for all
  for (; each + 3 < classes; each += 4) {
    const first = each * rowStride;
    const second = first + rowStride;
    const third = second + rowStride;
    const fourth = third + rowStride;
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let d = 0; d < dim; d++) {
      const value = own[d]!;
      a += value * data[first + d]!;
      b += value * data[second + d]!;
      c += value * data[third + d]!;
      e += value * data[fourth + d]!;
    }
    scores[each] = a;
    scores[each + 1] = b;
    scores[each + 2] = c;
    scores[each + 3] = e;
  }
  for (; each < classes; each++) {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += own[d]! * data[each * rowStride + d]!;
    scores[each] = sum;
  }
  if (bias !== null) for (let i = 0; i < classes; i++) scores[i]! += bias[i]!;
}
