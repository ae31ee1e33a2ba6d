/** `encodeFeatures`: the features of all chunks, their order, random state, turns, refusals. */
import { contrastiveLossSync } from '../../lib';
import { chunkedStep, type Encoder, encodeFeatures, type Tower } from '../../lib/trainer';
import { expectError } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { countingTower } from './refuse-step';
import { cut, featureDim, randomRows, ToyEncoder } from './toy-encoder';

const rows = 12;
const inputs = randomRows(rows, 1);
const tower = (encoder: Encoder<Float32Array>, sizes = [5, 5, 2]): Tower<Float32Array> => ({
  encoder,
  chunks: () => cut(inputs, sizes),
});

describe('features', () => {
  test.each([undefined, 12, 3, 100, 2 ** 50])('are those of the encoder, with rows: %s', async (hint) => {
    const whole = new ToyEncoder(1).encode(inputs);
    const features = await encodeFeatures({ ...tower(new ToyEncoder(1)), rows: hint });
    expect(features).toEqual({ data: whole.data, shape: [rows, featureDim], dtype: 'float32' });
  });

  test('stay 16 bits', async () => {
    const bits = Uint16Array.of(0x3c00, 0, 0x4000, 1);
    const encoder = {
      encode: (row: number) => ({ data: bits.subarray(2 * row), shape: [1, 2], dtype: 'float16' }),
    };
    const features = await encodeFeatures({ encoder, chunks: () => [0, 1] });
    expect(features).toEqual({ data: bits, shape: [2, 2], dtype: 'float16' });
  });

  test('give the loss of a step, without a step', async () => {
    const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
    const { loss } = await chunkedStep({ queries: tower(q), keys: tower(k), loss: { logitScale: 3 } });
    const [queries, keys] = [await encodeFeatures(tower(q)), await encodeFeatures(tower(k, [12]))];
    expect(contrastiveLossSync(queries, keys, { logitScale: 3 }).loss).toBe(loss);
  });

  test('need no gradient: backward is never called, and chunks are made once', async () => {
    const encoder = new ToyEncoder(1);
    const chunks = jest.fn(() => cut(inputs, [6, 6]));
    await encodeFeatures({ encoder, chunks });
    expect(encoder.calls).toEqual(['encode 6', 'encode 6']);
    expect(chunks).toHaveBeenCalledTimes(1);
  });
});

describe('random state', () => {
  test('is the one from before: a step after it draws what it would have drawn', async () => {
    const step = (encoder: ToyEncoder) =>
      chunkedStep({ queries: tower(encoder), keys: tower(new ToyEncoder(2)) });
    const [with_, without] = [new ToyEncoder(1, 0.4), new ToyEncoder(1, 0.4)];
    await encodeFeatures(tower(with_));
    expect((await step(with_)).loss).toBe((await step(without)).loss);
    expect([...with_.grads]).toEqual([...without.grads]);
  });

  test('is given back after a failure', async () => {
    const encoder = new ToyEncoder(1, 0.4);
    const before = encoder.randomState();
    const chunks = function* () {
      yield inputs;
      throw new Error('disk');
    };
    await expect(encodeFeatures({ encoder, chunks })).rejects.toThrow('disk');
    expect(encoder.calls).toEqual([`encode ${rows}`]);
    expect(encoder.randomState()).toBe(before);
  });
});

describe('progress and abort', () => {
  test('counts rows, and knows a fraction where the tower says how many there are', async () => {
    const seen: object[] = [];
    const onProgress = (progress: object) => seen.push(progress);
    await encodeFeatures(tower(new ToyEncoder(1)), { onProgress });
    await encodeFeatures({ ...tower(new ToyEncoder(1)), rows: 10 }, { onProgress });
    expect(seen).toEqual([
      { fraction: undefined, rows: 5 },
      { fraction: undefined, rows: 10 },
      { fraction: undefined, rows: 12 },
      { fraction: 0.5, rows: 5 },
      { fraction: 1, rows: 10 },
      { fraction: 1, rows: 12 },
    ]);
  });

  test.each(['throws', 'rejects'])('an onProgress that %s ends the call', async (how) => {
    const encoder = new ToyEncoder(1);
    const reason = new Error('from onProgress');
    const onProgress = () => {
      if (how === 'throws') throw reason;
      return Promise.reject(reason);
    };
    await expect(encodeFeatures(tower(encoder), { onProgress })).rejects.toBe(reason);
    expect(encoder.calls).toHaveLength(1);
  });

  test('settles after the promises of onProgress', async () => {
    let ended = 0;
    const onProgress = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended++;
    };
    await encodeFeatures(tower(new ToyEncoder(1)), { onProgress });
    expect(ended).toBe(3);
  });

  test('an abort stops between two chunks and closes the iterator', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped');
    let closed = false;
    const chunks = function* () {
      try {
        yield* cut(inputs, [5, 5, 2]);
      } finally {
        closed = true;
      }
    };
    const encoder = new ToyEncoder(1);
    const call = encodeFeatures(
      { encoder, chunks },
      { signal: controller.signal, onProgress: () => controller.abort(reason) },
    );
    await expect(call).rejects.toBe(reason);
    expect([encoder.calls.length, closed]).toEqual([1, true]);
  });

  test('a signal that aborted before the call: nothing is encoded', async () => {
    const { tower: counting, seen } = countingTower();
    const reason = new Error('stopped');
    await expect(encodeFeatures(counting, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(seen.calls).toBe(0);
  });
});

describe('turns', () => {
  test('a step and a call on one encoder do not mix their noise', async () => {
    const [busy, alone] = [new ToyEncoder(1, 0.4), new ToyEncoder(1, 0.4)];
    const step = (encoder: ToyEncoder) =>
      chunkedStep({ queries: tower(encoder), keys: tower(new ToyEncoder(2)) });
    const [{ loss }, features] = await Promise.all([step(busy), encodeFeatures(tower(busy))]);
    expect((await step(alone)).loss).toBe(loss);
    expect(await encodeFeatures(tower(alone))).toEqual(features);
    expect([...busy.grads]).toEqual([...alone.grads]);
  });

  test('inside a callback of a step on the same encoder it is refused', async () => {
    const encoder = new ToyEncoder(1);
    let outcome: unknown;
    await chunkedStep({
      queries: tower(encoder),
      keys: tower(new ToyEncoder(2)),
      onProgress: async () => {
        outcome ??= encodeFeatures(tower(encoder)).catch((error: unknown) => error);
        outcome = await outcome;
      },
    });
    expect(outcome).toMatchObject({ code: 'ERR_ENCODER', message: expect.stringContaining('settled') });
  });
});

describe('refusals', () => {
  const good = () => countingTower().tower;
  test.each<[string, unknown, unknown, string, string]>([
    ['no tower', undefined, {}, 'ERR_TYPE', 'Expected object for tower but received undefined'],
    ['an encoder alone', { encode() {} }, {}, 'ERR_OPTION', 'Unknown name encode in tower'],
    ['no encoder', { chunks: () => [] }, {}, 'ERR_ENCODER', 'tower.encoder'],
    ['frozen', { ...good(), frozen: true }, {}, 'ERR_OPTION', 'Unknown name frozen in tower'],
    ['an array of chunks', { ...good(), chunks: ['chunk'] }, {}, 'ERR_CHUNKS', 'write chunks: () => [...]'],
    ['no rows', { ...good(), rows: 0 }, {}, 'ERR_VALUE', 'positive integer for tower.rows'],
    ['a number for options', good(), 5, 'ERR_TYPE', 'Expected object for options but received 5'],
    ['a typo', good(), { onprogress() {} }, 'ERR_OPTION', 'did you mean onProgress?'],
    ['no store', good(), { into: {} }, 'ERR_TYPE', 'writer of a store for options.into'],
    ['a number for signal', good(), { signal: 5 }, 'ERR_TYPE', 'options.signal'],
    ['a number for onProgress', good(), { onProgress: 5 }, 'ERR_TYPE', 'options.onProgress'],
  ])('%s', async (_, given, options, code, message) => {
    const error = await encodeFeatures(given as Tower<unknown>, options as object).then(
      () => new Error('accepted'),
      (error: unknown) => error,
    );
    expectError(error as Parameters<typeof expectError>[0], {
      type: classOf[code] ?? RangeError,
      code,
      message,
    });
  });

  test.each<[string, Partial<Tower<unknown>>, string, string]>([
    ['no chunk', { chunks: () => [] }, 'ERR_CHUNKS', 'at least one chunk from tower.chunks()'],
    ['a promise of chunks', { chunks: (async () => []) as never }, 'ERR_CHUNKS', 'tower.chunks()'],
    ['no features', { encoder: { encode: () => undefined as never } }, 'ERR_TYPE', 'tower chunk 0'],
  ])('%s', async (_, change, code, message) => {
    const outcome = encodeFeatures({ ...good(), ...change });
    await expect(outcome).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
