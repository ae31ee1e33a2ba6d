/**
 * Chooses the negatives of each query among its best keys: positives and scores out of bounds are left out, the
 * first ones are skipped, and the best or random ones of the rest are taken.
 *
 * Source: sentence-transformers, `mine_hard_negatives`: the order of these steps, and `sampling_strategy`.
 */

import type { BestKeys } from './best-keys';
import type { CheckedMining } from './options';
import type { Positives } from './positives';

export interface Choice
  extends Pick<CheckedMining, 'count' | 'min' | 'max' | 'minScore' | 'random' | 'seed'> {
  best: BestKeys;
  positives: Positives;
  /** [queries]. */
  limits: Float32Array;
}

/**
 * Writes the negatives of one query, best first, from `at` on. Returns their number, at most `count`.
 * `indices` and `scores` are left alone where there are fewer.
 */
export function chooseNegatives(
  choice: Choice,
  query: number,
  into: { indices: Int32Array; scores: Float32Array },
): number {
  const { count, random, seed, best } = choice;
  const places = candidatesOf(choice, query);
  const taken = random ? draw(places, count, generatorOf(seed, query)) : places.slice(0, count);
  taken.forEach((place, i) => {
    into.indices[query * count + i] = best.indices[place]!;
    into.scores[query * count + i] = best.scores[place]!;
  });
  return taken.length;
}

/** Places in `best` of the keys that may be negatives of this query, best first. */
function candidatesOf({ best, positives, min, max, minScore, limits }: Choice, query: number): number[] {
  const { offsets, keys } = positives;
  const own = new Set(keys.subarray(offsets[query], offsets[query + 1]));
  const places: number[] = [];
  let seen = 0;
  for (let place = query * best.k; place < (query + 1) * best.k && seen < max; place++) {
    const key = best.indices[place]!;
    if (key < 0) break;
    if (own.has(key)) continue;
    seen++;
    const score = best.scores[place]!;
    if (score <= limits[query]! && score >= minScore) places.push(place);
  }
  return places.slice(min);
}

/** `count` of the places, each set of places as likely as any other, in their order. */
function draw(places: number[], count: number, random: () => number): number[] {
  const drawn = Math.min(count, places.length);
  // the first steps of a Fisher-Yates shuffle
  for (let i = 0; i < drawn; i++) {
    const other = i + Math.floor(random() * (places.length - i));
    [places[i], places[other]] = [places[other]!, places[i]!];
  }
  return places.slice(0, drawn).sort((a, b) => a - b);
}

/**
 * Numbers from 0 to below 1 that depend on the seed and the query alone: no other query, no part of the keys
 * and no thread changes them. The steps are those of mulberry32 (Ettinger 2017).
 */
function generatorOf(seed: number, query: number): () => number {
  let state = mixed(seed ^ mixed(query + 1));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every bit of the number reaches every bit of the result: the last step of MurmurHash3. */
function mixed(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
