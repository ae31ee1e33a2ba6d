/**
 * Signals of polyfills, and signals whose methods throw: they stop the call that they were given to, and harm
 * no other call. The queue goes on, and no timer stays behind.
 */
import { contrastiveLoss, contrastiveLossSync } from '../../lib';
import { CallQueue } from '../../lib/loss/call-queue';
import { makePair } from '../reference/inputs';

const { queries, keys } = makePair({ rows: 40, dim: 8, seed: 97 });
/** Runs for longer than anybody waits, so that only an abort can end it. */
const endless = { data: new Float32Array(60_000 * 256).fill(0.0625), shape: [60_000, 256] as const };

/** A signal like those of polyfills: `dispatch` decides what listeners are called with. */
function polyfill(dispatch: (listener: (event?: unknown) => void) => void, more: object = {}) {
  const listeners = new Set<(event?: unknown) => void>();
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
    throwIfAborted() {
      if (signal.aborted) throw signal.reason;
    },
    ...more,
  };
  const abort = (reason: unknown) => {
    Object.assign(signal, { aborted: true, reason });
    for (const listener of [...listeners]) dispatch(listener);
  };
  return { signal: signal as unknown as AbortSignal, abort, listeners };
}

const plainEvent = (listener: (event?: unknown) => void) => listener({ type: 'abort' });
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  );
const expected = contrastiveLossSync(queries, keys).loss;
const expectUsable = async () => expect((await contrastiveLoss(queries, keys)).loss).toBe(expected);

it.each<[string, (listener: (event?: unknown) => void) => void]>([
  ['with an event without currentTarget', plainEvent],
  ['without an event', (listener) => listener()],
  ['with an event of another target', (listener) => listener({ currentTarget: {} })],
])('a signal that calls its listeners %s stops the running call', async (_, dispatch) => {
  const { signal, abort, listeners } = polyfill(dispatch);
  const running = outcomeOf(contrastiveLoss(endless, endless, { signal }));
  const waiting = outcomeOf(contrastiveLoss(queries, keys, { signal }));
  setTimeout(() => abort('enough'), 20);
  expect(await running).toBe('enough');
  expect(await waiting).toBe('enough');
  await expectUsable();
  expect(listeners.size).toBe(0);
});

const broken = () => {
  throw new Error('broken signal');
};

describe('a signal whose removeEventListener throws', () => {
  it('changes the outcome of no call, before, with or after it', async () => {
    const { signal } = polyfill(plainEvent, { removeEventListener: broken });
    const innocent = contrastiveLoss(queries, keys);
    const own = contrastiveLoss(queries, keys, { signal });
    const later = contrastiveLoss(queries, keys);
    const losses = (await Promise.all([innocent, own, later])).map(({ loss }) => loss);
    expect(losses).toEqual([expected, expected, expected]);
    await expectUsable();
  });

  it('still aborts, while it waits', async () => {
    const { signal, abort } = polyfill(plainEvent, { removeEventListener: broken });
    const innocent = contrastiveLoss(queries, keys);
    const own = outcomeOf(contrastiveLoss(queries, keys, { signal }));
    abort('enough');
    expect(await own).toBe('enough');
    expect((await innocent).loss).toBe(expected);
    await expectUsable();
  });
});

describe('a signal whose addEventListener throws', () => {
  it.each(['that runs', 'that waits'])('rejects the call %s, and leaves nothing behind', async (which) => {
    const { signal } = polyfill(plainEvent, { addEventListener: broken });
    const exits = process.listenerCount('exit');
    const front = which === 'that waits' ? contrastiveLoss(queries, keys) : undefined;
    const onProgress = jest.fn();
    const own = outcomeOf(contrastiveLoss(queries, keys, { signal, onProgress }));
    expect(await own).toEqual(new Error('broken signal'));
    expect((await front)?.loss ?? expected).toBe(expected);
    expect(process.listenerCount('exit')).toBe(exits);
    await expectUsable();
    // a timer left behind would report progress every 50 ms
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(onProgress).not.toHaveBeenCalled();
  });
});

it('a signal whose throwIfAborted throws when its turn comes rejects its own call only', async () => {
  let calls = 0;
  const { signal } = polyfill(plainEvent, {
    throwIfAborted: () => {
      if (++calls > 1) broken();
    },
  });
  const innocent = contrastiveLoss(queries, keys);
  const own = outcomeOf(contrastiveLoss(queries, keys, { signal }));
  expect((await innocent).loss).toBe(expected);
  expect(await own).toEqual(new Error('broken signal'));
  await expectUsable();
});

it('a signal whose reason cannot be read rejects its own call only', async () => {
  const { signal, abort } = polyfill(plainEvent);
  const innocent = contrastiveLoss(queries, keys);
  const own = outcomeOf(contrastiveLoss(queries, keys, { signal }));
  const unreadable = new Error('no reason');
  const state = { aborted: true };
  Object.defineProperty(signal, 'reason', {
    get: () => {
      throw unreadable;
    },
    set: () => {},
  });
  abort(state);
  expect(await own).toBe(unreadable);
  expect((await innocent).loss).toBe(expected);
  await expectUsable();
});

it('a signal that calls its listener while it is added leaves no dead waiter in the queue', async () => {
  const queue = new CallQueue();
  const { signal } = polyfill(plainEvent, {
    addEventListener: (_: string, listener: () => void) => listener(),
    reason: 'at once',
  });
  let end!: () => void;
  const front = queue.run(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(queue.run(async () => 'ran', signal)).rejects.toBe('at once');
  const next = queue.run(async () => 'next');
  end();
  await front;
  expect(await next).toBe('next');
});

it('fake timers do not stop reports of progress', async () => {
  jest.useFakeTimers();
  try {
    const controller = new AbortController();
    const stop = () => controller.abort('seen');
    const running = contrastiveLoss(endless, endless, { signal: controller.signal, onProgress: stop });
    await expect(running).rejects.toBe('seen');
  } finally {
    jest.useRealTimers();
  }
});

describe.each(['throwIfAborted', 'addEventListener'])('a signal that loses %s after the check', (name) => {
  const losing = () => {
    const { signal } = polyfill(plainEvent);
    const method = signal[name as 'throwIfAborted'];
    let reads = 0;
    Object.defineProperty(signal, name, { get: () => (++reads > 1 ? 5 : method) });
    return signal;
  };

  it('rejects its own call with a code, whether the call runs or waits', async () => {
    const first = outcomeOf(contrastiveLoss(queries, keys, { signal: losing() }));
    const innocent = contrastiveLoss(queries, keys);
    const waiting = outcomeOf(contrastiveLoss(queries, keys, { signal: losing() }));
    expect(await first).toMatchObject({ code: 'ERR_TYPE', message: expect.stringContaining(name) });
    expect((await innocent).loss).toBe(expected);
    expect(await waiting).toMatchObject({ code: 'ERR_TYPE', message: expect.stringContaining(name) });
    await expectUsable();
  });
});
