/**
 * The memory of one call, as extents of addresses: memory that it reads, and the caller's memory that
 * it writes.
 *
 * Refuses outputs that share memory with an input or with another output of the call. Knows nothing of other
 * calls; `memory-in-flight.ts` does.
 */

import { codedError } from '../errors';
import { addressOf, byteExtent } from '../matrix/device-memory';
import { type CallMemory, type Extent, overlap } from '../matrix/memory-extent';
import type { ContrastiveRequest, NativeBinding, NativeMatrix, NativeOutput } from '../native/binding';
import { lengthOf } from '../typed-array';

/** A matrix, or an array of the host. */
export type Memory = NativeMatrix | NativeOutput | Int32Array;

/** Memory under the name that messages use. */
export type NamedMemory = readonly [name: string, memory: Memory];

/**
 * Addresses of the memory of a call. Inputs may overlap each other: a batch against itself. Throws
 * ERR_OVERLAP for an output that overlaps an input or another output.
 */
export function extentsOf(
  { read, written }: CallMemory<NamedMemory>,
  binding: Pick<NativeBinding, 'memoryAddress'>,
): CallMemory<Extent> {
  const locate = (memory: NamedMemory) => extentOf(memory, binding);
  const extents = { read: read.map(locate), written: written.map(locate) };
  extents.written.forEach((output, i) => {
    const other = [...extents.written.slice(i + 1), ...extents.read].find((one) => overlap(output, one));
    if (other)
      throw codedError('ERR_OVERLAP', `Expected ${output.name} not to share memory with ${other.name}`);
  });
  return extents;
}

// A number is exact for every address: no platform of Node has more than 2^53 bytes of address space.
function extentOf([name, memory]: NamedMemory, binding: Pick<NativeBinding, 'memoryAddress'>): Extent {
  if (ArrayBuffer.isView(memory)) {
    const begin = binding.memoryAddress(memory);
    return { name, device: undefined, begin, end: begin + 4 * lengthOf(memory) };
  }
  const begin = memory.device === undefined ? binding.memoryAddress(memory.data) : Number(addressOf(memory));
  return { name, device: memory.device, begin, end: begin + byteExtent(memory) };
}

/** The caller's memory of a loss, by the names of messages. */
export function buffersOf(request: ContrastiveRequest): Record<string, Memory | null> {
  const { queries, keys, hardNegatives, queryIds, keyIds, hardNegativeIds } = request;
  const { queryGrads, keyGrads, hardNegativeGrads, guide, teacher } = request;
  return {
    queries,
    keys,
    'hardNegatives.keys': hardNegatives,
    queryIds,
    keyIds,
    'hardNegatives.ids': hardNegativeIds,
    'guide.queries': guide?.queries ?? null,
    'guide.keys': guide?.keys ?? null,
    'guide.hardNegatives': guide?.hardNegatives ?? null,
    'teacher.queries': teacher?.queries ?? null,
    'teacher.keys': teacher?.keys ?? null,
    queryGrads,
    keyGrads,
    hardNegativeGrads,
  };
}

/**
 * Returns a check, for after the call, that no buffer was detached. Another thread may have written or read a
 * buffer that was transferred away during the call, so the results mean nothing.
 */
export function rememberBuffers(buffers: Readonly<Record<string, Memory | null>>): () => void {
  const lengths = Object.entries(buffers).flatMap(([name, memory]) => {
    const array = memory && hostArray(memory);
    return array ? [{ name, array, length: lengthOf(array) }] : [];
  });
  return () => {
    const lost = lengths.find(({ array, length }) => lengthOf(array) !== length);
    if (lost) {
      throw codedError('ERR_DETACHED', `The buffer of ${lost.name} was detached while the call ran`);
    }
  };
}

/** The array of a matrix or output on the host; null for one in a file or on a device. */
function hostArray(memory: Memory): ArrayBufferView | null {
  if (ArrayBuffer.isView(memory)) return memory;
  return ArrayBuffer.isView(memory.data) ? memory.data : null;
}
