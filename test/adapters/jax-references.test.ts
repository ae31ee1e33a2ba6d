/**
 * References of jax-js after a failure: an encoder frees the chunk, the random key and its reference to the
 * parameters, however many of them the network had consumed before it failed.
 */

import * as jax from '@jax-js/jax';
import { jaxEncoder } from '../../lib/adapters/jax';

const { numpy: np } = jax;
type Array = jax.Array;

interface Params {
  first: Array;
  layers: { second: Array }[];
}

const [rows, inputDim, hidden, dim] = [6, 5, 4, 3];
const initial = (): Params => ({
  first: np.ones([inputDim, hidden]),
  layers: [{ second: np.ones([hidden, dim]) }],
});

beforeAll(async () => {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
});

test.each<[what: string, jit: boolean, fail: (p: Params, x: Array) => unknown]>([
  ['at once', false, () => {}],
  ['at once, compiled', true, () => {}],
  ['after it has consumed its chunk', false, (_, x) => x.dispose()],
  ['after it has consumed a part of its parameters', false, (p) => p.layers[0]!.second.dispose()],
  ['after it has taken references', false, (p, x) => [p.first.ref, x.ref].map((array) => array.dispose())],
])('a network that fails %s leaves no references behind', async (_, jit, fail) => {
  const error = new Error('a failure of the test');
  const params = initial();
  const apply = (p: Params, x: Array, key: Array): Array => {
    expect(key).toBeDefined();
    fail(p, x);
    throw error;
  };
  const encoder = jaxEncoder({ jax, apply, params: () => params, seed: 1, jit });
  const kept = np.ones([rows, inputDim]);
  const grads = { data: new Float32Array(rows * dim), shape: [rows, dim], dtype: 'float32' } as const;
  await expect(encoder.encode(kept.ref)).rejects.toBe(error);
  await expect(encoder.backward!(kept.ref, grads)).rejects.toBe(error);
  for (const array of [kept, params.first, params.layers[0]!.second]) expect(array.refCount).toBe(1);
  encoder.dispose();
  kept.dispose();
  jax.tree.dispose(params);
});

test('parameters that cannot be had leave no references behind', async () => {
  const error = new Error('a failure of the test');
  const params = () => {
    throw error;
  };
  const encoder = jaxEncoder<Params, { x: Array; more: Array[] }>({
    jax,
    apply: ({ first }) => first,
    params,
  });
  // the same array twice in one chunk: two references go
  const x = np.ones([rows, inputDim]);
  await expect(encoder.encode({ x: x.ref, more: [x.ref] })).rejects.toBe(error);
  expect(x.refCount).toBe(1);
  x.dispose();
});

test('a chunk may hold what is no array of jax-js', async () => {
  const params = initial();
  const loop: Record<string, unknown> = {
    rows: Array.from({ length: 3 }, () => [1, 2]),
    names: ['a'],
    nothing: null,
  };
  loop.self = loop;
  let calls = 0;
  const encoder = jaxEncoder<Params, object>({
    jax,
    params: () => params,
    apply(p) {
      if (calls++ === 0) throw new Error('the first call fails');
      jax.tree.dispose(p.layers);
      return p.first;
    },
  });
  await expect(encoder.encode(loop)).rejects.toThrow('the first call fails');
  expect(params.first.refCount).toBe(1);
  expect((await encoder.encode(loop)).shape).toEqual([inputDim, hidden]);
  jax.tree.dispose(params);
});
