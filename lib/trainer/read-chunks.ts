/**
 * Reads the chunks of one phase, one at a time, from the iterator that the caller's `chunks` function makes.
 * Closes the iterator, also after an error.
 *
 * Refuses values that are no iterator of chunks, with ERR_CHUNKS. Never looks at a chunk.
 */

import { codedError, type InfclError } from '../errors';
import { ignoreRejection, isThenable } from '../thenable';
import { invalid } from '../validate';

/** A sync or async iterator: `next` and `return` may return promises. */
interface ChunkIterator {
  next(): unknown;
  return?(): unknown;
}

/** @param name Name of the `chunks` function in error messages. */
export async function* readChunks<Input>(name: string, makeChunks: () => unknown): AsyncGenerator<Input> {
  const iterator = openIterator(name, makeChunks());
  // an iterator that ended or failed is closed already
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

/** The error for a backward phase with no chunks, or with another number of chunks than the encode phase. */
export function chunkCountError(name: string, expected: number, received: string): InfclError {
  return codedError(
    'ERR_CHUNKS',
    `Expected ${expected} chunks from the second ${name}(), as from the first, but received ${received}: every ` +
      'call must return a fresh iterator over the same chunks',
  );
}
