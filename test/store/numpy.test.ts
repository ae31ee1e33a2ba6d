/**
 * numpy reads what infcl writes, and infcl what numpy writes. Needs python3 with numpy (Debian: python3-numpy); the tests
 * are skipped where they are missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dtypes } from '../../lib/matrix/host-matrix';
import { createStoreWriter } from '../../lib/store/store-writer';
import { headerOf, rejection, useFolder } from './files';

const folder = useFolder();
const script = join(__dirname, 'numpy_side.py');
const python = (...args: string[]) =>
  spawnSync('python3', ['-W', 'ignore', script, ...args], { encoding: 'utf8' });
const withNumpy = python('version').status === 0 ? it : it.skip;

interface Tensors {
  [name: string]: { begin: number; values: number[] | number[][] };
}

withNumpy.each(dtypes)('numpy reads a store of %s', async (dtype) => {
  const [rows, dim] = [3, 5];
  // numbers that each dtype has
  const data = Float32Array.from({ length: rows * dim }, (_, i) => (i - 7) / 8);
  const ids = Int32Array.of(-1, 2 ** 31 - 1, 0);
  const path = folder.path('x.safetensors');
  const writer = await createStoreWriter(path, { dim, dtype, ids: true });
  await writer.append({ data, shape: [rows, dim] }, { ids });
  await writer.commit();
  const { stdout, stderr } = python('read', path);
  expect(stderr).toBe('');
  const { features, ids: found } = JSON.parse(stdout) as Tensors;
  expect(features!.begin).toBe(4096);
  expect(features!.values.flat()).toEqual([...data]);
  expect(found!.values).toEqual([...ids]);
});

withNumpy('infcl reads what numpy writes, and refuses what it cannot read', async () => {
  mkdirSync(folder.path('files'));
  expect(python('write', folder.path('files')).stderr).toBe('');
  const names = readdirSync(folder.path('files')).sort();
  expect(names).toHaveLength(20);
  for (const name of names) {
    const path = join(folder.path('files'), name);
    if (name.startsWith('bad')) {
      expect([name, (await rejection(headerOf(path))).code]).toEqual([name, 'ERR_STORE']);
      continue;
    }
    const { rows, dim, dtype, offset } = await headerOf(path);
    const bytes = readFileSync(path);
    const last = offset + (rows * dim - 1) * (dtype === 'float32' ? 4 : 2);
    const value = dtype === 'float32' ? bytes.readFloatLE(last) : bytes.readUInt16LE(last);
    const expected = { 'good half.npy': 0x3900, 'good one column.npy': 3 / 8 }[name] ?? 5 / 8;
    expect([name, rows, value]).toEqual([name, 2, expected]);
  }
});
