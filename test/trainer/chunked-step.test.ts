/**
 * The mathematics of a chunked step over the float64 oracle: exact gradients, replayed noise, frozen towers.
 */

import { chunkedStep, type Encoder } from '../../lib/trainer';
import { denseLossAndGrad } from './dense-loss';
import { cut, featureDim, inputDim, randomRows, ToyEncoder } from './toy-encoder';

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

/** One step on both towers, cut as asked. */
function step(
  queries: Encoder<Float32Array>,
  keys: Encoder<Float32Array>,
  cuts = { queries: [5, 5, 2], keys: [7, 5] },
) {
  return chunkedStep({
    queries: { encoder: queries, chunks: () => cut(queryInputs, cuts.queries) },
    keys: { encoder: keys, chunks: () => cut(keyInputs, cuts.keys) },
    loss,
  });
}

const whole = { queries: [rows], keys: [rows] };

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  expect(norm).toBeGreaterThan(0);
  expect(Math.sqrt(error / norm)).toBeLessThan(tolerance);
}

describe('exactness', () => {
  test.each([
    [[rows], [1, 11]],
    [
      [5, 5, 2],
      [7, 5],
    ],
    [Array(rows).fill(1), [4, 4, 4]],
  ])('gradients of chunks %j and %j equal those of the whole batch', async (queryCut, keyCut) => {
    const [q, k, wholeQ, wholeK] = [
      new ToyEncoder(1),
      new ToyEncoder(2),
      new ToyEncoder(1),
      new ToyEncoder(2),
    ];
    const chunked = await step(q, k, { queries: queryCut, keys: keyCut });
    const unchunked = await step(wholeQ, wholeK, whole);
    expect(chunked.loss).toBe(unchunked.loss);
    expect(chunked.logitScaleGrad).toBe(unchunked.logitScaleGrad);
    expect(chunked.accuracy).toBe(unchunked.accuracy);
    expectClose(q.grads, wholeQ.grads, 1e-12);
    expectClose(k.grads, wholeK.grads, 1e-12);
  });

  test('the gradient agrees with finite differences through encoder and loss', async () => {
    const encoder = new ToyEncoder(1);
    await step(encoder, new ToyEncoder(2));
    const lossWith = async (index: number, delta: number) => {
      const nudged = new ToyEncoder(1);
      nudged.weights[index]! += delta;
      return (await step(nudged, new ToyEncoder(2))).loss;
    };
    const h = 1e-2;
    const numeric: number[] = [];
    for (let i = 0; i < inputDim * featureDim; i++) {
      numeric.push(((await lossWith(i, h)) - (await lossWith(i, -h))) / (2 * h));
    }
    expectClose(encoder.grads, numeric, 1e-3);
  });

  test('one encoder may serve both towers', async () => {
    const [shared, q, k] = [new ToyEncoder(1), new ToyEncoder(1), new ToyEncoder(1)];
    await step(shared, shared);
    await step(q, k);
    expectClose(
      shared.grads,
      q.grads.map((g, i) => g + k.grads[i]!),
      1e-12,
    );
  });
});

describe('random state', () => {
  /**
   * Gradient by replaying the step's own draws: chunk by chunk in the order encode saw them, never restored.
   */
  test.each([false, true])(
    'dropout of the first pass is replayed in the second (shared encoder: %s)',
    async (isShared) => {
      const q = new ToyEncoder(1, 0.4);
      const k = isShared ? q : new ToyEncoder(2, 0.4);
      const result = await step(q, k);
      const features = lossMock.mock.calls[0]!;
      const { queryGrads, keyGrads } = await denseLossAndGrad(features[0], features[1], loss);

      const q2 = new ToyEncoder(1, 0.4);
      const k2 = isShared ? q2 : new ToyEncoder(2, 0.4);
      let row = 0;
      for (const input of cut(queryInputs, [5, 5, 2])) {
        await q2.backward(input, { data: queryGrads.subarray(row * featureDim) });
        row += input.length / inputDim;
      }
      row = 0;
      for (const input of cut(keyInputs, [7, 5])) {
        await k2.backward(input, { data: keyGrads.subarray(row * featureDim) });
        row += input.length / inputDim;
      }
      expect([...q.grads]).toEqual([...q2.grads]);
      expect([...k.grads]).toEqual([...k2.grads]);
      expect(q.random.get()).toBe(q2.random.get());
      expect(k.random.get()).toBe(k2.random.get());
      expect(result.rows).toEqual({ queries: rows, keys: rows });
    },
  );

  test('the next step draws other noise', async () => {
    const [q, k] = [new ToyEncoder(1, 0.4), new ToyEncoder(2, 0.4)];
    expect((await step(q, k)).loss).not.toBe((await step(q, k)).loss);
  });

  test('is put back when the second pass fails', async () => {
    const [q, k] = [new ToyEncoder(1, 0.4), new ToyEncoder(2, 0.4)];
    let state = -1;
    lossMock.mockImplementation((...args: Parameters<typeof denseLossAndGrad>) => {
      state = q.random.get();
      return denseLossAndGrad(...args);
    });
    q.backward = async () => {
      q.random.next();
      throw new Error('out of memory');
    };
    await expect(step(q, k)).rejects.toThrow('out of memory');
    expect(q.random.get()).toBe(state);
  });
});

describe('frozen towers', () => {
  test('without backward a tower is read once and gets no gradient work', async () => {
    const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
    const frozen: Encoder<Float32Array> = { encode: (input) => k.encode(input) };
    const result = await step(q, frozen);
    expect(k.calls).toEqual(['encode 7', 'encode 5']);
    expect(lossMock.mock.calls[0]![2].grad).toEqual({ queries: true, keys: false });
    expect(result.cost.loss.bytes).toBe(rows * featureDim * 4 + 1000);

    const [wholeQ, wholeK] = [new ToyEncoder(1), new ToyEncoder(2)];
    await step(wholeQ, wholeK, whole);
    expectClose(q.grads, wholeQ.grads, 1e-12);
  });

  test('loss.grad freezes a tower for one step', async () => {
    const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
    await chunkedStep({
      queries: { encoder: q, chunks: () => cut(queryInputs, [rows]) },
      keys: { encoder: k, chunks: () => cut(keyInputs, [rows]) },
      loss: { ...loss, grad: { queries: false } },
    });
    expect(q.calls).toEqual([`encode ${rows}`]);
    expect(k.calls).toEqual([`encode ${rows}`, `backward ${rows}`]);
  });

  test('two frozen towers are refused', async () => {
    const k = new ToyEncoder(2);
    const frozen: Encoder<Float32Array> = { encode: (input) => k.encode(input) };
    await expect(step(frozen, frozen)).rejects.toMatchObject({ code: 'ERR_ENCODER' });
  });
});
