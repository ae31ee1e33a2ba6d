/**
 * The encode phase of one tower: every chunk becomes features in a cache or a store, without a graph.
 *
 * Refuses a tower without chunks. Knows no loss and no gradient.
 */

import { codedError } from '../errors';
import { readChunks } from './read-chunks';
import type { CheckedTower } from './tower';

/** Where features go, chunk by chunk. */
export interface FeatureSink {
  readonly rows: number;
  /** The features may change when this is done, or its promise has settled. */
  append(features: unknown, randomState: unknown): void | Promise<void>;
}

export interface EncodePhase {
  /** Name in messages of the function that makes the chunks. */
  chunksName: string;
  /** Whether a second pass will follow, which replays the random states. */
  keepStates: boolean;
  /** Called after each chunk, while no chunk is in flight. */
  afterChunk(): Promise<void>;
}

/** Throws ERR_CHUNKS for no chunks, errors of the encoder and of the iterator, and those of the sink. */
export async function encodeChunks<Input>(
  { encoder, makeChunks }: Pick<CheckedTower<Input, string>, 'encoder' | 'makeChunks'>,
  sink: FeatureSink,
  { chunksName, keepStates, afterChunk }: EncodePhase,
): Promise<void> {
  for await (const input of readChunks<Input>(chunksName, makeChunks)) {
    const randomState = keepStates ? encoder.randomState?.() : undefined;
    const appended = sink.append(await encoder.encode(input), randomState);
    if (appended !== undefined) await appended;
    await afterChunk();
  }
  if (sink.rows === 0) {
    throw codedError('ERR_CHUNKS', `Expected at least one chunk from ${chunksName}() but received none`);
  }
}
