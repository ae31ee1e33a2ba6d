/** packRows: rows of rows become one matrix, and every row that does not fit is refused by its index. */
import { contrastiveLossSync, isInfclError, packRows } from '../../lib';
import { makePair } from '../reference/inputs';
import { narrow, toBfloat16, toFloat16 } from '../reference/narrow';
import { expectError, thrownBy } from './fake-binding';
import { classOf } from './refusal-table';

const rows = [
  [1, 2.5, -3],
  [4, 0.1, 6],
];
const flat = Float32Array.from(rows.flat());

describe('accepts', () => {
  it.each<[string, ArrayLike<ArrayLike<number>>]>([
    ['plain arrays', rows],
    ['Float32Arrays', rows.map((row) => Float32Array.from(row))],
    ['Float64Arrays', rows.map((row) => Float64Array.from(row))],
    ['array-like rows', rows.map((row) => ({ ...row, length: 3 }))],
    ['an array-like of rows', { length: 2, 0: rows[0]!, 1: rows[1]! }],
    ['kinds of rows that differ', [rows[0]!, Float32Array.from(rows[1]!)]],
    ['rows of a view', [flat.subarray(0, 3), flat.subarray(3)]],
  ])('%s', (_, given) => {
    expect(packRows(given)).toEqual({ data: flat, shape: [2, 3], dtype: 'float32' });
  });

  it('the features of a loss', () => {
    const { queries, keys } = makePair({ rows: 5, dim: 4, seed: 3 });
    const rowsOf = (data: Float32Array) =>
      Array.from({ length: 5 }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]);
    const { loss } = contrastiveLossSync(packRows(rowsOf(queries.data)), packRows(rowsOf(keys.data)));
    expect(loss).toBe(contrastiveLossSync(queries, keys).loss);
  });

  it('never shares memory with a row', () => {
    const row = Float32Array.of(1, 2);
    const { data } = packRows([row]);
    row[0] = 9;
    expect([...data]).toEqual([1, 2]);
  });

  it('bits as they are, NaN included', () => {
    const bits = [Uint16Array.of(0x3f80, 0x7fff), Uint16Array.of(1, 2)];
    const data = Uint16Array.of(0x3f80, 0x7fff, 1, 2);
    expect(packRows(bits, { dtype: 'bfloat16' })).toEqual({ data, shape: [2, 2], dtype: 'bfloat16' });
  });

  it('reads each row and each element once', () => {
    const reads: string[] = [];
    const watched = (name: string, value: object) =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(value).map(([key, inner]) => [
            key,
            {
              get() {
                reads.push(`${name}.${key}`);
                return inner;
              },
            },
          ]),
        ),
      ) as ArrayLike<never>;
    packRows(watched('rows', { length: 1, 0: watched('row', { length: 2, 0: 1, 1: 2 }) }));
    expect(reads.sort()).toEqual(['row.0', 'row.1', 'row.length', 'rows.0', 'rows.length']);
  });
});

describe('16 bits', () => {
  const numbers = [0, -0, 1, -1, 1 / 3, 0.1, 2 ** -14, 2 ** -24, 2 ** -25, 2047.5, 2 ** -26, 1.5 * 2 ** -24];

  it('are rounded as the reference rounds', () => {
    const { data } = makePair({ rows: 40, dim: 50, seed: 11 }).queries;
    const values = [...data, ...data.map((x) => x * 1e-5), ...numbers];
    expect([...packRows([values], { dtype: 'float16' }).data]).toEqual(values.map(toFloat16));
    expect([...packRows([values], { dtype: 'bfloat16' }).data]).toEqual(
      values.map((x) => toBfloat16(Math.fround(x))),
    );
    const { bits } = narrow({ data, shape: [40, 50] }, 'bfloat16');
    expect(packRows([data], { dtype: 'bfloat16' }).data).toEqual(bits.data);
  });

  it('every number of bfloat16 becomes its own bits', () => {
    const patterns = Uint16Array.from({ length: 0x7f80 }, (_, bits) => bits);
    const values = new Float32Array(Uint32Array.from(patterns, (bits) => bits * 65536).buffer);
    expect(packRows([values], { dtype: 'bfloat16' }).data).toEqual(patterns);
    const negative = packRows([values.map((x) => -x)], { dtype: 'bfloat16' }).data;
    expect(negative).toEqual(patterns.map((bits) => bits + 0x8000));
  });

  it('of a float64 are rounded once', () => {
    // halfway between two bfloat16 and a little more, which float32 cannot tell from halfway
    const value = 1 + 2 ** -8 + 2 ** -40;
    expect(toBfloat16(Math.fround(value))).toBe(0x3f80);
    expect([...packRows([[value]], { dtype: 'bfloat16' }).data]).toEqual([0x3f81]);
  });
});

describe('refuses', () => {
  const detached = () => {
    const row = new Float32Array(3);
    structuredClone(row, { transfer: [row.buffer] });
    return row;
  };
  const bits = Uint16Array.of(1, 2, 3);
  it.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, {}, 'ERR_TYPE', 'array of rows for rows but received undefined'],
    ['a text', 'rows', {}, 'ERR_TYPE', 'for rows but received rows of type string'],
    ['a flat array', flat, {}, 'ERR_TYPE', 'flat numbers are a matrix already: { data: rows,'],
    ['flat numbers', [1, 2], {}, 'ERR_TYPE', 'for rows[0] but received 1 of type number; flat numbers are a'],
    [
      'a matrix',
      { data: flat, shape: [2, 3] },
      {},
      'ERR_TYPE',
      'an object { data, shape } is a matrix already',
    ],
    ['no length', { length: -1 }, {}, 'ERR_TYPE', 'array of rows for rows'],
    ['a Proxy', new Proxy({ length: 1, 0: [1] }, {}), {}, 'ERR_TYPE', 'for rows but received a Proxy'],
    ['no rows', [], {}, 'ERR_SHAPE', 'at least one row for rows but received none'],
    ['empty rows', [[], []], {}, 'ERR_SHAPE', 'at least one number for rows[0] but received none'],
    [
      'a longer row',
      [[1], [1], [1, 2]],
      {},
      'ERR_SHAPE',
      '1 elements, as in rows[0], for rows[2] but received 2',
    ],
    [
      'a shorter row',
      [[1, 2], [1]],
      {},
      'ERR_SHAPE',
      '2 elements, as in rows[0], for rows[1] but received 1',
    ],
    [
      'a missing row',
      [[1], undefined],
      {},
      'ERR_TYPE',
      'array of numbers for rows[1] but received undefined',
    ],
    ['a Proxy of a row', [[1], new Proxy(flat, {})], {}, 'ERR_TYPE', 'rows[1] but received a Proxy'],
    ['a text as row', [[1], '1'], {}, 'ERR_TYPE', 'rows[1] but received 1 of type string'],
    ['a text as number', [[1], ['1']], {}, 'ERR_TYPE', 'number for rows[1][0] but received 1 of type string'],
    ['a hole', [[1, 2], new Array(2)], {}, 'ERR_TYPE', 'number for rows[1][0] but received undefined'],
    ['a bigint', [[1n]], {}, 'ERR_TYPE', 'number for rows[0][0] but received 1 of type bigint'],
    ['three levels', [[[1]]], {}, 'ERR_TYPE', 'number for rows[0][0] but received an instance of Array'],
    ['rows in objects', [{ vector: [1] }], {}, 'ERR_TYPE', 'packRows(rows.map((row) => row.vector)) takes'],
    [
      'rows with a method toArray, as of Arrow',
      [{ length: 1, data: [{}], toArray: () => [1] }],
      {},
      'ERR_TYPE',
      'number for rows[0][0] but received undefined; packRows(rows.map((row) => row.toArray())) takes',
    ],
    [
      'a DataView',
      [new DataView(new ArrayBuffer(4))],
      {},
      'ERR_TYPE',
      'rows[0] but received an instance of DataView',
    ],
    [
      'bytes',
      [[1], Uint8Array.of(1)],
      {},
      'ERR_DTYPE',
      'rows[1] but received an instance of Uint8Array; Float32Array.from(row',
    ],
    ['64-bit integers', [BigInt64Array.of(1n)], {}, 'ERR_DTYPE', 'array of floats for rows[0]'],
    [
      'bits without dtype',
      [bits],
      {},
      'ERR_DTYPE',
      'float16 or bfloat16, as rows[0] is a Uint16Array, for options.dtype but received undefined',
    ],
    ['bits as float32', [bits], { dtype: 'float32' }, 'ERR_DTYPE', 'for options.dtype but received float32'],
    [
      'bits after numbers',
      [[1, 2, 3], bits],
      { dtype: 'float16' },
      'ERR_DTYPE',
      'array of floats, as rows[0] is, for rows[1]',
    ],
    [
      'numbers after bits',
      [bits, [1, 2, 3]],
      { dtype: 'float16' },
      'ERR_DTYPE',
      'Uint16Array, as rows[0] is, for rows[1]',
    ],
    [
      'NaN',
      [[1], [Number.NaN]],
      {},
      'ERR_NOT_FINITE',
      'number that float32 has for rows[1][0] but received NaN',
    ],
    ['NaN in 16 bits', [[Number.NaN]], { dtype: 'float16' }, 'ERR_NOT_FINITE', 'rows[0][0]'],
    ['infinity', [Float32Array.of(1, -1 / 0)], {}, 'ERR_NOT_FINITE', 'rows[0][1] but received -Infinity'],
    ['beyond float32', [[1e39]], {}, 'ERR_NOT_FINITE', 'rows[0][0] but received 1e+39'],
    [
      'beyond float16',
      [[65504, 65520]],
      { dtype: 'float16' },
      'ERR_NOT_FINITE',
      'number that float16 has for rows[0][1] but received 65520',
    ],
    ['beyond bfloat16', [[3.4e38]], { dtype: 'bfloat16' }, 'ERR_NOT_FINITE', 'rows[0][0]'],
    [
      'a detached row',
      [[1, 2, 3], detached()],
      {},
      'ERR_DETACHED',
      'for rows[1] but received a detached one',
    ],
    [
      'an unknown dtype',
      rows,
      { dtype: 'fp16' },
      'ERR_DTYPE',
      'for options.dtype but received fp16 of type string; did you mean float16?',
    ],
    ['an unknown option', rows, { type: 'float16' }, 'ERR_OPTION', 'Unknown name type in options'],
    ['options that are none', rows, 3, 'ERR_TYPE', 'object for options'],
    [
      'more than an integer holds',
      { length: 2 ** 40, 0: { length: 2 ** 40 } },
      {},
      'ERR_SHAPE',
      'received [1099511627776, 1099511627776]',
    ],
    [
      'more than memory has',
      { length: 2 ** 26, 0: { length: 2 ** 26 } },
      {},
      'ERR_OUT_OF_MEMORY',
      'Cannot allocate 18014398509481984 bytes',
    ],
  ])('%s', (_, given, options, code, message) => {
    const error = thrownBy(() => packRows(given as number[][], options as object));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
    expect(isInfclError(error)).toBe(true);
  });
});
