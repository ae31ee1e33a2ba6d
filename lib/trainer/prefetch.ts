/**
 * Makes the next chunk while the present one is encoded: reading, decoding and tokenising overlap with the network.
 *
 * Refuses to run ahead by more than asked. One chunk is made at a time, in order.
 */

import * as check from '../validate';
import { readChunks } from './read-chunks';

/**
 * A function like `chunks`, whose iterator stays up to `depth` chunks ahead of its reader. The chunks are the same
 * in the same order, so a tower may use it for both passes.
 *
 * Only work that waits can overlap: an async generator that reads files or asks a service. Code that computes
 * without a pause blocks the thread as before. Memory holds `depth` more chunks.
 *
 * A generator goes on after its `yield` while its chunk is still in use: it must not free the chunk there. Make
 * tensors in a second generator, around this one.
 *
 * An error of the iterator reaches the reader when the chunks before it were read. An end of the reading closes the
 * iterator, after the chunk that is being made.
 *
 * @param chunks Returns a fresh iterable, sync or async, at each call.
 * @param depth How many chunks, at least 1; default 1.
 *
 * Throws ERR_TYPE or ERR_VALUE. The iterator rejects with ERR_CHUNKS where `chunks` returns no iterable.
 */
export function prefetch<Chunk>(
  chunks: () => Iterable<Chunk> | AsyncIterable<Chunk>,
  depth = 1,
): () => AsyncGenerator<Chunk, void, undefined> {
  const makeChunks = check.callback<() => unknown>('chunks', chunks);
  const most = check.positiveInteger('depth', depth);
  return function (this: unknown) {
    const source = readChunks<Chunk>('chunks', () => Reflect.apply(makeChunks, this, []));
    return readAhead(source, most);
  };
}

const end = { done: true, value: undefined } as const;

async function* readAhead<Chunk>(
  source: AsyncGenerator<Chunk>,
  depth: number,
): AsyncGenerator<Chunk, void, undefined> {
  const asked: Promise<IteratorResult<Chunk, unknown>>[] = [];
  let before: Promise<unknown> = Promise.resolve();
  let isOver = false;
  const ask = () => {
    const next = before.then(() => (isOver ? end : source.next()));
    // nobody may wait for this promise any more when it rejects
    before = next.catch(() => {});
    asked.push(next);
  };
  try {
    ask();
    for (;;) {
      const { done, value } = await asked.shift()!;
      if (done) return;
      while (asked.length < depth) ask();
      yield value;
    }
  } finally {
    isOver = true;
    await before;
    await source.return(undefined);
  }
}
