/**
 * From texts to the towers of `chunkedStep`: chunks of texts, which the encoder turns into features.
 *
 * Refuses to tokenise.
 */

import { isRevokedProxy } from '../describe';
import { readNames } from '../read-names';
import type { Encoder } from '../trainer/encoder';
import type { Tower } from '../trainer/tower';
import * as check from '../validate';
import { type BatchTexts, readBatchTexts, requireTexts } from './text-batch';
import { type PairIds, pairIds } from './text-ids';

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

export interface TowerOptions {
  /** Encodes the queries, and without `keyEncoder` the keys as well. A chunk is an array of texts. */
  encoder: Encoder<string[]>;
  /** Encodes keys and hard negatives, if not `encoder` does. */
  keyEncoder?: Encoder<string[]> | undefined;
  /** Texts of a chunk. */
  chunkRows: number;
}

/** Parts of the options of `chunkedStep`. */
export interface BatchTowers {
  queries: Tower<string[]>;
  /** The keys, and after them the hard negatives as further keys: then the loss needs the objective 'infonce'. */
  keys: Tower<string[]>;
  /** Options of the loss: see {@link pairIds}. */
  ids: PairIds;
}

/**
 * Towers and ids of a batch, for `chunkedStep({ queries, keys, loss: { ...ids } })`. Hard negatives are further keys of the
 * tower of keys, and trained like them: every query is compared with the hard negatives of all queries. Key i belongs to
 * query i.
 *
 * Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE or ERR_ENCODER.
 */
export function batchTowers(batch: BatchTexts, options: TowerOptions): BatchTowers {
  const { queries, keys, hardNegatives } = readBatchTexts('batch', batch);
  const given = readNames('options', options, ['encoder', 'keyEncoder', 'chunkRows']);
  const chunkRows = check.positiveInteger('options.chunkRows', given.chunkRows);
  const encoder = requireEncoder('options.encoder', given.encoder);
  const keyEncoder =
    given.keyEncoder === undefined ? encoder : requireEncoder('options.keyEncoder', given.keyEncoder);
  const allKeys = [...keys, ...hardNegatives];
  return {
    queries: { encoder, chunks: textChunks(queries, chunkRows), rows: queries.length },
    keys: { encoder: keyEncoder, chunks: textChunks(allKeys, chunkRows), rows: allKeys.length },
    ids: pairIds(batch),
  };
}

/** `chunkedStep` checks the other methods. */
function requireEncoder(name: string, value: unknown): Encoder<string[]> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (isObject && !isRevokedProxy(value) && typeof (value as { encode?: unknown }).encode === 'function') {
    return value as Encoder<string[]>;
  }
  throw check.invalid('ERR_ENCODER', name, 'encoder with an encode method', value);
}
