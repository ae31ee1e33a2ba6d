/**
 * From texts to the towers of `chunkedStep`: chunks of texts, which the encoder turns into features.
 *
 * Refuses to tokenise.
 */

import { isRevokedProxy } from '../describe';
import { readNames } from '../read-names';
import type { Encoder } from '../trainer/encoder';
import type { HardNegativesTower, Tower } from '../trainer/tower';
import * as check from '../validate';
import { type BatchTexts, readBatchTexts, requireTexts } from './text-batch';
import { pairIds } from './text-ids';

/**
 * The option `chunks` of a tower: a function that makes an iterable over the texts, `chunkRows` texts at a time. The last
 * chunk may have fewer.
 *
 * Throws ERR_TYPE or ERR_VALUE.
 */
export function textChunks(texts: readonly string[], chunkRows: number): () => Iterable<string[]> {
  requireTexts('texts', texts);
  check.positiveInteger('chunkRows', chunkRows);
  return function* chunks() {
    for (let begin = 0; begin < texts.length; begin += chunkRows) yield texts.slice(begin, begin + chunkRows);
  };
}

/** What becomes of hard negatives: further keys, or a tower of their own. */
export type NegativesPlace = 'keys' | 'tower';

export interface TowerOptions {
  /** Encodes the queries, and without `keyEncoder` the keys as well. A chunk is an array of texts. */
  encoder: Encoder<string[]>;
  /** Encodes keys and hard negatives, if not `encoder` does. */
  keyEncoder?: Encoder<string[]> | undefined;
  /** Texts of a chunk. */
  chunkRows: number;
  /**
   * 'keys' (default): every query is compared with the hard negatives of all queries, as in sentence-transformers'
   * MultipleNegativesRankingLoss; the loss needs the objective 'infonce'. 'tower': with its own ones only.
   */
  hardNegatives?: NegativesPlace | undefined;
}

/** Options of `chunkedStep`, and options of its loss. */
export interface BatchTowers {
  /** For `chunkedStep`: pass them all. */
  towers: {
    queries: Tower<string[]>;
    /** The keys, and perhaps after them the hard negatives as further keys. Key i belongs to query i. */
    keys: Tower<string[]>;
    hardNegatives?: HardNegativesTower<string[]> | undefined;
  };
  /** For the loss: rows of the same id are no negatives of each other, see {@link pairIds}. */
  ids: { queryIds: Int32Array; keyIds: Int32Array };
}

/**
 * Towers and ids of a batch, for `chunkedStep({ ...towers, loss: { ...ids } })`. Hard negatives are trained like keys.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE or ERR_ENCODER.
 */
export function batchTowers(batch: BatchTexts, options: TowerOptions): BatchTowers {
  const { queries, keys, hardNegatives } = readBatchTexts('batch', batch);
  const given = readNames('options', options, ['encoder', 'keyEncoder', 'chunkRows', 'hardNegatives']);
  const chunkRows = check.positiveInteger('options.chunkRows', given.chunkRows);
  const place =
    given.hardNegatives === undefined
      ? 'keys'
      : check.oneOf<NegativesPlace>('options.hardNegatives', given.hardNegatives, ['keys', 'tower']);
  const encoder = requireEncoder('options.encoder', given.encoder);
  const keyEncoder =
    given.keyEncoder === undefined ? encoder : requireEncoder('options.keyEncoder', given.keyEncoder);
  const towerOf = (one: Encoder<string[]>, texts: readonly string[]): Tower<string[]> => ({
    encoder: one,
    chunks: textChunks(texts, chunkRows),
    rows: texts.length,
  });
  const { queryIds, keyIds, hardNegativeIds } = pairIds(batch);
  const ofQueries = towerOf(encoder, queries);
  if (place === 'keys' || hardNegatives.length === 0) {
    const ids = { queryIds, keyIds: joined(keyIds, hardNegativeIds) };
    return { towers: { queries: ofQueries, keys: towerOf(keyEncoder, [...keys, ...hardNegatives]) }, ids };
  }
  const perQuery = hardNegatives.length / queries.length;
  const ofNegatives = { ...towerOf(keyEncoder, hardNegatives), perQuery, ids: hardNegativeIds };
  return {
    towers: { queries: ofQueries, keys: towerOf(keyEncoder, keys), hardNegatives: ofNegatives },
    ids: { queryIds, keyIds },
  };
}

/** One array after the other. */
function joined(one: Int32Array, other: Int32Array): Int32Array {
  const both = new Int32Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** `chunkedStep` checks the other methods. */
function requireEncoder(name: string, value: unknown): Encoder<string[]> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (isObject && !isRevokedProxy(value) && typeof (value as { encode?: unknown }).encode === 'function') {
    return value as Encoder<string[]>;
  }
  throw check.invalid('ERR_ENCODER', name, 'encoder with an encode method', value);
}
