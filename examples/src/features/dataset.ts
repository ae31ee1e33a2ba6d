/**
 * A data set ready to train on: pairs, their split, and the hashed features of both sides. Refuses to hold anything
 * that depends on the model.
 */

import {
  cedictSizes,
  type Pairs,
  type Split,
  type SplitSizes,
  scaledSizes,
  splitRows,
} from '../data/pairs.js';
import { hashRows, type SparseMatrix } from './hashing.js';
import { ngramTokens, pronunciationTokens, writtenWordTokens } from './tokens.js';

export interface Dataset {
  pairs: Pairs;
  split: Split;
  left: SparseMatrix;
  right: SparseMatrix;
}

export interface DatasetOptions {
  seed: number;
  /** Keep only this many training pairs (for a quick run). */
  trainLimit?: number;
}

export function makeDataset(pairs: Pairs, options: DatasetOptions): Dataset {
  const chinese = pairs.tokens === 'chinese';
  const sizes: SplitSizes = chinese ? cedictSizes : scaledSizes(pairs.left.length);
  const split = splitRows(pairs.left.length, sizes, options.seed);
  if (options.trainLimit !== undefined) split.train = split.train.slice(0, options.trainLimit);
  return {
    pairs,
    split,
    left: hashRows(pairs.left, chinese ? pronunciationTokens : ngramTokens),
    right: hashRows(pairs.right, chinese ? writtenWordTokens : ngramTokens),
  };
}
