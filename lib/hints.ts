/**
 * Hints at the end of error messages: infcl's name for a word of another library, or the nearest name for a
 * typo. Texts begin with '; '.
 *
 * Refuses to decide which names and values are valid: callers ask only after a name or value was refused.
 */

import { types } from 'node:util';
import { isArray } from './describe';
import { kindOf } from './typed-array';

/** Without a prototype 'constructor' is a word like any other. */
function withoutPrototype(table: Record<string, string>): Record<string, string> {
  return Object.assign(Object.create(null), table);
}

/** Options of other libraries, and infcl's names for them. */
const optionHints: Record<string, string> = withoutPrototype({
  temperature: 'logitScale is 1 / temperature',
  tau: 'logitScale is 1 / tau',
  scale: 'the name here is logitScale',
  margin: 'the name here is falseNegativeMargin',
  bias: 'the name here is logitBias',
  loss: 'the name here is objective',
  weights: 'the name here is queryWeights',
  negatives: 'the name here is hardNegatives',
  dtype: 'the arithmetic is compute; a dtype belongs to the features',
  normalize:
    'normalise the rows of queries and keys yourself first; in chunkedStep, normalize stands beside loss',
  reduction: 'the loss is a mean; perRow: true returns the loss of each row',
  ignoreindex: 'queryWeights 0 leaves a row out',
  chunksize: 'chunkedStep takes the batch in chunks',
  batchsize: 'chunkedStep takes the batch in chunks',
  rows: 'the numbers of rows that plan takes are queries and keys; perRow: true returns the loss of each row',
  abortsignal: 'the name here is signal',
});
const sameHint: Record<string, string> = withoutPrototype({
  normalise: 'normalize',
  normalized: 'normalize',
  l2normalize: 'normalize',
  reduce: 'reduction',
  sampleweights: 'weights',
  weight: 'weights',
  minibatchsize: 'batchsize',
});

/** Values of other libraries, and infcl's names for them. */
const valueSynonyms: Record<string, string> = withoutPrototype({
  gpu: 'cuda',
  simclr: 'ntxent',
  ntxentloss: 'ntxent',
  sigmoid: 'siglip',
  supervised: 'supcon',
  half: 'float16',
  fp16: 'float16',
  bf16: 'bfloat16',
  fp32: 'float32',
  float: 'float32',
});

/** Letters and digits alone: logit_scale, logit-scale and logitScale are the same word. */
const lettersOf = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** No intended word is longer. Longer words are not compared, which would take long. */
const longestWord = 64;

/** For an unknown option. Empty where no known name is near. */
export function optionHint(name: string, known: readonly string[]): string {
  if (name.length > longestWord) return '';
  const letters = lettersOf(name);
  const hint = optionHints[sameHint[letters] ?? letters];
  return hint === undefined ? nearest(name, known) : `; ${hint}`;
}

/** For a value that is none of `choices`. Empty where none is near. */
export function valueHint(value: string, choices: readonly string[]): string {
  if (value.length > longestWord) return '';
  const same = valueSynonyms[lettersOf(value)];
  return same !== undefined && choices.includes(same) ? `; did you mean ${same}?` : nearest(value, choices);
}

function nearest(name: string, known: readonly string[]): string {
  const best = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  // more than half the letters wrong is no typo
  return best && best.distance <= best.candidate.length / 2 ? `; did you mean ${best.candidate}?` : '';
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * How to make the typed array that was expected from the value. `name` ends with the name of the
 * caller's variable.
 */
export function arrayHint(
  kind: 'Float32Array' | 'Float64Array' | 'Int32Array',
  name: string,
  value: unknown,
): string {
  try {
    return makeArrayHint(kind, name.split('.').pop()!, value);
  } catch {
    // an object that cannot even be read
    return '';
  }
}

function makeArrayHint(kind: string, variable: string, value: unknown): string {
  if (typeof value === 'function') return `; give what it returns: await tensor.${variable}()`;
  if (types.isProxy(value)) return '; pass the array that the Proxy is of';
  if (isArray(value) && isRow(value[0])) return `; put all rows into one ${kind}, one after the other`;
  if (isArray(value) || kindOf(value) !== undefined) return `; ${kind}.from(${variable}, Number) makes one`;
  const data = (value as { data?: unknown } | null | undefined)?.data;
  return kindOf(data) === undefined ? '' : `; ${kind}.from(${variable}.data, Number) makes one`;
}

export function isRow(value: unknown): boolean {
  return isArray(value) || ArrayBuffer.isView(value);
}
