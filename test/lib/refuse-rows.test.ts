/** Rows of rows and bytes are no features. The error says the line that makes a matrix of them. */
import { toNativeMatrix } from '../../lib/matrix/host-matrix';
import { thrownBy } from './fake-binding';
import { type FeatureRow, refusesAsFeatures } from './feature-table';

const data = () => new Float32Array(12);
const shape = [3, 4];

const rows: FeatureRow[] = [
  [
    'rows in objects',
    () => [{ vector: [1, 2] }],
    'ERR_TYPE',
    'an instance of Array; packRows(rows.map((row) => row.vector)) makes one matrix of the rows',
  ],
  [
    'data of rows in objects',
    () => ({ data: [{ embedding: data() }], shape }),
    'ERR_TYPE',
    'NAME.data but received an instance of Array; packRows(matrix.data.map((row) => row.embedding)) makes',
  ],
  [
    'flat numbers',
    () => [1, 2],
    'ERR_TYPE',
    'an instance of Array; { data: Float32Array.from(numbers), shape: [rows, dim] } is a matrix',
  ],
  [
    'a Buffer',
    () => Buffer.alloc(48),
    'ERR_TYPE',
    'an instance of Buffer; { data: new Float32Array(new Uint8Array(bytes).buffer), shape: [rows, dim] } is a matrix',
  ],
  [
    'an ArrayBuffer',
    () => new ArrayBuffer(48),
    'ERR_TYPE',
    'an instance of ArrayBuffer; { data: new Float32Array(bytes), shape: [rows, dim] } is a matrix',
  ],
  [
    'bytes as data',
    () => ({ data: Buffer.alloc(48), shape }),
    'ERR_DTYPE',
    'an instance of Buffer; new Float32Array(new Uint8Array(data).buffer) takes the bytes as float32',
  ],
  [
    'a column of Arrow, whose type is no text',
    () => ({ data: [{ children: [{ values: data() }] }], type: { listSize: 4 }, length: 3 }),
    'ERR_TYPE',
    'Array; { data: column.data[0].children[0].values, shape: [column.length, column.type.listSize] } is',
  ],
  [
    'a promise of features',
    () => Promise.resolve({ data: data(), shape }),
    'ERR_TYPE',
    'NAME.data but received undefined; await the promise first',
  ],
];

describe('rows and bytes', () => refusesAsFeatures(rows));

it('a row that cannot be read does not hide that an array is no matrix', () => {
  const row = {
    get vector(): number[] {
      throw new Error('of the caller');
    },
  };
  const { message } = thrownBy(() => toNativeMatrix('queries', [row]));
  expect(message).toMatch(/for queries but received an instance of Array$/);
});
