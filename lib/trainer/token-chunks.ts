/**
 * Chunks of texts by a budget of tokens: many short texts in one chunk, few long ones, so that every chunk needs about
 * the same memory.
 *
 * Refuses to sort: row i of one tower belongs to row i of the other, so the order stays.
 */

import { types } from 'node:util';
import { isArray } from '../describe';
import { readNames } from '../read-names';
import * as check from '../validate';

export interface TokenChunkOptions<Item> {
  /** Tokens of one item, a positive integer. Called once for each item, before the first chunk is made. */
  length: (item: Item, index: number) => number;
  /**
   * The most tokens of one chunk, padding included: the number of items times the length of the longest. An item that is
   * longer forms a chunk of its own.
   */
  maxTokens: number;
  /** The most items of one chunk; default no limit. */
  maxItems?: number | undefined;
}

/**
 * Cuts a list of items into chunks, in order, each as long as the budget allows. Returns a function for the
 * tower's `chunks`: it yields an array of items for each chunk. The cut is made once, in this call, so both passes of
 * a step see the same chunks.
 *
 *     const queries = { encoder, chunks: chunksByTokens(texts, { length: (ids) => ids.length, maxTokens: 8192 }) };
 *
 * The items are not copied: keep the list as it is until the step has settled.
 *
 * Throws ERR_TYPE, ERR_VALUE or ERR_OPTION, and ERR_TYPE or ERR_VALUE with the index of an item for a length that is no
 * positive integer. ERR_CHUNKS for an empty list. Errors of `length` reach the caller unchanged.
 */
export function chunksByTokens<Item>(
  items: ArrayLike<Item>,
  options: TokenChunkOptions<Item>,
): () => Generator<Item[], void, undefined> {
  const count = readCount(items);
  const given = readNames('options', options, ['length', 'maxTokens', 'maxItems']);
  const lengthOf = check.callback<(item: Item, index: number) => unknown>('options.length', given.length);
  const maxTokens = check.positiveInteger('options.maxTokens', given.maxTokens);
  const maxItems =
    given.maxItems === undefined ? count : check.positiveInteger('options.maxItems', given.maxItems);
  const ends: number[] = [];
  let [begin, longest] = [0, 0];
  for (let i = 0; i < count; i++) {
    const tokens = check.positiveInteger(`options.length(items[${i}])`, lengthOf(items[i] as Item, i));
    const padded = Math.max(longest, tokens) * (i + 1 - begin);
    if (i > begin && (padded > maxTokens || i - begin === maxItems)) {
      ends.push(i);
      [begin, longest] = [i, 0];
    }
    longest = Math.max(longest, tokens);
  }
  ends.push(count);
  return function* () {
    let first = 0;
    for (const end of ends) {
      const chunk: Item[] = [];
      for (let i = first; i < end; i++) chunk.push(items[i] as Item);
      yield chunk;
      first = end;
    }
  };
}

function readCount(items: unknown): number {
  const isList = isArray(items) || (typeof items === 'object' && items !== null && !types.isProxy(items));
  const length = isList ? (items as ArrayLike<unknown>).length : undefined;
  if (!isList || !Number.isSafeInteger(length) || length! < 0) {
    throw check.invalid('ERR_TYPE', 'items', 'array', items);
  }
  if (length === 0) throw check.invalid('ERR_CHUNKS', 'items', 'at least one item', items);
  return length!;
}
