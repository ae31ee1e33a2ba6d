/**
 * The option `labels` as lists: several positives of a query.
 *
 * Refuses options that are defined for one positive alone, and a query without any.
 */

import { isArray, isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import type { NativeKeyLists, Objective } from '../native/binding';
import * as check from '../validate';
import { copyKeyLists, readKeyLists } from './key-lists';
import type { AnyContrastiveOptions, KeyLists } from './options';

const name = 'options.labels';

/** Lists become a copy on the caller's own arrays, each property read once. Anything else stays as it is. */
export function readLabels(labels: unknown): AnyContrastiveOptions['labels'] {
  return isObjectOfLists(labels) ? readKeyLists(name, labels) : (labels as AnyContrastiveOptions['labels']);
}

/** The lists among labels that `readLabels` has read; undefined where each query has one label. */
export function listsOf(labels: AnyContrastiveOptions['labels']): KeyLists | undefined {
  return isObjectOfLists(labels) ? (labels as KeyLists) : undefined;
}

/** A tensor is an object too, so the name tells: the error for a tensor says how to make an array of it. */
function isObjectOfLists(labels: unknown): boolean {
  if (typeof labels !== 'object' || labels === null || ArrayBuffer.isView(labels)) return false;
  return !isRevokedProxy(labels) && !isArray(labels) && 'offsets' in labels;
}

/** Throws ERR_VALUE for an option that has no meaning beside lists. */
export function refuseBesideLists(given: AnyContrastiveOptions, objective: Objective): void {
  const refused = [
    ['labelSmoothing', 'it takes from the target of one positive'],
    ['falseNegativeMargin', 'it measures from one positive'],
    ['guide', 'it measures from one positive'],
    ['teacher', 'its probabilities have all keys in one denominator'],
    ...(objective === 'clip'
      ? ([['queryWeights', 'a key is an anchor too and has no weight']] as const)
      : []),
  ] as const;
  for (const [option, why] of refused) {
    if (given[option] === undefined) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected no options.${option} beside lists in ${name} (objective '${objective}') but received some: ${why}`,
    );
  }
}

/**
 * A copy for native code. Throws ERR_VALUE for a query without a positive, and as `copyKeyLists`.
 *
 * @param rows Null before the features are known.
 */
export function copyListedLabels(
  lists: KeyLists,
  { queryWeights }: AnyContrastiveOptions,
  objective: Objective,
  rows: { queries: number; keys: number } | null,
): NativeKeyLists {
  const copy = copyKeyLists(name, lists, rows);
  const { offsets } = copy;
  for (let query = 0; query + 1 < offsets.length; query++) {
    if (offsets[query] !== offsets[query + 1] || queryWeights?.[query] === 0) continue;
    const remedy =
      objective === 'clip' ? 'leave the query out of the batch' : 'options.queryWeights of 0 leave a row out';
    throw codedError(
      'ERR_VALUE',
      `Expected a key of query ${query} in ${name} but received an empty list; ${remedy}`,
    );
  }
  return copy;
}

/** Throws ERR_VALUE for labels of another form than the objective takes. */
export function refuseForm(labels: unknown, objective: Objective): void {
  if (objective !== 'clip') return;
  throw check.invalid(
    'ERR_VALUE',
    name,
    "lists { offsets, keys } (objective 'clip')",
    labels,
    "; objective 'infonce' takes one key for each query",
  );
}
