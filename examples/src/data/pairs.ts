/**
 * What every data source of the demo yields: pairs of strings, cut into three parts that share no pair, and the
 * names the report prints. Refuses to know how strings become numbers; that is `features/`.
 */

import { Random } from '../random.js';

export interface Pairs {
  /** Shown in the report's title, e.g. "CC-CEDICT". */
  name: string;
  licence: string;
  /** What the two columns are: queries first, candidates second. */
  leftName: string;
  rightName: string;
  left: string[];
  right: string[];
  /** Which tokens to hash: those of a pronunciation and a written word, or character n-grams on both sides. */
  tokens: 'chinese' | 'ngrams';
}

/** Row numbers of each part. Rows in no part are only candidates to be ranked. */
export interface Split {
  test: Int32Array;
  validation: Int32Array;
  train: Int32Array;
}

export interface SplitSizes {
  test: number;
  validation: number;
  train: number;
}

/** The sizes CC-CEDICT is cut into; its other 26,308 words are distractors that no part of training sees. */
export const cedictSizes: SplitSizes = { test: 2048, validation: 2048, train: 65_536 };

/** A sixteenth each for test and validation, at most 2,048, the rest for training. */
export function scaledSizes(rows: number): SplitSizes {
  const heldOut = Math.min(2048, Math.floor(rows / 16));
  return { test: heldOut, validation: heldOut, train: rows - 2 * heldOut };
}

/** Shuffles row numbers with a seed and cuts them. Throws RangeError when there are too few rows. */
export function splitRows(rows: number, sizes: SplitSizes, seed: number): Split {
  const { test, validation, train } = sizes;
  if (test + validation + train > rows) {
    throw new RangeError(
      `Expected at least ${test + validation + train} pairs for the split but received ${rows}`,
    );
  }
  const order = new Random(seed).permutation(rows);
  return {
    test: order.slice(0, test),
    validation: order.slice(test, test + validation),
    train: order.slice(test + validation, test + validation + train),
  };
}
