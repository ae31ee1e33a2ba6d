/**
 * Memory that a call in flight writes belongs to that call until it settles. No call may write memory that
 * a call in flight reads. The native side is a fake that ends when told to, and the addon where memory
 * itself matters.
 */
import { type ContrastiveOptions, contrastiveLossAndGrad, contrastiveLossSync } from '../../lib';
import type { LossFunctions } from '../../lib/loss/contrastive-loss';
import type { MatrixLike } from '../../lib/matrix/host-matrix';
import type { Extent } from '../../lib/matrix/memory-extent';
import { MemoryInFlight } from '../../lib/matrix/memory-in-flight';
import { makePair } from '../reference/inputs';
import { expectError, fakeNative, fakeResponse, matrix, thrownBy } from './fake-binding';

type Call = readonly [queries: MatrixLike, keys: MatrixLike, options: ContrastiveOptions];

/** Functions whose asynchronous calls end, or fail, when told to; blocking calls end at once. */
function heldNative() {
  const ends: ((error?: Error) => void)[] = [];
  const { functions } = fakeNative({
    contrastive: () =>
      new Promise((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve(fakeResponse)));
      }),
  });
  return { functions, end: (error?: Error) => ends.shift()!(error) };
}

/** The result of a second call that starts while the first is in flight: asynchronous, and blocking. */
async function refusals(functions: LossFunctions, second: Call) {
  const rejected = functions.contrastiveLossAndGrad(...second).then(
    () => 'no error',
    (error) => error,
  );
  return [await rejected, thrownBy(() => functions.contrastiveLossAndGradSync(...second))];
}

const features = () => matrix(3, 4);
const array = () => new Float32Array(12);
const ids = (data: Float32Array) => ({
  queryIds: new Int32Array(data.buffer, 0, 3),
  keyIds: new Int32Array(3),
});

/** Two calls that share `memory`, and what the second is told. */
const conflicts: [string, (memory: Float32Array) => [Call, Call], string][] = [
  [
    'both write',
    (memory) => [
      [features(), features(), { out: { queryGrads: memory } }],
      [features(), features(), { out: { keyGrads: memory } }],
    ],
    'options.out.keyGrads not to share memory with options.out.queryGrads of a call that waits or runs',
  ],
  [
    'the first writes what the second reads',
    (memory) => [
      [features(), features(), { out: { queryGrads: memory } }],
      [features(), { data: memory, shape: [3, 4] }, {}],
    ],
    'keys.data not to share memory with options.out.queryGrads of a call',
  ],
  [
    'the first writes what the second takes ids from',
    (memory) => [
      [features(), features(), { out: { keyGrads: memory } }],
      [features(), features(), ids(memory)],
    ],
    'options.queryIds not to share memory with options.out.keyGrads of a call',
  ],
  [
    'the first reads what the second writes',
    (memory) => [
      [{ data: memory, shape: [3, 4] }, features(), {}],
      [features(), features(), { out: { queryGrads: memory } }],
    ],
    'options.out.queryGrads not to share memory with queries.data of a call',
  ],
  [
    'the first reads hard negatives that the second writes',
    (memory) => [
      [features(), features(), { hardNegatives: { keys: { data: memory, shape: [3, 4] }, perQuery: 1 } }],
      [features(), features(), { out: { queryGrads: memory } }],
    ],
    'options.out.queryGrads not to share memory with options.hardNegatives.keys.data of a call',
  ],
];

describe.each(conflicts)('%s', (_, make, message) => {
  const expected = { type: RangeError, code: 'ERR_OVERLAP', message };

  it('while the first runs, and not once it has ended', async () => {
    const { functions, end } = heldNative();
    const [first, second] = make(array());
    const running = functions.contrastiveLossAndGrad(...first);
    for (const error of await refusals(functions, second)) expectError(error, expected);
    end();
    await running;
    functions.contrastiveLossAndGradSync(...second);
    const again = functions.contrastiveLossAndGrad(...second);
    end();
    await again;
  });

  it('while the first waits', async () => {
    const { functions, end } = heldNative();
    const front = functions.contrastiveLoss(features(), features());
    const [first, second] = make(array());
    const waiting = functions.contrastiveLossAndGrad(...first);
    for (const error of await refusals(functions, second)) expectError(error, expected);
    end();
    await front;
    end();
    await waiting;
  });

  it('not after the first has failed', async () => {
    const { functions, end } = heldNative();
    const [first, second] = make(array());
    const failing = functions.contrastiveLossAndGrad(...first);
    const failure = new Error('native');
    end(failure);
    await expect(failing).rejects.toBe(failure);
    functions.contrastiveLossAndGradSync(...second);
  });

  it('not after the first has left the queue, aborted', async () => {
    const { functions, end } = heldNative();
    const front = functions.contrastiveLoss(features(), features());
    const [[queries, keys, options], second] = make(array());
    const controller = new AbortController();
    const aborted = functions.contrastiveLossAndGrad(queries, keys, {
      ...options,
      signal: controller.signal,
    });
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    functions.contrastiveLossAndGradSync(...second);
    end();
    await front;
  });

  it('an abort of the first while it runs gives nothing back before native work has stopped', async () => {
    const { functions, end } = heldNative();
    const [[queries, keys, options], second] = make(array());
    const controller = new AbortController();
    const aborted = functions.contrastiveLossAndGrad(queries, keys, {
      ...options,
      signal: controller.signal,
    });
    controller.abort('enough');
    for (const error of await refusals(functions, second)) expectError(error, expected);
    end(new Error('stopped'));
    await expect(aborted).rejects.toBe('enough');
    functions.contrastiveLossAndGradSync(...second);
  });
});

it('a call that was refused takes no memory', async () => {
  const { functions, end } = heldNative();
  const [taken, other] = [array(), array()];
  const running = functions.contrastiveLossAndGrad(features(), features(), { out: { queryGrads: taken } });
  const out = { queryGrads: other, keyGrads: taken };
  expect((await refusals(functions, [features(), features(), { out }])).length).toBe(2);
  functions.contrastiveLossAndGradSync(features(), features(), { out: { queryGrads: other } });
  end();
  await running;
});

it('a call that a signal starts while a blocking call looks at it counts as one in flight', async () => {
  const { functions, end } = heldNative();
  const out = { queryGrads: array() };
  let started: Promise<unknown> | undefined;
  const signal = {
    aborted: false,
    addEventListener() {},
    removeEventListener() {},
    throwIfAborted() {
      started = functions.contrastiveLossAndGrad(features(), features(), { out });
    },
  } as unknown as AbortSignal;
  expectError(
    thrownBy(() => functions.contrastiveLossAndGradSync(features(), features(), { out, signal })),
    { type: RangeError, code: 'ERR_OVERLAP', message: 'options.out.queryGrads' },
  );
  end();
  await started;
});

it('calls in flight may read one memory', async () => {
  const { functions, end } = heldNative();
  const shared = features();
  const calls = [1, 2, 3].map(() => functions.contrastiveLossAndGrad(shared, shared));
  functions.contrastiveLossAndGradSync(shared, shared);
  for (const call of calls) {
    end();
    await call;
  }
});

describe('on the addon', () => {
  const { queries, keys } = makePair({ rows: 300, dim: 32, seed: 95 });

  it('results of calls at once are each their own', async () => {
    const out = { queryGrads: new Float32Array(300 * 32) };
    const first = contrastiveLossAndGrad(queries, keys, { logitScale: 1, out });
    const second = contrastiveLossAndGrad(queries, keys, { logitScale: 50, out });
    const third = contrastiveLossAndGrad({ data: out.queryGrads, shape: [300, 32] }, keys);
    const outcomes = await Promise.allSettled([second, third]);
    expect(outcomes.map((o) => o.status === 'rejected' && o.reason.code)).toEqual([
      'ERR_OVERLAP',
      'ERR_OVERLAP',
    ]);
    const alone = await contrastiveLossAndGrad(queries, keys, { logitScale: 1 });
    expect(
      Buffer.compare(Buffer.from((await first).queryGrads.buffer), Buffer.from(alone.queryGrads.buffer)),
    ).toBe(0);
  });

  it('by address: a clone of shared memory is the same memory', async () => {
    const memory = new SharedArrayBuffer(4 * 300 * 32);
    const out = { queryGrads: new Float32Array(memory) };
    const running = contrastiveLossAndGrad(queries, keys, { out });
    const clone = new Float32Array(structuredClone(memory));
    const error = thrownBy(() => contrastiveLossSync({ data: clone, shape: [300, 32] }, keys));
    expectError(error, { type: RangeError, code: 'ERR_OVERLAP', message: 'queries.data' });
    await running;
    expect(contrastiveLossSync({ data: clone, shape: [300, 32] }, keys).loss).toBeGreaterThan(0);
  });
});

describe('memory of devices', () => {
  const extent = (device: number | undefined, begin: number, end: number) => ({
    name: 'some',
    device,
    begin,
    end,
  });

  it.each([
    ['the same bytes', 1, 100, 200, true],
    ['bytes of them', 1, 199, 300, true],
    ['the bytes behind', 1, 200, 300, false],
    ['the same address of another device', 0, 100, 200, false],
    ['the same address of the host', undefined, 100, 200, false],
  ])('%s', (_, device, begin, end, refused) => {
    const inFlight = new MemoryInFlight();
    const leave = inFlight.enter({ read: [], written: [extent(1, 100, 200)] });
    const other = { read: [extent(device, begin, end)], written: [] };
    if (refused) expect(thrownBy(() => inFlight.check(other)).code).toBe('ERR_OVERLAP');
    else inFlight.check(other);
    leave();
    inFlight.check(other);
  });
});

it('any order of calls that come and go: as if every pair of extents had been compared', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 16807) % 2147483647;
    return seed % below;
  };
  const make = () => {
    const begin = random(300);
    return { name: 'some', device: random(2), begin, end: begin + 1 + random(20) };
  };
  const crosses = (a: Extent, b: Extent) => a.device === b.device && a.begin < b.end && b.begin < a.end;
  const inFlight = new MemoryInFlight();
  const calls: { read: Extent[]; written: Extent[]; leave: () => void }[] = [];
  let refused = 0;
  for (let step = 0; step < 5000; step++) {
    if (calls.length > 0 && random(2) === 0) {
      calls.splice(random(calls.length), 1)[0]!.leave();
      continue;
    }
    const call = { read: [make(), make()], written: [make()] };
    const isFree = calls.every(
      ({ read, written }) =>
        ![...call.read, ...call.written].some((one) => written.some((other) => crosses(one, other))) &&
        !call.written.some((one) => read.some((other) => crosses(one, other))),
    );
    if (isFree) calls.push({ ...call, leave: inFlight.enter(call) });
    else {
      refused++;
      expect(thrownBy(() => inFlight.enter(call)).code).toBe('ERR_OVERLAP');
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(4500);
});
