/** The methods of a group: what they refuse, what reaches native code, and what the other ranks are told. */
import { setImmediate as soon } from 'node:timers/promises';
import type { InfclError } from '../../lib/errors';
import type { CollectiveArray, ProcessGroup } from '../../lib/group/process-group';
import { expectError, type Thrown } from '../lib/fake-binding';
import { fakeGroup } from './fake-group';

/** Calls with values of any type, as JavaScript makes them. */
type Untyped = Record<'allReduce' | 'broadcast' | 'allGather', (...args: unknown[]) => Promise<unknown>>;
const untyped = (group: ProcessGroup) => group as unknown as Untyped;

async function rejection(promise: Promise<unknown>): Promise<InfclError> {
  return promise.then(
    () => {
      throw new Error('the promise was fulfilled');
    },
    (error) => error,
  );
}

it('says rank, size and timeout', () => {
  const { group } = fakeGroup({}, { rank: 3, size: 5 });
  expect([group.rank, group.size, group.timeout]).toEqual([3, 5, 60_000]);
});

describe('what reaches native code', () => {
  it.each([
    [Float32Array, 'float32'],
    [Float64Array, 'float64'],
    [Int32Array, 'int32'],
  ] as const)('allReduce of a %p', async (Class, dtype) => {
    const { group, requests } = fakeGroup();
    const values = new Class(3);
    expect(await group.allReduce(values)).toBe(values);
    expect(await group.allReduce(values, 'max')).toBe(values);
    const common = { call: 'allReduce', dtype, values, root: 0, into: null };
    expect(requests).toEqual([
      { ...common, operation: 'sum' },
      { ...common, operation: 'max' },
    ]);
    expect(requests[0]!.values).toBe(values);
  });

  it('broadcast, allGather and barrier', async () => {
    const { group, requests } = fakeGroup();
    const values = Uint8Array.of(1, 2, 3);
    expect(await group.broadcast(values, 1)).toBe(values);
    const gathered = await group.allGather(values);
    expect(await group.barrier()).toBeUndefined();
    const empty = { operation: '', root: 0, into: null };
    expect(requests).toEqual([
      { ...empty, call: 'broadcast', dtype: 'uint8', values, root: 1 },
      { ...empty, call: 'allGather', dtype: 'uint8', values, into: gathered },
      { ...empty, call: 'barrier', dtype: '', values: null },
    ]);
    expect(gathered).toEqual(new Uint8Array(6));
  });
});

const table: [what: string, call: (group: Untyped) => Promise<unknown>, thrown: Thrown][] = [
  [
    'no array',
    (g) => g.allReduce('ten'),
    {
      type: TypeError,
      code: 'ERR_TYPE',
      message: /^Expected Float32Array, Float64Array or Int32Array for values but received ten/,
    },
  ],
  [
    'an array of numbers',
    (g) => g.allReduce([1, 2]),
    { type: TypeError, code: 'ERR_TYPE', message: /Float32Array.from\(values, Number\) makes one/ },
  ],
  [
    'bytes to reduce',
    (g) => g.allReduce(new Uint8Array(1)),
    { type: TypeError, code: 'ERR_TYPE', message: /but received an instance of Uint8Array/ },
  ],
  [
    'an element type without a name',
    (g) => g.broadcast(new Int16Array(1)),
    {
      type: TypeError,
      code: 'ERR_TYPE',
      message: /^Expected Float32Array, Float64Array, Int32Array or Uint8Array for values/,
    },
  ],
  [
    'a Proxy',
    (g) => g.allGather(new Proxy(new Float32Array(1), {})),
    { type: TypeError, code: 'ERR_TYPE', message: /a Proxy of an instance of Float32Array/ },
  ],
  [
    'another operation',
    (g) => g.allReduce(new Float32Array(1), 'mean'),
    {
      type: RangeError,
      code: 'ERR_VALUE',
      message: /^Expected one of sum, min, max for operation but received mean/,
    },
  ],
  [
    'an operation that is no word',
    (g) => g.allReduce(new Float32Array(1), 1),
    { type: TypeError, code: 'ERR_TYPE', message: /for operation/ },
  ],
  [
    'a root that is no rank',
    (g) => g.broadcast(new Float32Array(1), 2),
    { type: RangeError, code: 'ERR_VALUE', message: /^Expected a rank below 2 for root but received 2/ },
  ],
  [
    'a negative root',
    (g) => g.broadcast(new Float32Array(1), -1),
    { type: RangeError, code: 'ERR_VALUE', message: /non-negative integer for root/ },
  ],
  [
    'a root that is no number',
    (g) => g.broadcast(new Float32Array(1), '0'),
    { type: TypeError, code: 'ERR_TYPE', message: /for root/ },
  ],
  [
    'memory that may move',
    (g) =>
      g.allGather(
        new Float32Array(
          new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(8, { maxByteLength: 16 }),
        ),
      ),
    { type: TypeError, code: 'ERR_BUFFER', message: /for values/ },
  ],
  [
    'memory that is gone',
    (g) => g.allReduce(detached()),
    { type: TypeError, code: 'ERR_DETACHED', message: /for values/ },
  ],
];

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

it.each(table)('%s is refused, and the other ranks are told why', async (_, call, thrown) => {
  const { group, requests, refusals } = fakeGroup();
  const error = await rejection(call(untyped(group)));
  expectError(error, thrown);
  await soon();
  expect([requests, refusals]).toEqual([[], [{ message: error.message, started: false }]]);
});

describe('one array in two calls', () => {
  it('is refused where one of them writes, until that call has ended', async () => {
    let end = () => {};
    const requests: unknown[] = [];
    const { group } = fakeGroup({
      callGroup: (_, request) => {
        requests.push(request);
        return new Promise((resolve) => (end = resolve));
      },
    });
    const values = new Float32Array(8);
    const first = group.allReduce(values);
    await soon();
    expect(requests).toHaveLength(1);
    const error = await rejection(group.allGather(values.subarray(7)));
    expectError(error, {
      type: RangeError,
      code: 'ERR_OVERLAP',
      message: /Expected values not to share memory with values of a call/,
    });
    end();
    await first;
    const second = group.allGather(values);
    await soon();
    end();
    await second;
  });

  it('may be read by both', async () => {
    const { group } = fakeGroup();
    const values = new Float32Array(8);
    await Promise.all([group.allGather(values), group.allGather(values)]);
  });
});

it('an array that is transferred away during the call is an error', async () => {
  const values = new Float32Array(4);
  const { group } = fakeGroup({
    callGroup: async () => void structuredClone(values.buffer, { transfer: [values.buffer] }),
  });
  const error = await rejection(group.allReduce(values));
  expectError(error, {
    type: TypeError,
    code: 'ERR_DETACHED',
    message: 'The buffer of values was detached while the call ran',
  });
});

it('errors of native code get the class of their code', async () => {
  const fail = () => {
    throw Object.assign(new Error('[group] rank 1 has ended'), { code: 'ERR_RANK_FAILED' });
  };
  for (const callGroup of [async () => fail(), fail]) {
    const { group, refusals } = fakeGroup({ callGroup });
    const values = new Float32Array(1);
    // twice: a failed call gives its memory back
    for (const call of [group.allReduce(values), group.barrier()]) {
      expectError(await rejection(call), {
        type: Error,
        code: 'ERR_RANK_FAILED',
        message: /rank 1 has ended/,
      });
    }
    expectError(await rejection(group.broadcast(values)), {
      type: Error,
      code: 'ERR_RANK_FAILED',
      message: /rank 1/,
    });
    // native code knows whether the others still wait for such a call
    expect(refusals).toEqual(new Array(3).fill({ message: expect.stringMatching(/rank 1/), started: true }));
  }
});

describe('close', () => {
  it('ends the group once, and later calls are refused', async () => {
    const { group, requests, closed } = fakeGroup();
    const values: CollectiveArray = new Float32Array(1);
    const running = group.allReduce(values);
    const first = group.close();
    expect(group.close()).toBe(first);
    await Promise.all([running, first, group[Symbol.asyncDispose]()]);
    expect([closed(), requests.length]).toEqual([1, 1]);
    for (const call of [
      group.allReduce(values),
      group.broadcast(values),
      group.allGather(values),
      group.barrier(),
    ]) {
      expectError(await rejection(call), {
        type: TypeError,
        code: 'ERR_DISPOSED',
        message: 'The group was closed on this rank',
      });
    }
    expect(requests).toHaveLength(1);
  });
});
