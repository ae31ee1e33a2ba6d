/** A training small enough for a test: 200 made-up pairs, six steps, the side without a framework. Refuses to say anything about accuracy. */

import { makeDataset } from '../src/features/dataset.js';
import { makeSparseSide } from '../src/train/sparse-side.js';

const letters = 'abcdefghij';
const words = Array.from({ length: 200 }, (_, i) => {
  const digits = String(i).padStart(3, '0');
  return [...digits].map((digit) => letters[Number(digit)]!).join('');
});
export const dataset = makeDataset(
  {
    name: 'toy',
    licence: 'none',
    leftName: 'left',
    rightName: 'right',
    left: words,
    right: words.map((word) => word.toUpperCase().split('').reverse().join('')),
    tokens: 'ngrams',
  },
  { seed: 1 },
);
export const config = {
  batch: 40,
  steps: 6,
  seed: 2,
  learningRate: 0.02,
  warmUp: 0.2,
  dropout: 0.2,
  makeSide: makeSparseSide,
};
/** One thread: batches this small would only wait for the others. */
export const threads = 1;
