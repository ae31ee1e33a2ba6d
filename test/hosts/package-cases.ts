/** Matrices that real packages made, for the table of docs/hosts.md. */
import type * as Jax from '@jax-js/jax';
import * as tf from '@tensorflow/tfjs';
import {
  Field,
  FixedSizeList,
  Float32,
  type RecordBatch,
  Table,
  tableFromIPC,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow';
import { Matrix } from 'ml-matrix';
import ndarray from 'ndarray';
import { Tensor } from 'onnxruntime-node';
import { type Case, flat, float16, rows, shape, versionOf } from './convention';

// packages whose types are for ES modules, need names of browsers, or do not exist
const jax: typeof Jax = require('@jax-js/jax');
type Transformers = typeof import('@huggingface/transformers', { with: { 'resolution-mode': 'import' }});
const { Tensor: TransformersTensor }: Transformers = require('@huggingface/transformers');
const StdlibArray = require('@stdlib/ndarray-ctor') as new (
  dtype: string,
  data: Float32Array,
  shape: number[],
  strides: number[],
  offset: number,
  order: string,
) => object;

const ort = versionOf('onnxruntime-node');
const onnxruntime: Case[] = [
  {
    convention: 'ONNX Runtime `Tensor`, float32',
    runWith: ort,
    make: () => new Tensor('float32', flat(), shape),
  },
  {
    convention: 'ONNX Runtime `Tensor`, float16, Node before 24',
    runWith: ort,
    make: () => new Tensor('float16', float16(), shape),
  },
  {
    convention: 'ONNX Runtime `Tensor`, float16, Node 24',
    runWith: ort,
    make: () => undefined,
    node24: `new ort.Tensor('float16', Float16Array.of(${rows.flat()}), [${shape}])`,
  },
];

const transformers: Case[] = [
  {
    convention: 'transformers.js `Tensor` of two dimensions',
    runWith: versionOf('@huggingface/transformers'),
    make: () => new TransformersTensor('float32', flat(), shape),
  },
  {
    convention: 'transformers.js `Tensor`, as `tolist()`',
    runWith: versionOf('@huggingface/transformers'),
    make: () => new TransformersTensor('float32', flat(), shape).tolist(),
    names: (made) => ({ rows: made }),
  },
];

/** What the packages need before they make anything. */
export async function prepare(): Promise<void> {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
}

const frameworks: Case[] = [
  {
    convention: 'tfjs tensor',
    runWith: versionOf('@tensorflow/tfjs'),
    make: () => tf.tensor2d(rows),
    names: (tensor) => ({ tensor }),
  },
  {
    convention: 'jax-js array; `data()` consumes the array',
    runWith: versionOf('@jax-js/jax'),
    make: () => jax.numpy.array(rows),
    names: (tensor) => ({ tensor }),
  },
];

/** [4 × 3] with the matrix in its last three rows and first two columns. */
const larger = () => ndarray(Float32Array.from([[9, 9], ...rows].flatMap((row) => [...row, 9])), [4, 3]);
const transposed = () => Float32Array.from([0, 1].flatMap((column) => rows.map((row) => row[column]!)));

const ndarrays: Case[] = [
  { convention: 'ndarray, whole', runWith: versionOf('ndarray'), make: () => ndarray(flat(), shape) },
  {
    convention: 'ndarray, rows of a larger one (`lo`, `hi`)',
    runWith: versionOf('ndarray'),
    make: () =>
      ndarray(Float32Array.from([9, 9, ...flat(), 9, 9]), [5, 2])
        .lo(1, 0)
        .hi(3, 2),
  },
  {
    convention: 'ndarray, columns of a larger one',
    runWith: versionOf('ndarray'),
    make: () => larger().lo(1, 0).hi(3, 2),
  },
  {
    convention: 'ndarray, transposed',
    runWith: versionOf('ndarray'),
    make: () => ndarray(transposed(), [2, 3]).transpose(1, 0),
    names: (x) => ({ x }),
  },
  {
    convention: '@stdlib/ndarray, row-major',
    runWith: versionOf('@stdlib/ndarray-ctor'),
    make: () => new StdlibArray('float32', flat(), shape, [2, 1], 0, 'row-major'),
  },
  {
    convention: '@stdlib/ndarray, column-major',
    runWith: versionOf('@stdlib/ndarray-ctor'),
    make: () => new StdlibArray('float32', transposed(), shape, [1, 3], 0, 'column-major'),
    names: (x) => ({ x }),
  },
  {
    convention: 'numjs `NdArray`',
    runWith: `stand-in, with ${versionOf('ndarray')} in it`,
    make: () => ({ selection: ndarray(flat(), shape), shape }),
    names: (x) => ({ x }),
  },
  {
    convention: 'ml-matrix `Matrix`',
    runWith: versionOf('ml-matrix'),
    make: () => new Matrix(rows),
    names: (matrix) => ({ matrix }),
  },
];

const listType = new FixedSizeList(2, new Field('item', new Float32()));
/** A column that was written and read, as a database hands it out. */
function columnOf(...batches: number[][][]) {
  const parts = batches.map((batch) => new Table({ features: vectorFromArray(batch, listType) }));
  const table = new Table(parts.flatMap((part): RecordBatch[] => part.batches));
  return tableFromIPC(tableToIPC(table)).getChild('features')!;
}
const names = (column: unknown) => ({ column });

const arrow: Case[] = [
  {
    convention: 'Arrow column of fixed-size lists, one batch',
    runWith: versionOf('apache-arrow'),
    make: () => columnOf(rows),
    names,
  },
  {
    convention: 'Arrow column, a slice of one batch',
    runWith: versionOf('apache-arrow'),
    make: () => columnOf([[9, 9], ...rows, [9, 9]]).slice(1, 4),
    names,
  },
  {
    convention: 'Arrow column of several batches',
    runWith: versionOf('apache-arrow'),
    make: () => columnOf(rows.slice(0, 1), rows.slice(1)),
    names,
  },
  {
    convention: 'rows of an Arrow column, `[...column]`',
    runWith: versionOf('apache-arrow'),
    make: () => [...columnOf(rows.slice(0, 1), rows.slice(1))],
    names: (made) => ({ rows: made }),
  },
  {
    convention: 'LanceDB column',
    runWith: `stand-in, with ${versionOf('apache-arrow')} in it`,
    make: () => columnOf(rows),
    names,
  },
];

export const packageCases = [...onnxruntime, ...transformers, ...frameworks, ...ndarrays, ...arrow];
