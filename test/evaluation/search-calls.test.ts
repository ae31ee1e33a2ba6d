/**
 * A search while it runs: abort, progress, errors of callbacks, arrays that are transferred away. It waits in the
 * queue of the losses. No test depends on how long anything takes.
 */
import { contrastiveLossAndGrad, ranks, type SearchOptions, type SearchProgress, topK } from '../../lib';
import { makePair } from '../reference/inputs';
import { coarsePair, exactScores, plainRanks, plainTopK } from '../reference/search';

const small = coarsePair({ rows: 20, keys: 50, dim: 8, seed: 21 });
const medium = makePair({ rows: 3000, keys: 9000, dim: 192, seed: 22 });
/** Runs for longer than anybody waits. */
const endless = (() => {
  const shape = [100_000, 256] as const;
  return { data: new Float32Array(shape[0] * shape[1]).fill(0.0625), shape };
})();

type Matrices = Parameters<typeof ranks>;
const searches: [
  string,
  (queries: Matrices[0], keys: Matrices[1], options?: SearchOptions) => Promise<unknown>,
][] = [
  ['topK', (queries, keys, options) => topK(queries, keys, 10, options)],
  ['ranks', ranks],
];
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  );

afterEach(async () => {
  const scores = exactScores(small.queries, small.keys);
  expect(await topK(small.queries, small.keys, 3)).toEqual(plainTopK(scores, 3));
  expect(await ranks(small.queries, small.keys)).toEqual(
    plainRanks(
      scores,
      scores.map((_, i) => [i]),
    ),
  );
});

describe.each(searches)('%s', (_, search) => {
  const reason = new Error('enough');

  it('stops while it runs, and leaves no listener behind', async () => {
    const listeners = process.listenerCount('exit');
    const controller = new AbortController();
    const seen: SearchProgress[] = [];
    const running = search(endless, endless, {
      signal: controller.signal,
      onProgress(done) {
        seen.push(done);
        if (done.fraction > 0) controller.abort(reason);
      },
    });
    expect(await outcomeOf(running)).toBe(reason);
    expect(seen.every(({ fraction }) => fraction < 1)).toBe(true);
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it('stops while it looks at the features', async () => {
    const controller = new AbortController();
    const running = search(endless, endless, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    expect(await outcomeOf(running)).toBe(reason);
  });

  it('leaves the queue at once, and a loss in front of it goes on', async () => {
    const front = new AbortController();
    const queued = new AbortController();
    const loss = outcomeOf(contrastiveLossAndGrad(endless, endless, { signal: front.signal }));
    const waiting = outcomeOf(search(small.queries, small.keys, { signal: queued.signal }));
    queued.abort(reason);
    expect(await waiting).toBe(reason);
    front.abort('done');
    expect(await loss).toBe('done');
  });

  it('reports fractions that rise to 1, and nothing else', async () => {
    const seen: SearchProgress[] = [];
    await search(medium.queries, medium.keys, { threads: 1, onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).toEqual({ fraction: 1 });
    seen.reduce((before, { fraction }) => {
      expect(fraction).toBeGreaterThanOrEqual(before);
      return fraction;
    }, 0);
  });

  it.each([
    [
      'throws',
      () => {
        throw reason;
      },
    ],
    ['rejects', () => Promise.reject(reason)],
  ])('rejects with the error where onProgress %s', async (__, onProgress) => {
    expect(await outcomeOf(search(endless, endless, { onProgress }))).toBe(reason);
  });

  it('lets the event loop go on', async () => {
    const order: string[] = [];
    setImmediate(() => order.push('immediate'));
    await search(medium.queries, medium.keys, { threads: 1 });
    expect(order).toEqual(['immediate']);
  });

  it('rejects where an array was transferred away meanwhile', async () => {
    const data = medium.keys.data.slice();
    const running = outcomeOf(search(medium.queries, { data, shape: medium.keys.shape }, { threads: 1 }));
    structuredClone(data, { transfer: [data.buffer] });
    expect(await running).toMatchObject({ code: 'ERR_DETACHED', message: expect.stringContaining('keys') });
  });

  it('refuses features that a waiting call writes', async () => {
    const queryGrads = new Float32Array(50 * 8);
    const controller = new AbortController();
    const options = { out: { queryGrads }, signal: controller.signal, grad: { keys: false } };
    const { keys } = small;
    const loss = outcomeOf(contrastiveLossAndGrad(keys, keys, options));
    const overlapping = { data: queryGrads, shape: [50, 8] };
    const outcome = await outcomeOf(search(small.queries, overlapping));
    expect(outcome).toMatchObject({ code: 'ERR_OVERLAP', message: expect.stringContaining('keys.data') });
    expect(await loss).toBe('resolved');
  });
});

it('copies ids and positives: the caller may change them at once', async () => {
  const scores = exactScores(small.queries, small.keys);
  const keyIds = Int32Array.from({ length: 50 }, (_, i) => i % 9);
  const expected = plainTopK(scores, 9, { groups: keyIds.slice() });
  const running = topK(small.queries, small.keys, 9, { keyIds });
  keyIds.fill(0);
  expect(await running).toEqual(expected);
  const positives = Int32Array.from({ length: 20 }, (_, i) => 49 - i);
  const ranking = ranks(small.queries, small.keys, { positives });
  positives.fill(-1);
  expect(await ranking).toEqual(
    plainRanks(
      scores,
      scores.map((_, i) => [49 - i]),
    ),
  );
});
