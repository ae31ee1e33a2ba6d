/**
 * A call while it runs, on the addon: abort, progress, errors in callbacks, and an event loop that stays
 * free. No test depends on how long anything takes, only on what comes before what.
 */
import {
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
} from '../../lib';
import type { Progress } from '../../lib/loss/contrastive-loss';
import { makePair } from '../reference/inputs';

const small = makePair({ rows: 40, dim: 8, seed: 71 });
/** Runs for longer than a tick of a timer. */
const brief = { ...makePair({ rows: 1500, dim: 128, seed: 73 }), options: { threads: 1 } };
/** Runs for some tenths of a second on one thread: several looks at the progress. */
const medium = makePair({ rows: 4000, dim: 192, seed: 72 });
/** Runs for longer than anybody waits, so that only an abort can end it. */
const endless = (() => {
  const shape = [60_000, 256] as const;
  const data = new Float32Array(shape[0] * shape[1]).fill(0.0625);
  return { data, shape };
})();

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  );

async function expectUsable(): Promise<void> {
  const { loss } = await contrastiveLoss(small.queries, small.keys);
  expect(loss).toBe(contrastiveLossSync(small.queries, small.keys).loss);
}

afterEach(expectUsable);

describe('abort', () => {
  const reason = new Error('enough');

  it('before the call: the promise rejects, the blocking call throws', async () => {
    const signal = AbortSignal.abort(reason);
    expect(await outcomeOf(contrastiveLoss(endless, endless, { signal }))).toBe(reason);
    expect(() => contrastiveLossSync(endless, endless, { signal })).toThrow(reason);
    expect(() => contrastiveLossAndGradSync(endless, endless, { signal })).toThrow(reason);
  });

  it('while queued: rejects at once, before the call in front has ended', async () => {
    const order: string[] = [];
    const front = new AbortController();
    const queued = new AbortController();
    const first = outcomeOf(contrastiveLoss(endless, endless, { signal: front.signal })).then((outcome) => {
      order.push('front');
      return outcome;
    });
    const second = outcomeOf(contrastiveLoss(small.queries, small.keys, { signal: queued.signal })).then(
      (outcome) => {
        order.push('queued');
        return outcome;
      },
    );
    const third = contrastiveLoss(small.queries, small.keys);
    queued.abort(reason);
    expect(await second).toBe(reason);
    front.abort();
    expect(await first).toBe(front.signal.reason);
    expect(order).toEqual(['queued', 'front']);
    expect((await third).loss).toBe(contrastiveLossSync(small.queries, small.keys).loss);
  });

  it.each(['forward', 'checks'])('while running, in the %s', async (when) => {
    const controller = new AbortController();
    const seen: Progress[] = [];
    const running = contrastiveLossAndGrad(endless, endless, {
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done);
        if (when === 'forward' && done.fraction > 0) controller.abort(reason);
      },
    });
    if (when === 'checks') setImmediate(() => controller.abort(reason));
    expect(await outcomeOf(running)).toBe(reason);
    expect(seen.every(({ fraction }) => fraction < 1)).toBe(true);
  });

  it('in the backward pass', async () => {
    const controller = new AbortController();
    const outcome = await outcomeOf(
      contrastiveLossAndGrad(medium.queries, medium.keys, {
        threads: 1,
        signal: controller.signal,
        onProgress: ({ phase }) => phase === 'backward' && controller.abort(reason),
      }),
    );
    expect(outcome).toBe(reason);
  });

  it('with the reason that AbortSignal makes up', async () => {
    const signal = AbortSignal.timeout(20);
    expect(await outcomeOf(contrastiveLoss(endless, endless, { signal }))).toBe(signal.reason);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('after the call does nothing, and leaves no listener behind', async () => {
    const controller = new AbortController();
    const listeners = process.listenerCount('exit');
    const add = jest.spyOn(controller.signal, 'addEventListener');
    const remove = jest.spyOn(controller.signal, 'removeEventListener');
    await contrastiveLoss(small.queries, small.keys, { signal: controller.signal });
    expect(add.mock.calls.length).toBeGreaterThan(0);
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    );
    expect(process.listenerCount('exit')).toBe(listeners);
    controller.abort();
  });
});

describe('progress', () => {
  // ntxent makes three passes in each phase
  it.each(['clip', 'ntxent'] as const)(
    'of %s only rises, forward before backward, and ends with 1',
    async (objective) => {
      const seen: Progress[] = [];
      await contrastiveLossAndGrad(medium.queries, medium.keys, {
        objective,
        threads: 1,
        onProgress: (done) => seen.push(done),
      });
      expect(seen.at(-1)).toEqual({ fraction: 1, phase: 'backward' });
      const order = seen.map(({ fraction, phase }) => (phase === 'forward' ? 0 : 1) + fraction);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(seen.every(({ fraction }) => fraction >= 0 && fraction <= 1)).toBe(true);
      expect(seen.filter(({ fraction }) => fraction === 1).length).toBeLessThan(seen.length);
    },
  );

  it.each([
    ['forward', contrastiveLoss],
    ['backward', contrastiveLossAndGrad],
    ['forward', contrastiveLossSync],
    ['backward', contrastiveLossAndGradSync],
  ] as const)('of a small call is its end, of phase %s', async (phase, call) => {
    const seen: Progress[] = [];
    // TypeScript calls no union of generic functions
    await (call as typeof contrastiveLoss)(small.queries, small.keys, {
      onProgress: (done) => seen.push(done),
    });
    expect(seen.at(-1)).toEqual({ fraction: 1, phase });
  });

  it('that throws stops the call and is what the promise rejects with', async () => {
    const thrown = new Error('from onProgress');
    let calls = 0;
    const onProgress = () => {
      calls++;
      throw thrown;
    };
    expect(await outcomeOf(contrastiveLossAndGrad(endless, endless, { onProgress }))).toBe(thrown);
    expect(calls).toBe(1);
    expect(await outcomeOf(contrastiveLoss(small.queries, small.keys, { onProgress }))).toBe(thrown);
    expect(() => contrastiveLossSync(small.queries, small.keys, { onProgress })).toThrow(thrown);
  });
});

describe('the event loop', () => {
  it('is free during an asynchronous call and blocked by a synchronous one', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const result = await contrastiveLossAndGrad(brief.queries, brief.keys, brief.options);
    expect(ticks).toBeGreaterThan(0);
    ticks = 0;
    const sync = contrastiveLossAndGradSync(brief.queries, brief.keys, brief.options);
    expect(ticks).toBe(0);
    clearInterval(timer);
    expect(sync.loss).toBe(result.loss);
  });
});

describe('many calls at once', () => {
  it('settle in the order they were made, each with its own result', async () => {
    const scales = [1, 5, 20, 50];
    const order: number[] = [];
    const results = await Promise.all(
      scales.map(async (logitScale) => {
        const result = await contrastiveLossAndGrad(small.queries, small.keys, { logitScale });
        order.push(logitScale);
        return result.loss;
      }),
    );
    expect(order).toEqual(scales);
    const alone = scales.map(
      (logitScale) => contrastiveLossSync(small.queries, small.keys, { logitScale }).loss,
    );
    expect(results).toEqual(alone);
  });

  it('a blocking call beside an asynchronous one', async () => {
    const running = contrastiveLossAndGrad(brief.queries, brief.keys, brief.options);
    const blocking = contrastiveLossAndGradSync(brief.queries, brief.keys, brief.options);
    const { queryGrads } = await running;
    // not toEqual, which takes seconds for so many numbers
    expect(Buffer.compare(Buffer.from(queryGrads.buffer), Buffer.from(blocking.queryGrads.buffer))).toBe(0);
  });
});
