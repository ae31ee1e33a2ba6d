/** A group over a native side that is not there: it records the calls that reach it, and answers as a test wants. */

import { type GroupBinding, MpiGroup } from '../../lib/distributed/mpi-group';
import type { CollectiveRequest, GroupHandle } from '../../lib/native/binding';

export interface FakeGroup {
  group: MpiGroup;
  /** Calls that reached native code, in order. */
  requests: CollectiveRequest[];
  /** How often the group was closed. */
  closed(): number;
}

const addresses = new WeakMap<ArrayBufferLike, number>();
let nextAddress = 4096;

/** As if every buffer lay in memory of its own. */
function fakeAddress({ buffer, byteOffset }: ArrayBufferView): number {
  const known = addresses.get(buffer) ?? nextAddress;
  if (!addresses.has(buffer)) nextAddress += buffer.byteLength + 4096;
  addresses.set(buffer, known);
  return known + byteOffset;
}

export function fakeGroup(overrides: Partial<GroupBinding> = {}, { rank = 0, size = 2 } = {}): FakeGroup {
  const requests: CollectiveRequest[] = [];
  let closed = 0;
  const binding: GroupBinding = {
    callGroup: async (_, request) => void requests.push(request),
    closeGroup: async () => void closed++,
    memoryAddress: (memory) => fakeAddress(memory as ArrayBufferView),
    ...overrides,
  };
  const native = {
    handle: {} as GroupHandle,
    rank,
    size,
    library: 'libfake.so',
    layout: 'MPICH',
    version: '1',
  };
  return { group: new MpiGroup(binding, native, 60_000), requests, closed: () => closed };
}
