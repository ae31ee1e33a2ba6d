/**
 * The keys of all ranks of a group, which come to each rank block by block. So no rank needs room for more than its own
 * keys and one block of each rank.
 *
 * Refuses searches that are not the same on all ranks: their results would be those of different questions.
 */

import { types } from 'node:util';
import { codedError } from '../errors';
import type { ProcessGroup } from '../group/process-group';
import { allocate } from '../matrix/allocate';
import { toHostMatrix } from '../matrix/features';
import { dtypes } from '../matrix/host-matrix';
import { isMappedFeatures } from '../matrix/mapped-features';
import type { NativeHostMatrix } from '../native/binding';

/** Some rows of one rank's keys. */
export interface KeyBlock {
  rank: number;
  /** Index of the first key of the block among the keys of all ranks, in rank order. */
  firstKey: number;
  keys: NativeHostMatrix;
  /** Of these keys, where they have ids. */
  ids: Int32Array | null;
}

/** What a rank has, and what must be equal on all. */
export interface OwnKeys {
  /** As the caller gave them: a matrix, or a store, which is read block by block. */
  features: unknown;
  rows: number;
  dim: number;
  dtype: NativeHostMatrix['dtype'];
  ids: Int32Array | null;
  k: number;
}

/** Bytes of the blocks of all ranks together. */
const roundBytes = 32 * 2 ** 20;
const fields = ['k', 'dim of keys', 'dtype of keys', 'options.excludeIds'] as const;

/** Numbers of keys of all ranks. Throws ERR_VALUE on all ranks where they differ in anything else. */
export async function agreeOnKeys(
  group: ProcessGroup,
  { rows, dim, dtype, ids, k }: OwnKeys,
): Promise<number[]> {
  const own = [rows, k, dim, dtypes.indexOf(dtype), ids === null ? 0 : 1];
  const all = await group.allGather(Int32Array.from(own));
  const of = (rank: number) => [...all.subarray(rank * own.length, (rank + 1) * own.length)];
  const [first, ...others] = Array.from({ length: group.size }, (_, rank) => of(rank)) as [
    number[],
    ...number[][],
  ];
  for (const [i, other] of others.entries()) {
    const at = other.findIndex((value, field) => field > 0 && value !== first[field]);
    if (at < 0) continue;
    const name = fields[at - 1]!;
    throw codedError(
      'ERR_VALUE',
      `Expected the same on all ranks but received ${name}: ${shown(name, other[at]!)} on rank ${i + 1}, ` +
        `${shown(name, first[at]!)} on rank 0`,
    );
  }
  return [first, ...others].map(([keys]) => keys!);
}

function shown(name: (typeof fields)[number], value: number): string {
  if (name === 'dtype of keys') return dtypes[value]!;
  return name === 'options.excludeIds' ? String(value === 1) : String(value);
}

/** All blocks, in an order that depends on the numbers of keys alone. `counts` is what the ranks agreed on. */
export async function* blocksOf(
  group: ProcessGroup,
  own: OwnKeys,
  counts: readonly number[],
): AsyncGenerator<KeyBlock> {
  const width = own.dim * (own.dtype === 'float32' ? 4 : 2);
  const rows = Math.max(1, Math.floor(roundBytes / width / group.size));
  const firsts = counts.map((_, rank) => counts.slice(0, rank).reduce((sum, count) => sum + count, 0));
  const most = Math.max(...counts);
  for (let begin = 0; begin < most; begin += rows) {
    const length = Math.min(rows, most - begin);
    const data = await group.allGather(packed(own, begin, length, width));
    const ids = own.ids && (await group.allGather(padded(own.ids, begin, length)));
    for (const [rank, count] of counts.entries()) {
      const there = Math.min(length, count - begin);
      if (there <= 0) continue;
      const keys = matrixIn(data, rank * length * width, { ...own, rows: there });
      const idsOf = ids?.slice(rank * length, rank * length + there) ?? null;
      yield { rank, firstKey: firsts[rank]! + begin, keys, ids: idsOf };
    }
  }
}

/** Own rows from `begin` on as bytes without gaps, then zeros. */
function packed({ features, rows }: OwnKeys, begin: number, length: number, width: number): Uint8Array {
  const bytes = allocate('a block of keys', length * width, () => new Uint8Array(length * width));
  const end = Math.min(rows, begin + length);
  if (end <= begin) return bytes;
  const stored = isMappedFeatures(features);
  const { data, dim, rowStride } = toHostMatrix('keys', stored ? features.rows(begin, end) : features);
  const first = stored ? 0 : begin;
  const into = types.isFloat32Array(data) ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
  for (let row = 0; row < end - begin; row++) {
    const from = (first + row) * rowStride;
    into.set(data.subarray(from, from + dim), row * dim);
  }
  return bytes;
}

function padded(ids: Int32Array, begin: number, length: number): Int32Array {
  const block = new Int32Array(length);
  block.set(ids.subarray(begin, begin + length));
  return block;
}

function matrixIn(
  bytes: Uint8Array,
  offset: number,
  { rows, dim, dtype }: Pick<OwnKeys, 'rows' | 'dim' | 'dtype'>,
): NativeHostMatrix {
  const Class = dtype === 'float32' ? Float32Array : Uint16Array;
  const data = new Class(bytes.buffer as ArrayBuffer, bytes.byteOffset + offset, rows * dim);
  return { data, dtype, rows, dim, rowStride: dim };
}
