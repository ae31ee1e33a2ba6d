/**
 * Ids of texts, by which the loss knows that two rows belong together: equal ids are no negatives of each other.
 *
 * Refuses to compare texts in any way but exactly.
 */

import { types } from 'node:util';
import * as check from '../validate';
import { type BatchTexts, readBatchTexts, requireTexts } from './text-batch';

/**
 * An id for each text [texts]: equal texts have equal ids, from 0 in the order in which texts first occur.
 *
 * @param known Texts of earlier calls and their ids; new texts are added. One map for two lists makes their ids fit.
 *
 * Throws ERR_TYPE for anything but an array of strings, before `known` changes.
 */
export function textIds(texts: readonly string[], known: Map<string, number> = new Map()): Int32Array {
  requireTexts('texts', texts);
  if (!types.isMap(known)) throw check.invalid('ERR_TYPE', 'known', 'Map', known);
  return Int32Array.from(texts, (text) => {
    const id = known.get(text) ?? known.size;
    known.set(text, id);
    return id;
  });
}

export interface PairIds {
  /** [queries] */
  queryIds: Int32Array;
  /** [keys] */
  keyIds: Int32Array;
  /** [hard negatives] */
  hardNegativeIds: Int32Array;
}

/**
 * Ids that keep false negatives of a batch out of the loss. Rows whose queries or whose keys are equal get the same id, and
 * so do rows that are linked by further rows. A hard negative has the id of a row with its text, or an id of its own.
 *
 * Throws ERR_TYPE for anything but a batch, and ERR_SHAPE for numbers of texts that do not fit.
 */
export function pairIds(batch: BatchTexts): PairIds {
  const { queries, keys, hardNegatives } = readBatchTexts('batch', batch);
  const known = new Map<string, number>();
  const [ofQueries, ofKeys, ofNegatives] = [queries, keys, hardNegatives].map((texts) =>
    textIds(texts, known),
  );
  const groups = new Groups(known.size);
  ofQueries!.forEach((id, i) => {
    groups.join(id, ofKeys![i]!);
  });
  const group = (id: number) => groups.of(id);
  return {
    queryIds: ofQueries!.map(group),
    keyIds: ofKeys!.map(group),
    hardNegativeIds: ofNegatives!.map(group),
  };
}

/** Disjoint sets of numbers (union-find). A set is named by its smallest number. */
class Groups {
  private readonly parents: Int32Array;

  constructor(count: number) {
    this.parents = Int32Array.from({ length: count }, (_, id) => id);
  }

  of(id: number): number {
    const { parents } = this;
    let at = id;
    while (parents[at] !== at) {
      // halves the path for later calls
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  }

  join(one: number, other: number): void {
    const [a, b] = [this.of(one), this.of(other)];
    this.parents[Math.max(a, b)] = Math.min(a, b);
  }
}
