/** A store appended to another one: read by parts, converted, and refused like any other features. */
import { FeatureStore } from '../../lib';
import { createStoreWriter } from '../../lib/store/store-writer';
import { expectError } from '../lib/fake-binding';
import { makePair } from '../reference/inputs';
import { narrow } from '../reference/narrow';
import { rejection, useFolder } from './files';

const folder = useFolder();
const [rows, dim] = [2500, 900]; // three parts
const { data } = makePair({ rows, dim, seed: 1 }).queries;

/** A committed store of these numbers. */
async function storeOf(name: string): Promise<FeatureStore> {
  const writer = await FeatureStore.create(folder.path(name), { dim });
  await writer.append({ data, shape: [rows, dim] });
  await writer.commit();
  return FeatureStore.open(writer.path);
}

it('has its rows, in another type too', async () => {
  const source = await storeOf('source');
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const writer = await createStoreWriter(folder.path(dtype), { dim, dtype });
    await writer.append(source);
    await writer.append(source);
    await writer.commit();
    const copy = await FeatureStore.open(writer.path);
    expect(copy.shape).toEqual([2 * rows, dim]);
    const expected = dtype === 'float32' ? data : narrow({ data, shape: [rows, dim] }, dtype).bits.data;
    const last = copy.rows(rows, 2 * rows).data;
    const bytes = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    expect(bytes(last).equals(bytes(expected))).toBe(true);
    copy.dispose();
  }
  source.dispose();
});

it('is refused after dispose, and where its rows have another length', async () => {
  const source = await storeOf('source');
  const narrower = await createStoreWriter(folder.path('x'), { dim: dim - 1 });
  expect((await rejection(narrower.append(source))).code).toBe('ERR_SHAPE');
  await narrower.abort();
  source.dispose();
  const writer = await createStoreWriter(folder.path('y'), { dim });
  const error = await rejection(writer.append(source));
  expectError(error as never, { type: TypeError, code: 'ERR_DISPOSED', message: 'features' });
  await writer.abort();
});
