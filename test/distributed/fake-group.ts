/** A group over a native side that is not there: it records the calls that reach it, and answers as a test wants. */

import { type GroupBinding, makeGroup, type ProcessGroup } from '../../lib/group/process-group';
import type { CollectiveRequest, GroupHandle } from '../../lib/native/binding';

export interface FakeGroup {
  group: ProcessGroup;
  /** Calls that reached native code, in order. */
  requests: CollectiveRequest[];
  /** Calls that this rank refused. */
  refusals: { message: string; started: boolean }[];
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
  const refusals: FakeGroup['refusals'] = [];
  let closed = 0;
  const binding: GroupBinding = {
    callGroup: async (_, request) => void requests.push(request),
    refuseGroupCall: async (_, refusal) => void refusals.push(refusal),
    closeGroup: async () => void closed++,
    memoryAddress: (memory) => fakeAddress(memory as ArrayBufferView),
    ...overrides,
  };
  const place = { handle: {} as GroupHandle, rank, size, timeout: 60_000 };
  return { group: makeGroup(place, binding), requests, refusals, closed: () => closed };
}
