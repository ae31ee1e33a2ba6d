/**
 * A store in the hands of jax-js' own loaders: the parser of safetensors that a user of jax-js has reads what infcl
 * writes, and refuses a file whose writer has not committed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { safetensors } from '@jax-js/loaders';
import { createStoreWriter } from '../../lib/store/store-writer';

const folder = mkdtempSync(join(tmpdir(), 'infcl-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('reads features and ids of a store, in place', async () => {
  const path = join(folder, 'x.safetensors');
  const data = Float32Array.from({ length: 15 }, (_, i) => i / 8);
  const ids = Int32Array.of(-1, 5, 2 ** 31 - 1);
  const writer = await createStoreWriter(path, { dim: 5, ids: true });
  await writer.append({ data, shape: [3, 5] }, { ids });
  await writer.commit();
  const { tensors } = safetensors.parse(fileOf(path));
  expect(Object.keys(tensors)).toEqual(['features', 'ids']);
  expect(tensors.features).toMatchObject({ dtype: 'F32', shape: [3, 5] });
  expect([...(tensors.features!.data as Float32Array)]).toEqual([...data]);
  expect([...(tensors.ids!.data as Int32Array)]).toEqual([...ids]);
});

it('refuses what a writer has not committed', async () => {
  const writer = await createStoreWriter(join(folder, 'y.safetensors'), { dim: 1 });
  await writer.append({ data: Float32Array.of(1), shape: [1, 1] });
  expect(() => safetensors.parse(fileOf(`${writer.path}.tmp`))).toThrow('Failed to parse safetensors header');
  await writer.abort();
});

/** A copy at the start of a buffer: the parser makes views, which must be aligned. */
const fileOf = (path: string) => new Uint8Array(readFileSync(path));
