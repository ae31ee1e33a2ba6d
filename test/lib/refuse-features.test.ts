/**
 * Features of a wrong type or shape are refused by name, before native work starts. Layout and
 * memory: refuse-memory.test.ts.
 */
import { expectRefused, matrix } from './fake-binding';
import { type FeatureRow as Row, refusesAsFeatures } from './feature-table';

const data = () => new Float32Array(12);
const shape = [3, 4];

const wrongType: Row[] = [
  [
    'undefined',
    () => undefined,
    'ERR_TYPE',
    'matrix { data, shape: [rows, dim] } for NAME but received undefined',
  ],
  ['a number', () => 3, 'ERR_TYPE', 'for NAME but received 3 of type number'],
  ['a bare typed array', data, 'ERR_TYPE', 'NAME but received an instance of Float32Array; { data: array,'],
  [
    'nested arrays',
    () => [[1, 2]],
    'ERR_TYPE',
    'for NAME but received an instance of Array; packRows(rows) makes one matrix of the rows',
  ],
  [
    'an array of rows',
    () => [data(), data()],
    'ERR_TYPE',
    'NAME but received an instance of Array; packRows(rows) makes',
  ],
  [
    'nested data',
    () => ({ data: [data()], shape }),
    'ERR_TYPE',
    'for NAME.data but received an instance of Array; packRows(matrix.data) makes one matrix of the rows',
  ],
  [
    'data of numbers',
    () => ({ data: Array(12).fill(1), shape }),
    'ERR_TYPE',
    'NAME.data but received an instance of Array; Float32Array.from(data, Number) makes one',
  ],
  [
    'a tensor whose data is a method',
    () => ({ data: async () => data(), shape }),
    'ERR_TYPE',
    'but received function data; { data: await tensor.data(), shape: tensor.shape } is the matrix',
  ],
  [
    'a Proxy of an array',
    () => ({ data: new Proxy(data(), {}), shape }),
    'ERR_TYPE',
    'NAME.data but received a Proxy of an instance of Float32Array; pass the array that the Proxy is of',
  ],
  [
    'options',
    () => ({ logitScale: 20 }),
    'ERR_TYPE',
    'NAME.data but received undefined; these look like options, which come after the keys',
  ],
  [
    'a dtype of another library',
    () => ({ data: new Uint16Array(12), shape, dtype: 'bf16' }),
    'ERR_DTYPE',
    'did you mean bfloat16?',
  ],
  [
    'plain array data',
    () => ({ data: [1, 2], shape: [1, 2] }),
    'ERR_TYPE',
    'NAME.data but received an instance of Array',
  ],
  [
    'sparse array data',
    () => ({ data: new Array(12), shape }),
    'ERR_TYPE',
    'NAME.data but received an instance of Array',
  ],
  [
    'float64 data',
    () => ({ data: new Float64Array(12), shape }),
    'ERR_DTYPE',
    'NAME.data but received an instance of Float64Array',
  ],
  [
    'a bare ArrayBuffer',
    () => ({ data: new ArrayBuffer(48), shape }),
    'ERR_TYPE',
    'NAME.data but received an instance of ArrayBuffer; new Float32Array(data) takes the bytes as float32',
  ],
  ['a DataView', () => ({ data: new DataView(new ArrayBuffer(48)), shape }), 'ERR_DTYPE', 'NAME.data'],
  [
    '16 bits without dtype',
    () => ({ data: new Uint16Array(12), shape }),
    'ERR_DTYPE',
    'float16 or bfloat16, as data is a Uint16Array, for NAME.dtype but received undefined',
  ],
  [
    '16 bits called float32',
    () => ({ data: new Uint16Array(12), shape, dtype: 'float32' }),
    'ERR_DTYPE',
    'NAME.dtype',
  ],
  [
    '32 bits called float16',
    () => ({ data: data(), shape, dtype: 'float16' }),
    'ERR_DTYPE',
    'float32, as data is a Float32Array, for NAME.dtype',
  ],
  [
    'an unknown dtype',
    () => ({ data: data(), shape, dtype: 'float64' }),
    'ERR_DTYPE',
    'one of float32, float16, bfloat16 for NAME.dtype but received float64 of type string',
  ],
  [
    'a tensor of integers',
    () => ({ data: data(), dims: shape, type: 'int64' }),
    'ERR_DTYPE',
    'NAME.dtype but received int64',
  ],
];

const wrongShape: Row[] = [
  [
    'no shape',
    () => ({ data: data() }),
    'ERR_TYPE',
    'array [rows, dim] for NAME.shape but received undefined',
  ],
  [
    'a number as shape',
    () => ({ data: data(), shape: 12 }),
    'ERR_TYPE',
    'NAME.shape but received 12 of type number',
  ],
  [
    'no rows',
    () => ({ data: data(), shape: [0, 4] }),
    'ERR_SHAPE',
    'both positive integers, for NAME.shape but received [0, 4]',
  ],
  [
    'a revoked Proxy of a method as strides',
    () => {
      const { proxy, revoke } = Proxy.revocable(() => [4, 1], {});
      revoke();
      return { data: data(), shape: [3, 4], stride: proxy };
    },
    'ERR_TYPE',
    'array [rowStride, 1] for NAME.stride but received function (anonymous)',
  ],
  [
    'a Proxy of a typed array',
    () => ({ data: data(), shape: new Proxy(Int32Array.of(3, 4), {}) }),
    'ERR_TYPE',
    'array [rows, dim] for NAME.shape but received a Proxy of an instance of Int32Array',
  ],
  ['no columns', () => ({ data: data(), dims: [3, 0] }), 'ERR_SHAPE', 'for NAME.dims but received [3, 0]'],
  ['a fraction', () => ({ data: data(), shape: [1.5, 4] }), 'ERR_SHAPE', 'received [1.5, 4]'],
  ['a negative', () => ({ data: data(), shape: [3, -4] }), 'ERR_SHAPE', 'received [3, -4]'],
  ['NaN', () => ({ data: data(), shape: [Number.NaN, 4] }), 'ERR_SHAPE', 'received [NaN, 4]'],
  [
    'more than an integer holds',
    () => ({ data: data(), shape: [2 ** 53, 1] }),
    'ERR_SHAPE',
    'received [9007199254740992, 1]',
  ],
  [
    'a sparse shape',
    () => ({ data: data(), shape: Object.assign(new Array(2), { 1: 4 }) }),
    'ERR_SHAPE',
    'received [undefined, 4]',
  ],
  [
    'strings',
    () => ({ data: data(), shape: ['3', '4'] }),
    'ERR_SHAPE',
    'received [3 of type string, 4 of type string]',
  ],
  ['a bigint', () => ({ data: data(), shape: [3n, 4] }), 'ERR_SHAPE', 'received [3 of type bigint, 4]'],
  [
    'a symbol',
    () => ({ data: data(), shape: [Symbol('rows'), 4] }),
    'ERR_SHAPE',
    'received [Symbol(rows) of type symbol, 4]',
  ],
  ['three dimensions', () => ({ data: data(), dims: [1, 3, 4] }), 'ERR_SHAPE', 'received [1, 3, 4]'],
  [
    'numbers in place of a shape',
    () => ({ data: data(), shape: Array(999).fill(7) }),
    'ERR_SHAPE',
    'received [7, 7, 7, 7, …]',
  ],
  [
    'shape and dims that differ',
    () => ({ data: data(), shape, dims: [4, 3] }),
    'ERR_SHAPE',
    'equal NAME.shape and NAME.dims but received [3, 4] and [4, 3]',
  ],
  [
    'data that is too short',
    () => ({ data: data().subarray(1), shape }),
    'ERR_SHAPE',
    'at least 12 elements for NAME.data of shape [3, 4] and row stride 4 but received 11',
  ],
  [
    'no data',
    () => ({ data: new Float32Array(0), shape }),
    'ERR_SHAPE',
    'at least 12 elements for NAME.data',
  ],
  [
    'data too short for its stride',
    () => ({ data: data(), shape, rowStride: 5 }),
    'ERR_SHAPE',
    'at least 14 elements for NAME.data of shape [3, 4] and row stride 5 but received 12',
  ],
  [
    'a stride below dim',
    () => ({ data: data(), shape, rowStride: 3 }),
    'ERR_SHAPE',
    'at least dim (4) for NAME.rowStride but received 3',
  ],
  [
    'a stride of zero',
    () => ({ data: data(), shape, rowStride: 0 }),
    'ERR_VALUE',
    'positive integer for NAME.rowStride but received 0',
  ],
  [
    'a stride that is no number',
    () => ({ data: data(), shape, rowStride: '4' }),
    'ERR_TYPE',
    'NAME.rowStride but received 4 of type string',
  ],
];

refusesAsFeatures([...wrongType, ...wrongShape]);

describe('a pair', () => {
  it('needs queries', () =>
    expectRefused(
      { queries: null, keys: matrix(3, 4) },
      { type: TypeError, code: 'ERR_TYPE', message: 'for queries but received null' },
    ));

  it.each(['clip', 'infonce', 'ntxent', 'siglip'])('needs keys for %s', (objective) =>
    expectRefused(
      { queries: matrix(3, 4), keys: null, options: { objective } },
      { type: TypeError, code: 'ERR_TYPE', message: 'for keys but received null' },
    ),
  );

  it.each(['clip', 'infonce', 'ntxent', 'siglip'])('needs equal dims for %s', (objective) =>
    expectRefused(
      { queries: matrix(3, 4), keys: matrix(3, 5), options: { objective } },
      { type: RangeError, code: 'ERR_SHAPE', message: 'queries and keys of equal dim but received 4 and 5' },
    ),
  );

  it.each(['clip', 'ntxent'])('needs as many keys as queries for %s', (objective) =>
    expectRefused(
      { queries: matrix(3, 4), keys: matrix(5, 4), options: { objective } },
      {
        type: RangeError,
        code: 'ERR_SHAPE',
        message: `for objective '${objective}' but received 5; objective 'infonce' takes more keys than queries`,
      },
    ),
  );

  it.each(['infonce', 'siglip'])('needs a key for each query for %s', (objective) =>
    expectRefused(
      { queries: matrix(3, 4), keys: matrix(2, 4), options: { objective } },
      {
        type: RangeError,
        code: 'ERR_SHAPE',
        message: 'at least as many keys as queries (3) without options.labels but received 2',
      },
    ),
  );
});
