/**
 * Reads the chunks of one pass, one at a time, from whatever iterator the caller's `chunks` function makes. Closes the
 * iterator however the pass ends.
 *
 * Refuses what is no iterator of chunks, with ERR_CHUNKS. Never looks at a chunk.
 */

import { codedError, type InfclError } from '../errors';
import { ignoreRejection, isThenable } from '../thenable';
import { invalid } from '../validate';

/** Sync or async: what `next` and `return` give may be a promise. */
interface ChunkIterator {
  next(): unknown;
  return?(): unknown;
}

/** @param name What the error messages call the `chunks` function. */
export async function* readChunks<Input>(name: string, makeChunks: () => unknown): AsyncGenerator<Input> {
  const iterator = openIterator(name, makeChunks());
  // an iterator that ended or failed by itself is closed already
  let open = false;
  try {
    for (;;) {
      const step = await iterator.next();
      if (typeof step !== 'object' || step === null) {
        throw chunksError(name, 'an object { done, value } from next() of the iterator', step);
      }
      const { done, value } = step as { done?: boolean; value?: Input };
      if (done) return;
      open = true;
      // as `for await` does: a sync iterator may yield promises
      yield (await value) as Input;
      open = false;
    }
  } finally {
    if (open) await iterator.return?.();
  }
}

function openIterator(name: string, made: unknown): ChunkIterator {
  if (isThenable(made)) {
    ignoreRejection(made);
    throw chunksError(
      name,
      'an iterable',
      made,
      '; write an async generator: async function* () { yield ... }',
    );
  }
  if (ArrayBuffer.isView(made)) {
    throw chunksError(name, 'an iterable of chunks', made, '; a batch of one chunk is [chunk]');
  }
  const iterable = (typeof made === 'object' || typeof made === 'function' ? made : null) as {
    [Symbol.asyncIterator]?: unknown;
    [Symbol.iterator]?: unknown;
  } | null;
  const open = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
  if (typeof open !== 'function') throw chunksError(name, 'an iterable or async iterable', made);
  const iterator = Reflect.apply(open, iterable, []) as ChunkIterator | null | undefined;
  if (typeof iterator?.next !== 'function') {
    throw chunksError(name, 'an iterator with a next method', iterator);
  }
  return iterator;
}

function chunksError(name: string, expected: string, received: unknown, hint = ''): InfclError {
  return invalid('ERR_CHUNKS', `the result of ${name}()`, expected, received, hint);
}

/** Of a pass that yields another number of chunks than the first, or none. */
export function chunkCountError(name: string, expected: number, received: string): InfclError {
  return codedError(
    'ERR_CHUNKS',
    `Expected ${expected} chunks from the second ${name}(), as from the first, but received ${received}: every ` +
      'call must return a fresh iterator over the same chunks',
  );
}
