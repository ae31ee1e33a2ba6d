/** Headers of .npy files: those that NumPy writes are read, and no others; nothing in a header is evaluated. */
import { readLayoutOf } from '../../lib/store/read-header';
import { fileOf, npy, npyHeader, rejection } from './files';

const read = (bytes: Uint8Array, name?: string) => readLayoutOf(fileOf(bytes), name);

describe('reads', () => {
  it.each([
    ["'<f4'", 'float32', 24],
    ["'<f2'", 'float16', 12],
    ['"<f4"', 'float32', 24],
  ])('%s', async (descr, dtype, bytes) => {
    const header = await read(npy(npyHeader(descr, '(2, 3)'), bytes));
    expect(header).toMatchObject({ format: 'npy', dtype, rows: 2, dim: 3, offset: 128, ids: null });
  });

  it.each([[1], [2], [3]])('version %i', async (version) => {
    const file = npy(npyHeader("'<f4'", '(2, 3)'), 24, [version, 0]);
    expect(await read(file)).toMatchObject({ rows: 2, dim: 3, offset: 128 });
  });

  // the title is the first column: a header as a title would be too long for Jest
  it.each([
    ['another order, no spaces, no last comma', "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}"],
    ['long integers of Python 2', npyHeader("'<f4'", '(2L, 3L)')],
    ['a comma at the end', npyHeader("'<f4'", '(2, 3,)')],
    ['a header of version 1 that is nearly full', npyHeader("'<f4'", '(2, 3)').padEnd(60_000)],
  ])('%s', async (_what, header) => {
    expect(await read(npy(header, 24))).toMatchObject({ rows: 2, dim: 3 });
  });
});

const good = npyHeader("'<f4'", '(2, 3)');
const shaped = (shape: string, bytes = 24) => npy(npyHeader("'<f4'", shape), bytes);
const typed = (descr: string, bytes = 24) => npy(npyHeader(descr, '(2, 3)'), bytes);
const noDictionary = 'no dictionary as NumPy writes it';

const hostile: [what: string, file: Uint8Array, message: string, tensor?: string][] = [
  ['the magic number alone', npy(good).subarray(0, 8), 'the file ends within its header'],
  ['a file that ends in its header', npy(good).subarray(0, 60), 'the file ends within its header'],
  [
    'a length of 4 GiB',
    Buffer.concat([npy(good, 0, [2, 0]).subarray(0, 8), Buffer.alloc(100, 255)]),
    'within its header',
  ],
  ['a header of 1 MiB', npy(good.padEnd(2 ** 20), 24, [2, 0]), 'infcl reads at most 65536'],
  ['version 0', npy(good, 24, [0, 0]), 'its version of .npy is 0.0'],
  ['version 4', npy(good, 24, [4, 0]), 'its version of .npy is 4.0'],
  ['version 1.1', npy(good, 24, [1, 1]), 'its version of .npy is 1.1'],
  ['big-endian numbers', typed("'>f4'"), "'>f4', big-endian"],
  ['numbers in the order of the machine', typed("'=f4'"), "'=f4'; infcl reads '<f4' and '<f2'"],
  ['float64', typed("'<f8'", 48), "'<f8'; infcl reads '<f4' and '<f2': save x.astype(np.float32)"],
  ['integers', typed("'<i4'"), "'<i4'"],
  ['bytes', typed("'|u1'", 6), "'|u1'"],
  ['objects', typed("'|O'", 48), "'|O'"],
  ['bfloat16 as bytes', typed("'<V2'", 12), 'bfloat16 has no type in .npy: write safetensors'],
  ['fields', typed("[('a', '<f4'), ('b', '<f4')]", 48), 'a list, as types with fields have'],
  ['a type of Object.prototype', typed("'constructor'"), "'constructor'"],
  ['columns first', npy(npyHeader("'<f4'", '(2, 3)', 'True'), 24), 'its columns come first (fortran_order)'],
  ['an order that is a number', npy(npyHeader("'<f4'", '(2, 3)', '0'), 24), noDictionary],
  ['an order that is None', npy(npyHeader("'<f4'", '(2, 3)', 'None'), 24), noDictionary],
  ['one dimension', shaped('(6,)'), 'its shape is (6); features have two dimensions'],
  ['three dimensions', shaped('(1, 2, 3)'), 'its shape is (1, 2, 3)'],
  ['no dimension', shaped('()', 4), 'its shape is ()'],
  ['a shape that is a number', shaped('6'), noDictionary],
  ['a shape in brackets alone', shaped('(6)'), noDictionary],
  ['a shape that is a list', shaped('[2, 3]'), 'a list, as types with fields have'],
  ['no rows', shaped('(0, 3)', 0), 'its shape is (0, 3)'],
  ['rows of nothing', shaped('(3, 0)', 0), 'its shape is (3, 0)'],
  ['a negative length', shaped('(-2, -3)'), noDictionary],
  ['a fraction', shaped('(2.0, 3)'), noDictionary],
  ['a sum', shaped('(1+1, 3)'), noDictionary],
  ['a product', shaped('(2*1, 3)'), noDictionary],
  ['an underscore', shaped('(2_0, 3)'), noDictionary],
  ['a hexadecimal number', shaped('(0x2, 3)'), noDictionary],
  ['a leading zero', shaped('(02, 3)'), noDictionary],
  ['a truth value', shaped('(True, 3)'), noDictionary],
  ['a shape of 2^53', shaped('(9007199254740992, 1)'), 'its shape is'],
  ['a shape of 400 digits', shaped(`(${'9'.repeat(400)}, 1)`), 'its shape is (Infinity, 1)'],
  ['a shape that overflows 64 bits', shaped('(4294967296, 4294967296)', 0), 'its shape is'],
  ['a call', npy("__import__('os').system('true')", 24), noDictionary],
  ['a call as a value', typed("str('<f4')"), noDictionary],
  ['two texts that become one', typed("'<f' '4'"), noDictionary],
  ['a text with a prefix', typed("b'<f4'"), noDictionary],
  ['an escape', typed("'\\x3cf4'"), noDictionary],
  ['a text without an end', npy("{'descr': '<f4", 24), noDictionary],
  ['a comment', npy(`${good} # as it were`, 24), noDictionary],
  ['a second dictionary', npy(`${good}${good}`, 24), noDictionary],
  ['an empty dictionary', npy('{}', 24), 'descr, fortran_order and shape alone'],
  ['a name missing', npy("{'descr': '<f4', 'shape': (2, 3)}", 24), 'descr, fortran_order and shape alone'],
  ['a name too many', npy(good.replace('}', "'x': True}"), 24), 'descr, fortran_order and shape alone'],
  ['a name twice', npy(good.replace('}', "'shape': (2, 3)}"), 24), noDictionary],
  ['a list', npy('[1]', 24), noDictionary],
  ['nothing', npy('', 24), noDictionary],
  ['nesting', npy(`{'descr': ${'('.repeat(1000)}`, 24), noDictionary],
  [
    'a file that is cut',
    npy(good, 23),
    'the file is too short: its matrix [2, 3] has 24 bytes and 23 are there',
  ],
  ['a second array behind the first', npy(good, 48), 'the file is too long'],
  ['the name of a tensor', npy(good, 24), 'leave out the option tensor', 'features'],
];

// a rest parameter: Jest would pass `done` for a fourth parameter that a row leaves out
it.each(hostile)('refuses %s', async (...[, bytes, message, name]) => {
  const error = await rejection(read(bytes, name));
  expect(error.code).toBe('ERR_STORE');
  expect(error.message).toContain(message);
  expect(error.message.length).toBeLessThan(800);
});

it('refuses data between two elements', async () => {
  const file = npy(good, 24);
  const shorter = Buffer.concat([file.subarray(0, 126), file.subarray(127)]);
  shorter.writeUInt16LE(117, 8);
  expect((await rejection(read(shorter))).message).toContain('begin at byte 127, between two elements');
});
