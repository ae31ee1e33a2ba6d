/** From a run to the plain numbers of its `Results`. Refuses to measure: it rearranges what the phases found. */

import type { Evaluation } from './evaluate/model-evaluation.js';
import type { Dataset } from './features/dataset.js';
import type { Example, Results } from './results.js';
import type { History } from './train/loop.js';

export function dataNumbers({ pairs, split }: Dataset): Results['data'] {
  const { name, licence, leftName, rightName } = pairs;
  return {
    name,
    licence,
    leftName,
    rightName,
    candidates: pairs.right.length,
    train: split.train.length,
    validation: split.validation.length,
    test: split.test.length,
  };
}

export function examplesOf({ pairs, split }: Dataset, { nearest, ranks }: Evaluation): Example[] {
  return nearest.map((list, q) => {
    const row = split.test[q]!;
    const query = pairs.left[row]!;
    return {
      query,
      answer: pairs.right[row]!,
      rank: ranks[q]!,
      nearest: list.map(({ candidate, similarity }) => ({
        text: pairs.right[candidate]!,
        similarity,
        hit: candidate === row,
        homophone: candidate !== row && pairs.left[candidate]!.toLowerCase() === query.toLowerCase(),
      })),
    };
  });
}

/** The history, in which features that are not finite count as divergence even where all of training was finite. */
export function withFeatures(history: History, steps: number, { rowsNotFinite }: Evaluation): History {
  if (history.diverged || rowsNotFinite === 0) return history;
  const what = `${rowsNotFinite} rows of features hold NaN or infinity when the trained model is ranked`;
  return { ...history, diverged: { step: steps, what } };
}
