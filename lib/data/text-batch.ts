/** A batch of texts, in the layout of the loss: row i of each side belongs to query i. */

import { isArray } from '../describe';
import { codedError } from '../errors';
import * as check from '../validate';
import type { ParsedRow } from './parse-rows';

/** The texts of a batch. */
export interface BatchTexts {
  /** First column [rows]. */
  queries: readonly string[];
  /** Second column [rows]: key i belongs to query i. */
  keys: readonly string[];
  /**
   * Further columns [rows × perQuery]: those from i · perQuery to before (i + 1) · perQuery belong to query i, as in
   * the option `hardNegatives` of the loss. Empty for pairs.
   */
  hardNegatives: readonly string[];
}

/** Some rows of one data set. The arrays are the caller's own. */
export interface TextBatch extends BatchTexts {
  queries: string[];
  keys: string[];
  hardNegatives: string[];
  /** The name of the data set. */
  dataset: string;
  /** The numbers of the rows within the data set [rows]. */
  rows: Int32Array;
  /** Hard negatives of each query. */
  perQuery: number;
  /** The label column [rows], undefined for a data set without labels. */
  labels: Float32Array | undefined;
}

export function toBatch(
  { name, perQuery, labelled }: { name: string; perQuery: number; labelled: boolean },
  rows: Int32Array,
  parsed: readonly ParsedRow[],
): TextBatch {
  return {
    dataset: name,
    rows,
    queries: parsed.map(({ texts }) => texts[0]!),
    keys: parsed.map(({ texts }) => texts[1]!),
    hardNegatives: parsed.flatMap(({ texts }) => texts.slice(2)),
    perQuery,
    labels: labelled ? Float32Array.from(parsed, ({ label }) => label!) : undefined,
  };
}

/** Throws ERR_TYPE for anything but an array of strings. */
export function requireTexts(name: string, texts: unknown): asserts texts is readonly string[] {
  if (!isArray(texts)) throw check.invalid('ERR_TYPE', name, 'array of strings', texts);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw check.invalid('ERR_TYPE', `${name}[${wrong}]`, 'string', texts[wrong]);
}

/** The texts of a batch that a caller made or changed. Throws ERR_TYPE or ERR_SHAPE. */
export function readBatchTexts(name: string, value: unknown): BatchTexts {
  const { queries, keys, hardNegatives } = check.plainObject(name, value);
  requireTexts(`${name}.queries`, queries);
  requireTexts(`${name}.keys`, keys);
  requireTexts(`${name}.hardNegatives`, hardNegatives);
  if (queries.length === 0)
    throw codedError('ERR_SHAPE', `Expected at least one row in ${name} but received none`);
  if (keys.length !== queries.length || hardNegatives.length % queries.length !== 0) {
    throw codedError(
      'ERR_SHAPE',
      `Expected a key and equally many hard negatives for each of ${queries.length} queries in ${name} but received ` +
        `${keys.length} keys and ${hardNegatives.length} hard negatives`,
    );
  }
  return { queries, keys, hardNegatives };
}
