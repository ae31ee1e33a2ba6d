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
