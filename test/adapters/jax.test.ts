/**
 * The adapter with jax-js itself and the real loss: gradients against a dense loss differentiated by jax-js, dropout,
 * and memory. One WebAssembly memory holds all arrays of jax-js, so a leak shows as growth of that memory.
 */

import type * as Jax from '@jax-js/jax';
import { jaxEncoder } from '../../lib/adapters/jax';
import { chunkedStep } from '../../lib/trainer';

// the compiler's libraries for Node do not declare WebAssembly
interface WasmMemory {
  buffer: ArrayBufferLike;
}
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: { Memory: new (descriptor: object) => WasmMemory };
};
const memories: WasmMemory[] = [];
wasm.Memory = class extends wasm.Memory {
  constructor(descriptor: object) {
    super(descriptor);
    memories.push(this);
  }
};
// after the line above, so that the memory it makes is seen
const jax: typeof Jax = require('@jax-js/jax');
const { numpy: np, random } = jax;
type Array = Jax.numpy.Array;

const [rows, inputDim, hidden, dim] = [24, 10, 7, 6];
const scale = 5;

interface Params {
  first: Array;
  layers: { second: Array }[];
}

function values(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * 1.37 + seed * 7.1));
}

function initial(seed: number): Params {
  return {
    first: np.array(values(inputDim * hidden, seed), { shape: [inputDim, hidden] }),
    layers: [{ second: np.array(values(hidden * dim, seed + 1), { shape: [hidden, dim] }) }],
  };
}

/** Two layers and L2 normalisation (no division: jax-js 0.1.25 leaks its operand in vjp); consumes its arguments. */
function network(params: Params, x: Array): Array {
  const features = np.matmul(np.tanh(np.matmul(x, params.first)), params.layers[0]!.second);
  return features.ref.mul(np.power(np.sum(np.square(features), 1, { keepdims: true }), -0.5));
}

function withDropout(params: Params, x: Array, key: Array): Array {
  const kept = random.bernoulli(key, 0.6, x.shape);
  return network(params, np.where(kept, x, 0));
}

/** A factory of chunks as jax arrays, made anew on every pass. */
function chunksOf(inputs: Float32Array, size: number) {
  return function* () {
    for (let row = 0; row < rows; row += size) {
      const count = Math.min(size, rows - row);
      yield np.array(inputs.subarray(row * inputDim, (row + count) * inputDim), { shape: [count, inputDim] });
    }
  };
}

function denseLoss(q: Params, k: Params, x: Array, y: Array): Array {
  const logits = np.matmul(network(q, x), network(k, y).transpose()).mul(scale);
  const positive = logits.ref.mul(np.eye(rows)).sum();
  const lse = (axis: number) => np.log(np.exp(logits.ref).sum(axis)).sum().mul(0.5);
  const total = lse(0).add(lse(1)).sub(positive).div(rows);
  logits.dispose();
  return total;
}

function expectClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  const norm = Math.hypot(...expected);
  expect(norm).toBeGreaterThan(1e-3);
  expect(Math.hypot(...actual.map((a, i) => a - expected[i]!)) / norm).toBeLessThan(tolerance);
}

const read = (tree: Params) =>
  [tree.first, tree.layers[0]!.second].map((array) => array.dataSync() as Float32Array);
const inputs = { queries: values(rows * inputDim, 50), keys: values(rows * inputDim, 60) };

beforeAll(async () => {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
});

describe('jaxEncoder', () => {
  test.each([
    [false, 24, 24],
    [false, 10, 7],
    [true, 10, 24],
  ])(
    'gradients equal those of a dense loss in jax-js (jit %s, chunks of %i and %i)',
    async (jit, queryChunk, keyChunk) => {
      const [q, k] = [initial(1), initial(2)];
      const queries = jaxEncoder({ jax, apply: network, params: () => q, jit });
      const keys = jaxEncoder({ jax, apply: network, params: () => k, jit });
      const result = await chunkedStep({
        queries: { encoder: queries, chunks: chunksOf(inputs.queries, queryChunk) },
        keys: { encoder: keys, chunks: chunksOf(inputs.keys, keyChunk) },
        loss: { logitScale: scale },
      });
      const whole = (data: Float32Array) => np.array(data, { shape: [rows, inputDim] });
      const [loss, [dq, dk]] = jax.valueAndGrad(denseLoss, { argnums: [0, 1] })(
        jax.tree.ref(q),
        jax.tree.ref(k),
        whole(inputs.queries),
        whole(inputs.keys),
      );
      expect(Math.abs(result.loss - loss.item())).toBeLessThan(1e-5);
      for (const [encoder, dense] of [
        [queries, dq],
        [keys, dk],
      ] as const) {
        const expected = read(dense as Params);
        read(encoder.takeGradients()).forEach((grad, i) => {
          expectClose(grad, expected[i]!, 1e-5);
        });
      }
      for (const array of [q.first, q.layers[0]!.second, k.first, k.layers[0]!.second])
        expect(array.refCount).toBe(1);
      queries.dispose();
      keys.dispose();
      jax.tree.dispose([q, k]);
    },
  );

  test('the second pass replays the dropout of the first, the next step draws anew', async () => {
    const params = initial(1);
    const encoder = jaxEncoder({ jax, apply: withDropout, params: () => params, seed: 7 });
    const input = () => chunksOf(inputs.queries, rows)().next().value as Array;
    const before = encoder.randomState!();
    const features = await encoder.encode(input());
    const after = encoder.randomState!();
    const weights = values(rows * dim, 9);
    const grads = { data: weights, shape: [rows, dim], dtype: 'float32' } as const;
    encoder.restoreRandomState!(before);
    await encoder.backward!(input(), grads);
    const replayed = read(encoder.takeGradients());
    encoder.restoreRandomState!(before);
    expect((await encoder.encode(input())).data).toEqual(features.data);
    expect(encoder.randomState!()).toEqual(after);
    expect((await encoder.encode(input())).data).not.toEqual(features.data);

    // the same mask by hand: the first key of seed 7
    const surrogate = (p: Params) =>
      withDropout(p, input(), random.key(7))
        .mul(np.array(weights, { shape: [rows, dim] }))
        .sum();
    const expected = read(jax.grad(surrogate)(jax.tree.ref(params)) as Params);
    replayed.forEach((grad, i) => {
      expectClose(grad, expected[i]!, 1e-6);
    });
    encoder.dispose();
    jax.tree.dispose(params);
  });

  test('two steps at once give what they give one after another', async () => {
    const params = initial(1);
    const run = async (atOnce: boolean) => {
      const encoder = jaxEncoder({ jax, apply: withDropout, params: () => params, seed: 7 });
      const step = async (size: number) => {
        const [queries, keys] = [chunksOf(inputs.queries, size), chunksOf(inputs.keys, size)];
        const towers = { queries: { encoder, chunks: queries }, keys: { encoder, chunks: keys } };
        return (await chunkedStep({ ...towers, loss: { logitScale: scale } })).loss;
      };
      const losses = atOnce ? await Promise.all([step(12), step(24)]) : [await step(12), await step(24)];
      return { losses, grads: read(encoder.takeGradients()) };
    };
    expect(await run(true)).toEqual(await run(false));
    expect(params.first.refCount).toBe(1);
    jax.tree.dispose(params);
  });

  test('gradients are multiplied by the scale, and bad options leave them in the encoder', async () => {
    const params = initial(1);
    const encoder = jaxEncoder({ jax, apply: network, params: () => params });
    const grads = { data: values(rows * dim, 9), shape: [rows, dim], dtype: 'float32' } as const;
    const taken = async (options?: { scale?: number }) => {
      for (const input of chunksOf(inputs.queries, rows)()) await encoder.backward!(input, grads);
      return read(encoder.takeGradients(options));
    };
    const whole = await taken();
    expect(await taken({})).toEqual(whole);
    expect(await taken({ scale: 1 })).toEqual(whole);
    // a power of two rounds nothing
    expect(await taken({ scale: 0.25 })).toEqual(whole.map((array) => array.map((g) => g / 4)));
    for (const input of chunksOf(inputs.queries, rows)()) await encoder.backward!(input, grads);
    expect(() => encoder.takeGradients({ scale: Number.NaN })).toThrow(/finite number/);
    expect(read(encoder.takeGradients())).toEqual(whole);
    expect(params.first.refCount).toBe(1);
    jax.tree.dispose(params);
  });

  test('a frozen encoder has no backward', () => {
    const params = initial(1);
    expect(jaxEncoder({ jax, apply: network, params: () => params, frozen: true }).backward).toBeUndefined();
    jax.tree.dispose(params);
  });

  test('a chunk that grew since the first pass is refused', async () => {
    const params = initial(1);
    const encoder = jaxEncoder({ jax, apply: network, params: () => params });
    let size = 10;
    const run = chunkedStep({
      queries: { encoder, chunks: () => chunksOf(inputs.queries, size++)() },
      keys: { encoder, chunks: chunksOf(inputs.keys, 24) },
      loss: { logitScale: scale },
    });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_CHUNKS',
      message: expect.stringContaining('[11,6]'),
    });
    expect(() => encoder.takeGradients()).toThrow(expect.objectContaining({ code: 'ERR_ENCODER' }));
    expect(params.first.refCount).toBe(1);
    jax.tree.dispose(params);
  });

  test.each([false, true])('chunks leave no arrays behind (jit %s)', async (jit) => {
    expect(memories).toHaveLength(1);
    const params = initial(1);
    const encoder = jaxEncoder({ jax, apply: withDropout, params: () => params, seed: 1, jit });
    const many = 512;
    const input = () => np.array(values(many * inputDim, 3), { shape: [many, inputDim] });
    const grads = { data: values(many * dim, 4), shape: [many, dim], dtype: 'float32' } as const;
    const chunk = async (index: number) => {
      await encoder.encode(input());
      await encoder.backward!(input(), grads);
      if (index % 3 === 1) jax.tree.dispose(encoder.takeGradients());
      if (index % 3 === 2) encoder.discardGradients();
    };
    for (let i = 0; i < 3; i++) await chunk(i);
    const settled = memories[0]!.buffer.byteLength;
    // a column of 512 floats kept per chunk would take 80 KiB by the end, and memory grows by pages of 64
    for (let i = 0; i < 40; i++) await chunk(i);
    expect(memories[0]!.buffer.byteLength).toBe(settled);
    encoder.dispose();
    expect(params.first.refCount).toBe(1);
    jax.tree.dispose(params);
  });
});
