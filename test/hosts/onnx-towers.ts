/** Small models of ONNX for tests: a linear layer, and a text model that looks its tokens up in a table. */
import { InferenceSession } from 'onnxruntime-node';
import { floats, onnxModel, type Value } from './onnx-model';

/** Repeatable numbers from -1 to 1. */
export function values(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * 1.37 + seed * 7.1));
}

/** x [rows x inputs] · weights [inputs x dim], by hand. */
export function multiply(
  x: Float32Array,
  weights: Float32Array,
  [inputs, dim]: [number, number],
): Float32Array {
  return Float32Array.from({ length: (x.length / inputs) * dim }, (_, at) => {
    const [row, column] = [Math.floor(at / dim), at % dim];
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * weights[i * dim + column]!;
    return sum;
  });
}

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(tolerance);
  }
}

/** One thread: the models are small. */
export const makeSession = (model: Uint8Array) => InferenceSession.create(model, { intraOpNumThreads: 1 });

/** features [batch x dim] = x [batch x inputs] · weights, and `active`, the same without negative numbers. */
export function linearModel(
  weights: Float32Array,
  inputs: number,
  dim: number,
  type: keyof typeof castTo = 'float32',
) {
  const features: Value = { type, dims: ['batch', dim] };
  return onnxModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'weights'], outputs: ['dense'] },
      { op: 'Cast', inputs: ['dense'], outputs: ['features'], attributes: { to: { int: castTo[type] } } },
      { op: 'Relu', inputs: ['dense'], outputs: ['active'] },
    ],
    constants: { weights: floats(weights, inputs, dim) },
    inputs: { x: { type: 'float32', dims: ['batch', inputs] } },
    outputs: { features, active: { type: 'float32', dims: ['batch', dim] } },
  });
}

/** Numbers of the element types, for the operator Cast. */
const castTo = { float32: 1, int8: 3, bool: 9, float16: 10, float64: 11 };

/** last_hidden_state [batch x sequence x dim]: rows of the table by token, and 9 for padding. */
export function textModel(table: Float32Array, dim: number, type: 'float32' | 'float16' = 'float32') {
  const ids: Value = { type: 'int64', dims: ['batch', 'sequence'] };
  return onnxModel({
    nodes: [
      { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['tokens'] },
      { op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: { int: castTo.bool } } },
      { op: 'Unsqueeze', inputs: ['mask', 'last'], outputs: ['column'] },
      // padding gets 9, so that a test sees where padding was counted
      { op: 'Where', inputs: ['column', 'tokens', 'nine'], outputs: ['marked'] },
      {
        op: 'Cast',
        inputs: ['marked'],
        outputs: ['last_hidden_state'],
        attributes: { to: { int: castTo[type] } },
      },
    ],
    constants: {
      table: floats(table, table.length / dim, dim),
      last: { type: 'int64', dims: [1], data: BigInt64Array.of(-1n) },
      nine: floats(Float32Array.of(9)),
    },
    inputs: { input_ids: ids, attention_mask: ids },
    outputs: { last_hidden_state: { type, dims: ['batch', 'sequence', dim] } },
  });
}
