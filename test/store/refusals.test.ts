/** What FeatureStore refuses: arguments, rows, files, and stores in the place of other things. */
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  chunkedStep,
  contrastiveLossAndGradSync,
  contrastiveLossSync,
  FeatureStore,
  type GradientOutputs,
} from '../../lib';
import { features } from '../lifecycle/problems';
import { storeOf, temporaryFolder } from './stores';

const path = temporaryFolder();
const x = features(20, 4, 1);

it.each<[string, () => unknown[], string, string | RegExp]>([
  ['no path', () => [], 'ERR_TYPE', 'Expected string for path'],
  ['an empty path', () => [''], 'ERR_VALUE', 'for path'],
  ['a path with a zero byte', () => ['a\0b'], 'ERR_VALUE', 'for path'],
  ['no such file', () => [path('nothing')], 'ERR_STORE', 'there is no such file'],
  ['a folder', () => [path('.')], 'ERR_STORE', 'folder'],
  ['options that are none', () => [path('file'), 3], 'ERR_TYPE', 'options'],
  [
    'an unknown option',
    () => [path('file'), { tensors: 'x' }],
    'ERR_OPTION',
    'Unknown name tensors in options',
  ],
  ['a tensor without a name', () => [path('file'), { tensor: 3 }], 'ERR_TYPE', 'string for tensor'],
  ['a tensor that is not there', () => [path('file'), { tensor: 'x' }], 'ERR_STORE', "no tensor 'x'"],
  ['a file of text', () => [path('text')], 'ERR_STORE', 'safetensors'],
])('open: %s', async (_, args, code, message) => {
  (await storeOf(path('file'), x)).dispose();
  writeFileSync(path('text'), 'these are no features');
  mkdirSync(path('folder'), { recursive: true });
  const opening = FeatureStore.open(...(args() as [string]));
  await expect(opening).rejects.toMatchObject({ code });
  await expect(opening).rejects.toThrow(message);
});

it.each<[string, unknown[], string]>([
  ['a fraction', [0.5], 'ERR_VALUE'],
  ['a text', ['1'], 'ERR_TYPE'],
  ['a negative row', [-1], 'ERR_VALUE'],
  ['no rows', [3, 3], 'ERR_VALUE'],
  ['rows in the wrong order', [4, 3], 'ERR_VALUE'],
  ['rows beyond the last one', [0, 21], 'ERR_VALUE'],
  ['a row beyond the last one', [20], 'ERR_VALUE'],
])('rows: %s', async (_, args, code) => {
  using store = await storeOf(path('file'), x);
  expect(() => store.rows(...(args as [number, number]))).toThrow(expect.objectContaining({ code }));
});

it('a store for reading is no place for gradients', async () => {
  using store = await storeOf(path('file'), x);
  const out = { keyGrads: store } as unknown as GradientOutputs;
  expect(() => contrastiveLossAndGradSync(x, x, { out })).toThrow(
    /Expected Float32Array for options.out.keyGrads .* FeatureStore.create\(path, \{ dim, rows \}\)/,
  );
});

it('a store that was posted to another thread says what to do there', async () => {
  using store = await storeOf(path('file'), x);
  expect(() => contrastiveLossSync(structuredClone(store) as never, x)).toThrow(
    /cannot be posted to another thread: FeatureStore.open\(path\)/,
  );
});

it('where only arrays do, the message says how to copy', async () => {
  using store = await storeOf(path('file'), x);
  const encoder = { encode: () => store as never, backward: () => {} };
  const tower = { encoder, chunks: () => [0] };
  await expect(chunkedStep({ queries: tower, keys: tower })).rejects.toThrow(
    'store.rows() is a copy in memory',
  );
});

it('what only looks like a store is refused', async () => {
  using store = await storeOf(path('file'), x);
  const { shape, dtype, path: file } = store;
  const twin = Object.assign(Object.create(FeatureStore.prototype), { shape, dtype, path: file });
  expect(() => contrastiveLossSync(twin, x)).toThrow(expect.objectContaining({ code: 'ERR_TYPE' }));
  expect(() => FeatureStore.prototype.rows.call(twin)).toThrow(TypeError);
});

it('changed fields change nothing', async () => {
  using store = await storeOf(path('file'), x);
  Object.assign(store, { shape: [1e9, 1e9], dtype: 'float16', path: '/' });
  expect(contrastiveLossSync(store, x).loss).toBe(contrastiveLossSync(x, x).loss);
});

it('another dim is an ERR_SHAPE', async () => {
  using store = await storeOf(path('file'), x);
  expect(() => contrastiveLossSync(store, features(20, 5, 2))).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE' }),
  );
});
