/**
 * Features whose layout cannot be read where it lies, or whose memory may move, are refused before native
 * work starts.
 */
import { type FeatureRow as Row, refusesAsFeatures } from './feature-table';

const data = () => new Float32Array(12);
const shape = [3, 4];

function resizable(): Float32Array {
  const Buffer = ArrayBuffer as unknown as new (length: number, o: { maxByteLength: number }) => ArrayBuffer;
  return new Float32Array(new Buffer(48, { maxByteLength: 96 }));
}

function growable(): Float32Array {
  const Buffer = SharedArrayBuffer as unknown as new (
    length: number,
    o: { maxByteLength: number },
  ) => SharedArrayBuffer;
  return new Float32Array(new Buffer(48, { maxByteLength: 96 }));
}

function detached(): Float32Array {
  const array = data();
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

const wrongLayout: Row[] = [
  [
    'columns first, by stride',
    () => ({ data: data(), shape, stride: [1, 3], offset: 0 }),
    'ERR_SHAPE',
    'rows without gaps ([rowStride, 1], rowStride at least 4) for NAME.stride but received [1, 3]; copy the matrix',
  ],
  [
    'columns first, by strides',
    () => ({ data: data(), shape, strides: [1, 3] }),
    'ERR_SHAPE',
    'NAME.strides',
  ],
  [
    'columns first, by order',
    () => ({ data: data(), shape, order: 'column-major' }),
    'ERR_VALUE',
    'NAME.order',
  ],
  [
    'a transposed order',
    () => ({ data: data(), shape, order: [0, 1] }),
    'ERR_TYPE',
    "'row-major' for NAME.order",
  ],
  [
    'every second element',
    () => ({ data: new Float32Array(24), shape, stride: [8, 2] }),
    'ERR_SHAPE',
    '[8, 2]',
  ],
  ['rows backwards', () => ({ data: data(), shape, stride: [-4, 1], offset: 8 }), 'ERR_SHAPE', '[-4, 1]'],
  ['rows that overlap', () => ({ data: data(), shape, strides: [2, 1] }), 'ERR_SHAPE', 'NAME.strides'],
  ['one repeated row', () => ({ data: data(), shape, strides: [0, 1] }), 'ERR_SHAPE', 'NAME.strides'],
  [
    'strides of three dimensions',
    () => ({ data: data(), shape, strides: [4, 4, 1] }),
    'ERR_SHAPE',
    'NAME.strides',
  ],
  ['strides of one dimension', () => ({ data: data(), shape, strides: [4] }), 'ERR_SHAPE', 'received [4]'],
  [
    'a stride that is a number',
    () => ({ data: data(), shape, stride: 4 }),
    'ERR_TYPE',
    'or name it rowStride',
  ],
  [
    'two row strides',
    () => ({ data: new Float32Array(20), shape, rowStride: 4, strides: [5, 1] }),
    'ERR_SHAPE',
    'one distance from row to row of NAME but received 4 and 5',
  ],
  [
    'an offset beyond the data',
    () => ({ data: data(), shape, offset: 1 }),
    'ERR_SHAPE',
    'at least 13 elements for NAME.data',
  ],
  [
    'an offset below zero',
    () => ({ data: data(), shape, offset: -1 }),
    'ERR_VALUE',
    'NAME.offset but received -1',
  ],
  ['an offset in words', () => ({ data: data(), shape, offset: '0' }), 'ERR_TYPE', 'NAME.offset'],
];

const wrongMemory: Row[] = [
  [
    'a resizable buffer',
    () => ({ data: resizable(), shape }),
    'ERR_BUFFER',
    'fixed-length buffer for NAME.data but received a resizable one',
  ],
  [
    'a growable shared buffer',
    () => ({ data: growable(), shape }),
    'ERR_BUFFER',
    'fixed-length buffer for NAME.data',
  ],
  [
    'a detached buffer',
    () => ({ data: detached(), shape }),
    'ERR_DETACHED',
    'attached buffer for NAME.data but received a detached one',
  ],
];

refusesAsFeatures([...wrongLayout, ...wrongMemory]);
