/** What `jaxEncoder` refuses, at once or when `apply` and `params` are asked. A stand-in takes the place of jax-js. */
import { jaxEncoder } from '../../lib/adapters/jax';
import { chunkedStep } from '../../lib/trainer';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';

type Options = Parameters<typeof jaxEncoder>[0];

const unused = () => {
  throw new Error('nothing of jax-js is needed here');
};
const jaxModule = {
  blockUntilReady: unused,
  jit: unused,
  vjp: unused,
  numpy: { add: unused, array: unused, multiply: unused },
  random: { key: unused },
  tree: { dispose: unused, map: unused, ref: (tree: unknown) => tree },
};
/** An array of jax-js, as far as `encode` looks at it. */
const array = (shape: number[], data: ArrayBufferView) => ({ shape, data: async () => data });
const features = () => array([2, 3], Float32Array.of(1, 2, 3, 4, 5, 7));
const good = { jax: jaxModule, apply: features, params: () => ({}) };
const encoderOf = (options: unknown) => jaxEncoder<unknown, unknown>(options as Options);

test.each<[what: string, options: unknown, code: string, message: string]>([
  ['nothing', undefined, 'ERR_TYPE', 'Expected object for options but received undefined'],
  ['an empty object', {}, 'ERR_TYPE', 'options.apply'],
  ['a typo', { ...good, sead: 1 }, 'ERR_OPTION', 'did you mean seed?'],
  ['another typo', { ...good, forzen: true }, 'ERR_OPTION', 'did you mean frozen?'],
  ['no module', { ...good, jax: undefined }, 'ERR_TYPE', 'Expected object for options.jax'],
  [
    'a part of the module',
    { ...good, jax: jaxModule.numpy },
    'ERR_TYPE',
    "import * as jax from '@jax-js/jax'",
  ],
  [
    'a module that lacks something',
    { ...good, jax: { ...jaxModule, tree: {} } },
    'ERR_TYPE',
    'jax.tree.dispose',
  ],
  ['parameters that are no function', { ...good, params: {} }, 'ERR_TYPE', 'options.params'],
  ['an apply that is no function', { ...good, apply: 1 }, 'ERR_TYPE', 'Expected function for options.apply'],
  ['a string for frozen', { ...good, frozen: 'yes' }, 'ERR_TYPE', 'Expected boolean for options.frozen'],
  ['a number for jit', { ...good, jit: 1 }, 'ERR_TYPE', 'Expected boolean for options.jit'],
  ['a string for seed', { ...good, seed: '1' }, 'ERR_TYPE', 'Expected integer for options.seed'],
  ['half a seed', { ...good, seed: 0.5 }, 'ERR_VALUE', 'Expected integer for options.seed'],
])('%s is refused', (_, options, code, message) => {
  expectError(
    thrownBy(() => encoderOf(options)),
    { type: classOf[code] ?? RangeError, code, message },
  );
});

test.each<[what: string, changed: object, message: string]>([
  ['features that are missing', { apply: () => {} }, 'Expected a jax-js array [rows, dim]'],
  ['an async apply', { apply: async () => features() }, 'apply must not be async'],
  ['parameters that are missing', { params: () => {} }, 'Expected a tree of jax-js arrays'],
  ['async parameters', { params: async () => ({}) }, 'params must not be async'],
])('%s: ERR_ENCODER when the encoder is asked', async (_, changed, message) => {
  const { encode } = encoderOf({ ...good, ...changed });
  await expect(encode('chunk')).rejects.toMatchObject({
    code: 'ERR_ENCODER',
    message: expect.stringContaining(message),
  });
});

test.each<[what: string, shape: number[], data: ArrayBufferView, code: string]>([
  ['three dimensions', [2, 3, 1], new Float32Array(6), 'ERR_SHAPE'],
  ['one dimension', [6], new Float32Array(6), 'ERR_SHAPE'],
  ['integers', [2, 3], new Int32Array(6), 'ERR_DTYPE'],
])('a step refuses features of %s', async (_, shape, data, code) => {
  const encoder = encoderOf({ ...good, apply: () => array(shape, data) });
  const tower = { encoder, chunks: () => ['chunk'] };
  await expect(chunkedStep({ queries: tower, keys: tower })).rejects.toMatchObject({ code });
});

test('each option is read once', async () => {
  const reads: string[] = [];
  const options = {};
  for (const [name, value] of Object.entries({ ...good, seed: undefined, jit: false, frozen: true })) {
    Object.defineProperty(options, name, {
      enumerable: true,
      get() {
        reads.push(name);
        return value;
      },
    });
  }
  const encoder = encoderOf(options);
  for (let i = 0; i < 2; i++) await encoder.encode('chunk');
  expect(reads.sort()).toEqual(['apply', 'frozen', 'jax', 'jit', 'params', 'seed']);
});

test.each<[what: string, options: unknown, code: string, message: string]>([
  ['a number', 0.5, 'ERR_TYPE', 'Expected object for options but received 0.5'],
  ['a typo', { scal: 2 }, 'ERR_OPTION', 'did you mean scale?'],
  ['a string', { scale: '2' }, 'ERR_TYPE', 'Expected finite number for options.scale'],
  ['infinity', { scale: 1 / 0 }, 'ERR_VALUE', 'Expected finite number for options.scale'],
])('takeGradients refuses %s, before it looks for gradients', (_, options, code, message) => {
  const encoder = encoderOf(good);
  expectError(
    thrownBy(() => encoder.takeGradients(options as object)),
    { type: classOf[code] ?? RangeError, code, message },
  );
});

test('a random state that no encoder gave is refused', () => {
  const encoder = encoderOf(good);
  encoder.restoreRandomState!(3);
  expect(encoder.randomState!()).toBe(3);
  for (const state of [undefined, '3', -1, 0.5]) {
    const { code } = thrownBy(() => encoder.restoreRandomState!(state));
    expect(code).toBe(typeof state === 'number' ? 'ERR_VALUE' : 'ERR_TYPE');
  }
  expect(encoder.randomState!()).toBe(3);
});
