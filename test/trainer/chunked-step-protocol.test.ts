/** The manners of a chunked step: chunks, aborts, failures and what it reports. */

import { chunkedStep, type Encoder, type StepProgress, type StepResult } from '../../lib/trainer';
import { denseLossAndGrad } from './dense-loss';
import { cut, featureDim, randomRows, ToyEncoder } from './toy-encoder';

jest.mock('../../lib/loss/contrastive-loss', () => ({ contrastiveLossAndGrad: jest.fn() }));
const lossMock = jest.requireMock('../../lib/loss/contrastive-loss').contrastiveLossAndGrad as jest.Mock;

const rows = 12;
const queryInputs = randomRows(rows, 1);
const keyInputs = randomRows(rows, 2);
const loss = { logitScale: 3 };

beforeEach(() => {
  lossMock.mockReset();
  lossMock.mockImplementation(denseLossAndGrad);
});

describe('chunks', () => {
  test('one chunk of inputs is alive at a time', async () => {
    const events: string[] = [];
    async function* chunks() {
      for (const input of cut(queryInputs, [6, 6])) {
        events.push('load');
        yield input;
        events.push('drop');
      }
    }
    const q = new ToyEncoder(1);
    const { encode, backward } = q;
    q.encode = (input) => {
      events.push('encode');
      return encode.call(q, input);
    };
    q.backward = (input, grads) => {
      events.push('backward');
      return backward.call(q, input, grads);
    };
    const k = new ToyEncoder(2);
    await chunkedStep({
      queries: { encoder: q, chunks },
      keys: { encoder: k, chunks: () => [keyInputs] },
      loss,
    });
    const twice = (pass: string) => ['load', pass, 'drop', 'load', pass, 'drop'];
    expect(events).toEqual([...twice('encode'), ...twice('backward')]);
  });

  test.each([
    ['fewer', [[6, 6], [6]], 'received 1'],
    [
      'more',
      [
        [6, 6],
        [6, 6, 0],
      ],
      'more than 2',
    ],
  ])('a second pass with %s chunks is refused', async (_, passes, words) => {
    let pass = 0;
    const k = new ToyEncoder(2);
    const run = chunkedStep({
      queries: { encoder: new ToyEncoder(1), chunks: () => cut(queryInputs, passes[pass++]!) },
      keys: { encoder: k, chunks: () => [keyInputs] },
      loss,
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_CHUNKS', message: expect.stringContaining(words) });
  });

  test('an iterator that can be read only once is told so', async () => {
    const once = cut(queryInputs, [6, 6]).values();
    const run = chunkedStep({
      queries: { encoder: new ToyEncoder(1), chunks: () => once },
      keys: { encoder: new ToyEncoder(2), chunks: () => [keyInputs] },
      loss,
    });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_CHUNKS',
      message: expect.stringContaining('fresh iterator'),
    });
  });

  test.each([
    ['no chunks', { encoder: new ToyEncoder(1), chunks: () => [] }, 'ERR_CHUNKS'],
    ['an array for chunks', { encoder: new ToyEncoder(1), chunks: [queryInputs] }, 'ERR_CHUNKS'],
    ['no encoder', { chunks: () => [queryInputs] }, 'ERR_ENCODER'],
    [
      'a state that cannot be restored',
      { encoder: { encode: () => 0, randomState: (): unknown => 0 }, chunks: () => [] },
      'ERR_ENCODER',
    ],
    ['negative rows', { encoder: new ToyEncoder(1), chunks: () => [queryInputs], rows: -1 }, 'ERR_VALUE'],
  ])('%s: a typed error', async (_, tower, code) => {
    const queries = tower as unknown as Parameters<typeof chunkedStep>[0]['queries'];
    const run = chunkedStep({
      queries,
      keys: { encoder: new ToyEncoder(2), chunks: () => [keyInputs] },
      loss,
    });
    await expect(run).rejects.toMatchObject({ code, message: expect.stringContaining('queries') });
  });

  test.each([
    ['randomState that resolves', { randomState: () => Promise.resolve(0) }],
    ['randomState that rejects', { randomState: () => Promise.reject(new Error('unheard')) }],
    ['restoreRandomState that resolves', { restoreRandomState: async () => {} }],
    ['restoreRandomState that rejects', { restoreRandomState: () => Promise.reject(new Error('unheard')) }],
  ])('an asynchronous %s: a typed error, and no rejection that nobody hears', async (what, methods) => {
    const unheard = jest.fn();
    process.on('unhandledRejection', unheard);
    const usual = new ToyEncoder(1);
    const encoder: Encoder<Float32Array> = {
      encode: (x) => usual.encode(x),
      backward: (x, grads) => usual.backward(x, grads),
      randomState: (): unknown => 0,
      restoreRandomState: () => {},
      ...methods,
    };
    const run = chunkedStep({
      queries: { encoder, chunks: () => [queryInputs] },
      keys: { encoder: new ToyEncoder(2), chunks: () => [keyInputs] },
      loss,
    });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_ENCODER',
      message: expect.stringMatching(
        new RegExp(`no promise for the result of options.queries.encoder.${what.split(' ')[0]}`),
      ),
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unheard);
    expect(unheard).not.toHaveBeenCalled();
  });

  test('towers of different dim are refused before the loss', async () => {
    const narrow: Encoder<Float32Array> = {
      encode: () => ({ data: new Float32Array(rows), shape: [rows, 1] }),
    };
    const run = chunkedStep({
      queries: { encoder: new ToyEncoder(1), chunks: () => [queryInputs] },
      keys: { encoder: narrow, chunks: () => [keyInputs] },
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    expect(lossMock).not.toHaveBeenCalled();
  });
});

describe('abort and failure', () => {
  /** A source of chunks that knows how many of its iterators are open. */
  function source(sizes: number[]) {
    const state = { open: 0, opened: 0 };
    const chunks = function* () {
      state.open++;
      state.opened++;
      try {
        yield* cut(queryInputs, sizes);
      } finally {
        state.open--;
      }
    };
    return { state, chunks };
  }

  test.each(['encode', 'loss', 'backward'] as const)(
    'aborting during %s rejects with the reason',
    async (phase) => {
      const controller = new AbortController();
      const { state, chunks } = source([6, 6]);
      const reason = new Error('stopped by the user');
      const q = new ToyEncoder(1);
      const run = chunkedStep({
        queries: { encoder: q, chunks },
        keys: { encoder: new ToyEncoder(2), chunks: () => [keyInputs] },
        loss,
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.phase === phase) controller.abort(reason);
        },
      });
      await expect(run).rejects.toBe(reason);
      expect(state.open).toBe(0);
      expect(state.opened).toBe(phase === 'backward' ? 2 : 1);
      expect(q.calls.filter((call) => call.startsWith('backward'))).toHaveLength(
        phase === 'backward' ? 1 : 0,
      );
      expect(lossMock.mock.calls[0]?.[2].signal).toBe(phase === 'encode' ? undefined : controller.signal);
    },
  );

  test('a timer can abort although encoders and iterators are synchronous', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('timer')), 0);
    const k = new ToyEncoder(2);
    const endless = function* () {
      for (;;) yield keyInputs;
    };
    const run = chunkedStep({
      queries: { encoder: { encode: (input: Float32Array) => k.encode(input) }, chunks: endless },
      keys: { encoder: k, chunks: () => [keyInputs] },
      loss,
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow('timer');
  });

  test.each(['encode', 'backward'] as const)('an error in %s closes the iterator', async (method) => {
    const { state, chunks } = source([6, 6]);
    const q = new ToyEncoder(1);
    q[method] = () => {
      throw new Error('broken');
    };
    const run = chunkedStep({
      queries: { encoder: q, chunks },
      keys: { encoder: new ToyEncoder(2), chunks: () => [keyInputs] },
      loss,
    });
    await expect(run).rejects.toThrow('broken');
    expect(state.open).toBe(0);
  });
});

describe('reports', () => {
  let result: StepResult;
  const progress: StepProgress[] = [];

  beforeAll(async () => {
    lossMock.mockImplementation(denseLossAndGrad);
    result = await chunkedStep({
      queries: { encoder: new ToyEncoder(1), chunks: () => cut(queryInputs, [8, 4]), rows },
      keys: { encoder: new ToyEncoder(2), chunks: () => cut(keyInputs, [9, 3]) },
      loss,
      onProgress: (done) => progress.push(done),
    });
  });

  test('progress runs through phases and towers', () => {
    expect(progress.map(({ overall: _, ...done }) => done)).toEqual([
      { phase: 'encode', tower: 'queries', fraction: 8 / 12, rows: 8 },
      { phase: 'encode', tower: 'queries', fraction: 1, rows: 12 },
      { phase: 'encode', tower: 'keys', fraction: undefined, rows: 9 },
      { phase: 'encode', tower: 'keys', fraction: undefined, rows: 12 },
      { phase: 'loss', fraction: 0.25, rows: 12 },
      { phase: 'loss', fraction: 1, rows: 12 },
      { phase: 'backward', tower: 'queries', fraction: 8 / 12, rows: 8 },
      { phase: 'backward', tower: 'queries', fraction: 1, rows: 12 },
      { phase: 'backward', tower: 'keys', fraction: 9 / 12, rows: 9 },
      { phase: 'backward', tower: 'keys', fraction: 1, rows: 12 },
    ]);
  });

  test('bytes are those of the arrays, seconds add up', () => {
    const { cost } = result;
    expect(cost.encode.bytes).toBe(2 * rows * featureDim * 4);
    expect(cost.loss.bytes).toBe(2 * rows * featureDim * 4 + 1000);
    expect(cost.backward.bytes).toBe(9 * featureDim * 4);
    const phases = cost.encode.seconds + cost.loss.seconds + cost.backward.seconds;
    expect(Math.min(cost.encode.seconds, cost.loss.seconds, cost.backward.seconds)).toBeGreaterThan(0);
    expect(phases).toBeLessThanOrEqual(cost.totalSeconds);
    expect(cost.overheadRatio).toBeCloseTo(cost.encode.seconds / cost.totalSeconds, 12);
  });
});
