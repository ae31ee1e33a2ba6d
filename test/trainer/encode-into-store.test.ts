/** `encodeFeatures` with `into`: the rows of the store are those that the call returns without it. */
import { readFileSync } from 'node:fs';
import { createStoreWriter } from '../../lib/store/store-writer';
import { type Encoder, encodeFeatures, type Tower } from '../../lib/trainer';
import { headerOf, rejection, useFolder } from '../store/files';
import { cut, featureDim, randomRows, ToyEncoder } from './toy-encoder';

const folder = useFolder();
const path = () => folder.path('x.safetensors');
const rows = 12;
const inputs = randomRows(rows, 1);
const tower = (encoder: Encoder<Float32Array>): Tower<Float32Array> => ({
  encoder,
  chunks: () => cut(inputs, [5, 5, 2]),
});

it('writes each chunk before the next one is encoded, and reports rows', async () => {
  const writer = await createStoreWriter(path(), { dim: featureDim });
  const toy = new ToyEncoder(1);
  const seen: number[] = [];
  const encoder = {
    encode: (input: Float32Array) => {
      seen.push(writer.shape[0]);
      return toy.encode(input);
    },
  };
  const reported: unknown[] = [];
  const onProgress = (progress: object) => void reported.push(progress);
  const { shape } = await encodeFeatures({ ...tower(encoder), rows }, { into: writer, onProgress });
  await writer.commit();
  expect([shape, seen]).toEqual([
    [rows, featureDim],
    [0, 5, 10],
  ]);
  expect(reported).toEqual([5, 10, 12].map((done) => ({ fraction: done / rows, rows: done })));
  const { data } = await encodeFeatures(tower(new ToyEncoder(1)));
  const found = readFileSync(path()).subarray((await headerOf(path())).offset);
  expect(found.equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength))).toBe(true);
});

it('two towers may fill one store, and the store converts', async () => {
  const writer = await createStoreWriter(path(), { dim: featureDim, dtype: 'bfloat16', rows: 2 * rows });
  for (const seed of [1, 2]) {
    const { shape } = await encodeFeatures(tower(new ToyEncoder(seed)), { into: writer });
    expect(shape).toEqual([rows, featureDim]);
  }
  await writer.commit();
  expect(await headerOf(path())).toMatchObject({ dtype: 'bfloat16', rows: 2 * rows });
});

it('a failure leaves the rows of the chunks before, and the writer open', async () => {
  const writer = await createStoreWriter(path(), { dim: featureDim });
  const toy = new ToyEncoder(1);
  let calls = 0;
  const encoder = {
    encode: (input: Float32Array) => {
      calls += 1;
      if (calls === 3) throw new Error('no more');
      return toy.encode(input);
    },
  };
  expect((await rejection(encodeFeatures(tower(encoder), { into: writer }))).message).toBe('no more');
  expect(writer.shape).toEqual([10, featureDim]);
  const stop = new AbortController();
  const onProgress = () => stop.abort(new Error('enough'));
  const options = { into: writer, signal: stop.signal, onProgress };
  expect((await rejection(encodeFeatures(tower(new ToyEncoder(1)), options))).message).toBe('enough');
  expect(writer.shape).toEqual([15, featureDim]);
  await writer.abort();
});

describe('refuses, before anything is encoded', () => {
  const refused = async (into: unknown) => {
    const encoder = new ToyEncoder(1);
    const error = await rejection(encodeFeatures(tower(encoder), { into: into as never }));
    expect(encoder.calls).toEqual([]);
    return [error.code, error.message];
  };

  it('what is no writer', async () => {
    expect(await refused(path())).toEqual([
      'ERR_TYPE',
      expect.stringContaining('FeatureStore.create(path, { dim })'),
    ]);
  });

  it('a store with ids', async () => {
    const writer = await createStoreWriter(path(), { dim: featureDim, ids: true });
    expect(await refused(writer)).toEqual(['ERR_OPTION', expect.stringContaining('a store without ids')]);
    await writer.abort();
  });

  it('a store that takes no more rows', async () => {
    const writer = await createStoreWriter(path(), { dim: 1 });
    await writer.append({ data: Float32Array.of(1), shape: [1, 1] });
    await writer.commit();
    expect(await refused(writer)).toEqual(['ERR_STORE', expect.stringContaining('it was committed')]);
    const other = await createStoreWriter(folder.path('y'), { dim: 1 });
    other.dispose();
    expect((await refused(other))[0]).toBe('ERR_DISPOSED');
  });
});

it('a store of another width refuses the first chunk', async () => {
  const writer = await createStoreWriter(path(), { dim: featureDim + 1 });
  const error = await rejection(encodeFeatures(tower(new ToyEncoder(1)), { into: writer }));
  expect([error.code, writer.shape[0]]).toEqual(['ERR_SHAPE', 0]);
  await writer.abort();
});
