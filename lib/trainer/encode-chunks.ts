/**
 * The encode phase of one tower: every chunk becomes features in the cache, without a graph.
 *
 * Refuses a tower without chunks. Knows no loss and no gradient.
 */

import { codedError } from '../errors';
import { readChunks } from './read-chunks';
import type { RepresentationCache } from './representation-cache';
import type { CheckedTower } from './tower';

export interface EncodePhase {
  /** Name in messages of the function that makes the chunks. */
  chunksName: string;
  /** Whether a second pass will follow, which replays the random states. */
  keepStates: boolean;
  /** Called after each chunk, while no chunk is in flight. */
  afterChunk(): Promise<void>;
}

/** Throws ERR_CHUNKS for no chunks, errors of the encoder and of the iterator, and those of the cache. */
export async function encodeChunks<Input>(
  { encoder, makeChunks }: Pick<CheckedTower<Input, string>, 'encoder' | 'makeChunks'>,
  cache: RepresentationCache,
  { chunksName, keepStates, afterChunk }: EncodePhase,
): Promise<void> {
  for await (const input of readChunks<Input>(chunksName, makeChunks)) {
    const randomState = keepStates ? encoder.randomState?.() : undefined;
    cache.append(await encoder.encode(input), randomState);
    await afterChunk();
  }
  if (cache.rows === 0) {
    throw codedError('ERR_CHUNKS', `Expected at least one chunk from ${chunksName}() but received none`);
  }
}
