/** Tensors of onnxruntime-node, of the version in package.json. */
import { Tensor } from 'onnxruntime-node';
import { contrastiveLossSync, type Features } from '../../lib';
import { makePair } from '../reference/inputs';

const [rows, dim] = [6, 4];
const { queries, keys } = makePair({ rows, dim, seed: 7 });
const plain = (data: Float32Array): Features => ({ data, shape: [rows, dim] });

it('a float32 tensor is a matrix as it stands, also for TypeScript', () => {
  const tensor = new Tensor('float32', queries.data, [rows, dim]);
  const { loss } = contrastiveLossSync(tensor, plain(keys.data));
  expect(loss).toBe(contrastiveLossSync(plain(queries.data), plain(keys.data)).loss);
});

it('a tensor that was disposed of is an error of its own package', () => {
  const tensor = new Tensor('float32', Float32Array.from(queries.data), [rows, dim]);
  tensor.dispose();
  expect(() => contrastiveLossSync(tensor, plain(keys.data))).toThrow('The tensor is disposed.');
});

it('a tensor on a GPU is an error of its own package', () => {
  const buffer = {} as Parameters<typeof Tensor.fromGpuBuffer>[0];
  const tensor = Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [rows, dim] });
  expect(() => contrastiveLossSync(tensor, plain(keys.data))).toThrow('The data is not on CPU.');
});

it.each([
  ['of integers', () => new Tensor('int64', new BigInt64Array(rows * dim), [rows, dim])],
  ['of three dimensions', () => new Tensor('float32', queries.data, [rows, 2, 2])],
  ['of texts', () => new Tensor('string', Array(rows * dim).fill('a'), [rows, dim])],
])('a tensor %s is refused', (_, make) => {
  const tensor: Features = make();
  const run = () => contrastiveLossSync(tensor, plain(keys.data));
  expect(run).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_(DTYPE|SHAPE|TYPE)$/) }));
});
