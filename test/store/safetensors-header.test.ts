/** Headers of safetensors files: those that others write are read, and hostile ones are refused in words. */
import { readLayoutOf } from '../../lib/store/read-header';
import { fileOf, rejection, safetensors, tensor } from './files';

const read = (bytes: Uint8Array, name?: string) => readLayoutOf(fileOf(bytes), name);

describe('reads', () => {
  it.each([
    ['F32', 'float32', 24],
    ['F16', 'float16', 12],
    ['BF16', 'bfloat16', 12],
  ])('%s as %s', async (type, dtype, bytes) => {
    const file = safetensors({ features: tensor(type, [2, 3]) }, bytes);
    const header = await read(file);
    const offset = file.length - bytes;
    expect(header).toEqual({ format: 'safetensors', dtype, rows: 2, dim: 3, offset, ids: null });
  });

  it('the only tensor that can be features, whatever its name', async () => {
    const header = { bias: tensor('F32', [2]), 'image embeds': tensor('F16', [2, 3], 8) };
    expect(await read(safetensors(header, 20))).toMatchObject({ dtype: 'float16', rows: 2, dim: 3 });
  });

  it('the tensor that is named, among others', async () => {
    const header = {
      b: tensor('F32', [1, 3], 24),
      a: tensor('F32', [2, 3]),
      features: tensor('F32', [0, 3], 36),
    };
    const file = safetensors(JSON.stringify(header).padEnd(200), 36);
    expect(await read(file, 'b')).toMatchObject({ rows: 1, offset: 232 });
    expect(await read(file, 'a')).toMatchObject({ rows: 2, offset: 208 });
  });

  it('ids beside features, and not beside a tensor of another name', async () => {
    const header = {
      features: tensor('F32', [2, 1]),
      x: tensor('F32', [2, 2], 8),
      ids: tensor('I32', [2], 24),
    };
    const file = safetensors(JSON.stringify(header).padEnd(256), 32);
    expect((await read(file)).ids).toEqual({ offset: 264 + 24, count: 2 });
    expect((await read(file, 'x')).ids).toBeNull();
  });

  it('metadata, unknown names in a tensor, escapes, and names that mean something to JavaScript', async () => {
    const header = `{"__metadata__": {"a": "\\u00e9\\n", "__proto__": "b"},
      "__proto__": ${JSON.stringify(tensor('U8', [0]))}, "constructor": ${JSON.stringify(tensor('U8', [0]))},
      "f\\u0065atures": {"extra": [true, null, {"b": 1}], ${JSON.stringify(tensor('F32', [1, 1])).slice(1)}}`;
    expect(await read(safetensors(header.padEnd(300), 4))).toMatchObject({ rows: 1, dim: 1 });
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });
});

const two = tensor('F32', [2, 3]);
const f = (changes: object) => ({ features: { ...two, ...changes } });
const raw = (shape: string, offsets = '[0,24]') =>
  `{"features":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}}`;

const hostile: [what: string, file: Uint8Array, message: string, tensor?: string][] = [
  ['an empty file', Buffer.alloc(0), 'the file has 0 bytes, too few for a header'],
  ['seven bytes', Buffer.alloc(7), 'the file has 7 bytes'],
  ['a header of length 0', safetensors('', 100), 'it has no header: its writer is at work'],
  ['a length beyond the file', safetensors(f({}), 24, 1000n), 'its header should have 1000 bytes'],
  ['a length of 64 bits', safetensors(f({}), 24, 2n ** 64n - 1n), 'should have 18446744073709551615 bytes'],
  ['a length of 2^53', safetensors(f({}), 24, 2n ** 53n), 'should have 9007199254740992 bytes'],
  ['a length that cuts the header', safetensors(f({}), 24, 20n), 'its header has'],
  ['no object', safetensors('[1]'), "does not begin with '{'"],
  ['white space first', safetensors(' {}'), "does not begin with '{'"],
  ['a byte order mark', safetensors('\ufeff{}'), "does not begin with '{'"],
  ['no JSON', safetensors('{features}'), 'no name in quotes at character 1'],
  ['an open object', safetensors('{"a":{"b":1'), "no '}'"],
  ['an open text', safetensors('{"a'), 'text without a closing quote'],
  ['a text that ends in a backslash', safetensors('{"a\\'), 'text without a closing quote'],
  ['a comma at the end', safetensors('{"a":1,}'), 'no name in quotes'],
  ['text behind the object', safetensors('{} {}'), 'text behind the end'],
  ['an unknown escape', safetensors('{"\\x":1}'), 'the text'],
  ['a control character', safetensors('{"a\u0001":1}'), 'the text'],
  ['half a surrogate pair', safetensors('{"\\ud800":1}'), 'no Unicode'],
  ['no UTF-8', safetensors(Buffer.from([0x7b, 0x22, 0xff, 0x22])), 'is not UTF-8'],
  ['an overlong UTF-8', safetensors(Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22])), 'is not UTF-8'],
  ['deep nesting', safetensors(`{"a":${'['.repeat(1000)}`), 'more than 8 levels'],
  [
    'equal names',
    safetensors(`{"features":${JSON.stringify(two)},"features":${JSON.stringify(two)}}`, 24),
    'twice',
  ],
  ['equal names by an escape', safetensors('{"a":1,"\\u0061":1}'), "the name 'a' twice"],
  ['equal names in a tensor', safetensors('{"a":{"dtype":"F32","dtype":"F16"}}'), "the name 'dtype' twice"],
  ['a negative length', safetensors(raw('[-2,-3]'), 24), "'-2', which is no integer from 0"],
  ['minus zero', safetensors(raw('[-0,3]'), 24), "'-0', which is no integer"],
  ['a fraction', safetensors(raw('[2.0,3]'), 24), "'2.0', which is no integer"],
  ['an exponent', safetensors(raw('[2e0,3]'), 24), "'2e0', which is no integer"],
  ['a leading zero', safetensors(raw('[02,3]'), 24), "'02', which is no integer"],
  ['a hexadecimal number', safetensors(raw('[0x2,3]'), 24), "'0x2', which is no integer"],
  ['not a number', safetensors(raw('[NaN,3]'), 24), "'NaN', which is no integer"],
  [
    'a number beyond 2^53',
    safetensors(raw('[9007199254740993,3]'), 24),
    'which is no integer from 0 to 2^53',
  ],
  ['a number of 400 digits', safetensors(raw(`[${'9'.repeat(400)},3]`), 24), 'which is no integer'],
  ['a shape that overflows 64 bits', safetensors(raw('[4294967296,4294967296]', '[0,0]')), 'does not fit'],
  [
    'a shape that overflows and ends in 0',
    safetensors(raw(`[${Array(30).fill('999999999')},0]`, '[0,0]')),
    'does not fit',
  ],
  [
    'a shape beyond its offsets',
    safetensors(f({ shape: [2, 4] }), 24),
    'the shape [2, 4], which does not fit',
  ],
  ['a shape below its offsets', safetensors(f({ shape: [2, 2] }), 24), 'does not fit'],
  ['a shape with an element missing', safetensors(raw('[2,,3]'), 24), 'no value'],
  ['a shape of texts', safetensors(f({ shape: ['2', '3'] }), 24), 'no shape of integers'],
  ['no shape', safetensors(f({ shape: undefined }), 24), 'no shape of integers'],
  [
    'three dimensions',
    safetensors(f({ shape: [1, 2, 3] }), 24),
    'has the shape [1, 2, 3]; features have [rows, dim]',
  ],
  ['one dimension', safetensors(f({ shape: [6] }), 24), 'has the shape [6]'],
  ['no dimension', safetensors({ features: tensor('F32', []) }, 4), 'has the shape []'],
  ['no rows', safetensors({ features: tensor('F32', [0, 3]) }), 'has the shape [0, 3]'],
  ['rows of nothing', safetensors({ features: tensor('F32', [3, 0]) }), 'has the shape [3, 0]'],
  [
    'a million dimensions',
    safetensors({ features: tensor('F32', Array(1e5).fill(1)) }, 4),
    'has the shape [1, 1, 1',
  ],
  ['offsets in reverse', safetensors(f({ data_offsets: [24, 0] }), 24), 'does not fit its data_offsets'],
  ['three offsets', safetensors(f({ data_offsets: [0, 24, 24] }), 24), 'no two data_offsets'],
  ['offsets that are no list', safetensors(f({ data_offsets: { 0: 0, 1: 24 } }), 24), 'no two data_offsets'],
  ['a dtype that is no text', safetensors(f({ dtype: 5 }), 24), 'no dtype'],
  ['an unknown dtype', safetensors(f({ dtype: 'float32' }), 24), "the unknown dtype 'float32'"],
  [
    'a dtype of Object.prototype',
    safetensors(f({ dtype: 'constructor' }), 24),
    "the unknown dtype 'constructor'",
  ],
  ['float64', safetensors({ features: tensor('F64', [2, 3]) }, 48), 'elements of type F64; write it as F32'],
  ['int32', safetensors({ features: tensor('I32', [2, 3]) }, 24), 'elements of type I32'],
  ['a tensor that is a list', safetensors({ features: [1] }), 'no description'],
  ['a gap at the beginning', safetensors({ features: tensor('F32', [2, 3], 4) }, 28), 'has a gap before it'],
  [
    'a gap between tensors',
    safetensors({ a: tensor('F32', [1]), features: tensor('F32', [2, 3], 8) }, 32),
    'gap',
  ],
  [
    'tensors that overlap',
    safetensors({ a: tensor('F32', [2]), features: tensor('F32', [2, 3], 4) }, 28),
    'overlaps',
  ],
  ['two tensors in one place', safetensors({ a: two, features: two }, 24), 'overlaps another tensor'],
  ['a file that is cut', safetensors(f({}), 23), 'the file is too short: its tensors have 24 bytes and 23'],
  ['bytes behind the tensors', safetensors(f({}), 25), 'the file is too long'],
  ['no tensors', safetensors({}), 'which of its tensors are the features?'],
  ['no tensors, but bytes', safetensors({}, 5), 'the file is too long'],
  [
    'two candidates',
    safetensors({ a: two, b: tensor('F32', [1, 1], 24) }, 28),
    "Name one by the option tensor; the file has 'a', 'b'",
  ],
  [
    'another name than asked for',
    safetensors(f({}), 24),
    "it has no tensor 'x'; the file has 'features'",
    'x',
  ],
  ['the name of the metadata', safetensors(f({}), 24), "no tensor '__metadata__'", '__metadata__'],
  [
    'metadata that are a list',
    safetensors({ __metadata__: ['a'], ...f({}) }, 24),
    'its __metadata__ is no object of texts',
  ],
  ['metadata with a number', safetensors({ __metadata__: { a: 1 }, ...f({}) }, 24), 'its __metadata__'],
  ['metadata that are null', safetensors({ __metadata__: null, ...f({}) }, 24), 'its __metadata__'],
  ['an odd beginning', safetensors(`${JSON.stringify(f({}))}`.padEnd(97), 24), 'between two elements'],
  [
    'an odd place behind bytes',
    safetensors(JSON.stringify({ a: tensor('U8', [1]), features: tensor('F32', [1, 1], 1) }).padEnd(160), 5),
    'between two elements',
  ],
  [
    'ids of 64 bits',
    safetensors({ ...f({}), ids: tensor('I64', [2], 24) }, 40),
    "its tensor 'ids' is I64 [2] and not I32 [2]",
  ],
  [
    'too few ids',
    safetensors({ ...f({}), ids: tensor('I32', [1], 24) }, 28),
    "'ids' is I32 [1] and not I32 [2]",
  ],
  ['a matrix of ids', safetensors({ ...f({}), ids: tensor('I32', [2, 1], 24) }, 32), 'is I32 [2, 1]'],
  [
    'a zip archive',
    Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(90)]),
    'this is a zip archive',
  ],
];

// a rest parameter: Jest would pass `done` for a fourth parameter that a row leaves out
it.each(hostile)('refuses %s', async (...[, bytes, message, name]) => {
  const error = await rejection(read(bytes, name));
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
  expect(error.code).toBe('ERR_STORE');
  expect(error.message).toContain(message);
  expect(error.message).toMatch(/^Cannot read features from 'memory': /);
  expect(error.message.length).toBeLessThan(800);
});

it('names of a file cannot command a terminal', async () => {
  const { message } = await rejection(read(safetensors('{"a\\u001b[2J\\u009b":1}')));
  expect(message).toContain("'a\\u{1b}[2J\\u{9b}'");
});

it('a header of a million names is refused for its length, unread', async () => {
  const names = Array.from({ length: 1e6 }, (_, i) => `"${i}":0`).join(',');
  const file = fileOf(safetensors(`{${names}}`));
  const { code, message } = await rejection(readLayoutOf(file, undefined));
  expect([code, message]).toEqual(['ERR_STORE', expect.stringContaining('infcl reads at most 1048576')]);
  expect(file.asked).toBe(8);
});

const mebibyte = 2 ** 20;
it.each([
  ['names', `{${'"":{},'.repeat(1e6)}`],
  ['distinct names', `{${Array.from({ length: 2e5 }, (_, i) => `"${i}":0`).join(',')}}`],
  ['lists', `{"a":${'[],'.repeat(1e6)}`],
  ['backslashes', `{"${'\\'.repeat(2e6)}`],
  ['digits', `{"a":${'9'.repeat(2e6)}`],
  ['white space', `{${' '.repeat(2e6)}`],
])('a header of 1 MiB of %s is refused in a moment', async (_, text) => {
  const file = fileOf(safetensors(text.slice(0, mebibyte)));
  const begin = process.cpuUsage();
  expect((await rejection(readLayoutOf(file, undefined))).code).toBe('ERR_STORE');
  const { user, system } = process.cpuUsage(begin);
  // some 0.1 s of processor time; a quadratic reader would take minutes
  expect((user + system) / 1e6).toBeLessThan(10);
  expect(file.asked).toBeLessThanOrEqual(8 + mebibyte);
});
