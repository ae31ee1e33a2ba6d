/**
 * A store in the hands of jax-js' own loaders: the parser of safetensors that a user of jax-js has reads what infcl
 * writes, and refuses a file whose writer has not committed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const { stdout, stderr } = parse(path);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    features: { dtype: 'F32', shape: [3, 5], data: [...data] },
    ids: { dtype: 'I32', shape: [3], data: [...ids] },
  });
});

it('refuses what a writer has not committed', async () => {
  const writer = await createStoreWriter(join(folder, 'y.safetensors'), { dim: 1 });
  await writer.append({ data: Float32Array.of(1), shape: [1, 1] });
  expect(parse(`${writer.path}.tmp`).stderr).toContain('Failed to parse safetensors header');
  await writer.abort();
});

/** The tensors as JSON, by a process of its own: a dependency of the loaders cannot be required. */
function parse(path: string) {
  const code = `import { readFileSync } from 'node:fs';
    import { safetensors } from '@jax-js/loaders';
    // a copy at the start of a buffer: the parser makes views, which must be aligned
    const { tensors } = safetensors.parse(new Uint8Array(readFileSync(process.argv[1])));
    const plain = Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, data: [...tensor.data] }]);
    console.log(JSON.stringify(Object.fromEntries(plain)));`;
  const args = ['--input-type=module', '-e', code, path];
  return spawnSync(process.execPath, args, { cwd: __dirname, encoding: 'utf8' });
}
