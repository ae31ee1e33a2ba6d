/**
 * The packages' own types fit `Features` and `packRows` without a cast: `npm run test:hosts` compiles this folder
 * first. At run time the same values are accepted.
 */

import { Matrix } from 'ml-matrix';
import ndarray from 'ndarray';
import { Tensor, type TypedTensor } from 'onnxruntime-node';
import { contrastiveLossSync, type Features, packRows } from '../../lib';
import { flat, rows, shape } from './convention';

type TransformersTensor = InstanceType<
  typeof import('@huggingface/transformers', { with: { 'resolution-mode': 'import' }}).Tensor
>;
const transformers: {
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => TransformersTensor;
} = require('@huggingface/transformers');

it('features', () => {
  const typed: TypedTensor<'float32'> = new Tensor('float32', flat(), shape);
  // as session.run returns them
  const untyped: Tensor = typed;
  const features: Features[] = [
    typed,
    untyped,
    new transformers.Tensor('float32', flat(), shape),
    ndarray(flat(), shape),
    packRows(new Matrix(rows).to2DArray()),
    packRows(rows),
    packRows(rows.map((row) => Float32Array.from(row))),
  ];
  const losses = features.map((one) => contrastiveLossSync(one, one).loss);
  expect(new Set(losses).size).toBe(1);
});
