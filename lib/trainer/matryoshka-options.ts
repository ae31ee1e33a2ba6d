/**
 * The option `matryoshka` of a step, checked, and the draw of the dims of one step.
 *
 * Refuses dims that are drawn without a seed: a step must be repeatable.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';

/**
 * Losses on prefixes of the features (Matryoshka representation learning, Kusupati et al. 2022, arXiv 2205.13147,
 * eq. 1). Each prefix is a row's first numbers, divided by their length.
 */
export interface Matryoshka {
  /** Lengths of the prefixes, each once, up to the width of the features. The whole width counts only if it is here. */
  dims: readonly number[];
  /** Positive weight of the loss at each of `dims`. Default 1 each. */
  weights?: readonly number[] | undefined;
  /**
   * How many of `dims` a step uses, drawn by `seed`, as `n_dims_per_step` of sentence-transformers. The weights
   * are not scaled up for dims that are left out. Default: all.
   */
  perStep?: number | undefined;
  /** Integer from 0 on, such as the number of the step. The same seed draws the same dims. Needed by `perStep`. */
  seed?: number | undefined;
}

/** One prefix that a step uses. */
export interface Prefix {
  dim: number;
  weight: number;
}

const where = 'options.matryoshka';

/** The prefixes of this step, the longest first. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readMatryoshka(value: unknown): Prefix[] {
  const { dims, weights, perStep, seed } = readNames(where, value, ['dims', 'weights', 'perStep', 'seed']);
  const prefixes = readPrefixes(dims, weights);
  if (perStep === undefined && seed !== undefined) {
    throw codedError('ERR_VALUE', `Expected ${where}.perStep beside ${where}.seed but received none`);
  }
  const count =
    perStep === undefined
      ? prefixes.length
      : check.positiveInteger(`${where}.perStep`, perStep, prefixes.length);
  if (perStep !== undefined && seed === undefined) {
    throw codedError(
      'ERR_VALUE',
      `Expected ${where}.seed beside ${where}.perStep but received none: give the number of the step`,
    );
  }
  const drawn =
    perStep === undefined ? prefixes : draw(prefixes, count, check.nonNegativeInteger(`${where}.seed`, seed));
  return drawn.sort((a, b) => b.dim - a.dim);
}

function readPrefixes(dims: unknown, weights: unknown): Prefix[] {
  const lengths = readList(`${where}.dims`, dims, (name, dim) => check.positiveInteger(name, dim));
  const twice = lengths.find((dim, i) => lengths.indexOf(dim) !== i);
  if (twice !== undefined) {
    throw codedError('ERR_VALUE', `Expected each of ${where}.dims once but received ${twice} twice`);
  }
  if (weights === undefined) return lengths.map((dim) => ({ dim, weight: 1 }));
  const read = readList(`${where}.weights`, weights, (name, weight) =>
    check.positiveFloat(name, weight, 1e30),
  );
  if (read.length !== lengths.length) {
    throw codedError(
      'ERR_VALUE',
      `Expected ${lengths.length} ${where}.weights, one for each of dims, but received ${read.length}`,
    );
  }
  return lengths.map((dim, i) => ({ dim, weight: read[i]! }));
}

function readList(name: string, list: unknown, read: (name: string, value: unknown) => number): number[] {
  const length = isArray(list) ? list.length : 0;
  if (length === 0) throw check.invalid('ERR_TYPE', name, 'non-empty array of numbers', list);
  return Array.from({ length }, (_, i) => read(`${name}[${i}]`, (list as unknown[])[i]));
}

/** `count` of the prefixes without repetition: the first steps of a Fisher-Yates shuffle. */
function draw(prefixes: readonly Prefix[], count: number, seed: number): Prefix[] {
  const left = [...prefixes];
  const random = generator(seed);
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

/** Numbers from 0 to below 1. Seeds that follow each other give unrelated numbers (splitmix32, public domain). */
function generator(seed: number): () => number {
  // a seed beyond 32 bits counts with all its bits
  let state = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
