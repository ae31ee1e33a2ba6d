/**
 * One training on several ranks: which part of each batch a rank encodes, and what all ranks do about an error of one.
 * Refuses to divide chunks: each chunk then draws the dropout that it would draw in one process.
 */

import type { ProcessGroup } from 'infcl/distributed';
import { UsageError } from '../errors.js';

/** The chunks of a batch that one rank encodes. */
export interface Shard {
  /** The first row. */
  begin: number;
  /** The row after the last one. */
  end: number;
  firstChunk: number;
  /** Chunks of the whole batch. */
  allChunks: number;
}

/** Without a group the whole batch. */
export function shardOf(batch: number, chunkRows: number, group?: ProcessGroup): Shard {
  const { rank, size } = group ?? { rank: 0, size: 1 };
  const allChunks = Math.ceil(batch / chunkRows);
  const firstOf = (r: number) => Math.floor((allChunks * r) / size);
  const firstRow = (r: number) => Math.min(batch, chunkRows * firstOf(r));
  return { begin: firstRow(rank), end: firstRow(rank + 1), firstChunk: firstOf(rank), allChunks };
}

/** Throws {@link UsageError} for a batch that leaves a rank without rows. */
export function requireRows(batch: number, chunkRows: number, { size }: ProcessGroup): void {
  if (Math.ceil(batch / chunkRows) >= size) return;
  throw new UsageError(
    `Expected a --batch of more than ${chunkRows * (size - 1)}, one chunk of ${chunkRows} pairs for each of ${size} ` +
      `ranks, but received ${batch}`,
  );
}

/**
 * The error of this rank after a step that failed, for which all ranks must call this function. Features that are not
 * finite on one rank are the divergence of all: weights are the same everywhere.
 */
export async function commonError(group: ProcessGroup, error: unknown): Promise<unknown> {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isNotFinite = code === 'ERR_NOT_FINITE';
  try {
    const [someIsNot] = await group.allReduce(Int32Array.of(isNotFinite ? 1 : 0), 'max');
    if (isNotFinite || someIsNot === 0) return error;
  } catch {
    // the group is broken, and the first error says why
    return error;
  }
  return Object.assign(new Error(String(message), { cause: error }), { code: 'ERR_NOT_FINITE' });
}
