/**
 * Random files of features: whole ones with what a reader must find in them, and damaged ones. Everything follows from
 * the random numbers of the case.
 *
 * Refuses to know the readers: a header is made by rules of its own, and by JSON.stringify.
 */

const sizes = { F32: 4, F16: 2, BF16: 2, F64: 8, I64: 8, I32: 4, U8: 1, BOOL: 1, F8_E4M3: 1 };
const dtypeNames = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };
const bytesOf = (dtype, shape) => shape.reduce((product, length) => product * length, sizes[dtype]);

/** Puts a tensor behind the others of a list. A list, as objects give names like __proto__ a meaning. */
function place(tensors, name, dtype, shape) {
  const begin = tensors.at(-1)?.data_offsets[1] ?? 0;
  tensors.push({ name, dtype, shape, data_offsets: [begin, begin + bytesOf(dtype, shape)] });
  return begin;
}

/** @returns {{ bytes: Buffer, expected: object, tensor?: string, format: string }} */
export function wholeFile(random) {
  return random.chance(0.5) ? wholeSafetensors(random) : wholeNpy(random);
}

function wholeSafetensors(random) {
  const tensors = [];
  const [rows, dim] = [random.integer(1, 40), random.integer(1, 40)];
  const dtype = random.pick(['F32', 'F16', 'BF16']);
  const name = random.pick(['features', 'x', '__proto__', 'image embeds', '特徴', 'a"b\\c']);
  // multiples of eight, so that what follows is aligned
  for (let i = random.integer(0, 4); i > 0; i--) {
    place(tensors, `other ${i}`, random.pick(Object.keys(sizes)), [8 * random.integer(0, 3)]);
  }
  const begin = place(tensors, name, dtype, [rows, dim]);
  const hasIds = name === 'features' && random.chance(0.5);
  const idsBegin = hasIds ? place(tensors, 'ids', 'I32', [rows]) : 0;
  const header = headerOf(random, tensors);
  const ids = hasIds ? { offset: header.length + idsBegin, count: rows } : null;
  const offset = header.length + begin;
  return {
    bytes: Buffer.concat([header, Buffer.alloc(tensors.at(-1).data_offsets[1])]),
    expected: { format: 'safetensors', dtype: dtypeNames[dtype], rows, dim, offset, ids },
    tensor: name === 'features' && random.chance(0.5) ? undefined : name,
    format: 'safetensors',
  };
}

/** The length and the JSON, with tensors in any order and any white space. */
function headerOf(random, tensors) {
  const entries = shuffled(random, tensors).map(({ name, ...rest }) => [name, rest]);
  if (random.chance(0.3))
    entries.push(['__metadata__', { made: 'by hand', format: random.pick(['pt', 'é']) }]);
  const texts = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const json = Buffer.from(`{${texts.join(random.pick([',', ' , ', ',\n']))}}`);
  const step = random.pick([8, 64, 4096]);
  const header = Buffer.alloc(Math.ceil((json.length + 8) / step) * step, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8), 0);
  json.copy(header, 8);
  return header;
}

function wholeNpy(random) {
  const [rows, dim] = [random.integer(1, 40), random.integer(1, 40)];
  const half = random.chance(0.5);
  const quote = random.pick(["'", '"']);
  const q = (text) => `${quote}${text}${quote}`;
  const fields = shuffled(random, [
    `${q('descr')}: ${q(half ? '<f2' : '<f4')}`,
    `${q('fortran_order')}: False`,
    `${q('shape')}: (${rows}, ${dim}${random.pick(['', ','])})`,
  ]);
  const text = `{${fields.join(', ')}${random.pick(['', ', ', ','])}}`;
  const version = random.integer(1, 3);
  const begin = version === 1 ? 10 : 12;
  const end = Math.ceil((begin + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(end, ' ');
  header.write('\x93NUMPY', 'latin1');
  header.writeUInt8(version, 6);
  header.writeUInt8(0, 7);
  header.writeUIntLE(end - begin, 8, begin - 8);
  header.write(text, begin, 'latin1');
  header.write('\n', end - 1);
  const data = Buffer.alloc(rows * dim * (half ? 2 : 4));
  const dtype = half ? 'float16' : 'float32';
  return {
    bytes: Buffer.concat([header, data]),
    expected: { format: 'npy', dtype, rows, dim, offset: end, ids: null },
    tensor: undefined,
    format: 'npy',
  };
}

function shuffled(random, list) {
  const left = [...list];
  return list.map(() => left.splice(random.integer(0, left.length - 1), 1)[0]);
}

/** What an enemy writes in place of a number, a name or a bracket. */
const tokens = [
  ...[
    '0',
    '-1',
    '-0',
    '1e9',
    '1.5',
    '9007199254740993',
    '18446744073709551616',
    'NaN',
    'Infinity',
    'null',
    'true',
  ],
  ...[
    '[]',
    '{}',
    '""',
    '"features"',
    '"F32"',
    '"dtype"',
    '"__proto__"',
    '[0,0]',
    '[4294967296,4294967296]',
    "'<f4'",
  ],
  ...[
    "'>f4'",
    'True',
    '()',
    '(1,)',
    '(2**64,1)',
    "b'<f4'",
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    ',',
    ':',
    '"',
    "'",
    '\\',
  ],
  ...[
    '\\u0000',
    '\u0000',
    '\ufeff',
    '\\ud800',
    ' ',
    '\n',
    '"\\u0061"',
    '#',
    '__import__("os")',
    '9'.repeat(50),
  ],
];

/** Where the header ends, in the file as it says itself, and never beyond the file. */
function headerEnd(bytes, format) {
  const said = format === 'npy' ? 128 : 8 + Number(bytes.readBigUInt64LE(0) % 65536n);
  return Math.min(bytes.length, said);
}

/** Damages a file of at least eight bytes in one place. */
export function damage(random, { bytes, format }) {
  const header = headerEnd(bytes, format);
  const at = random.integer(0, header - 1);
  const result = Buffer.from(bytes);
  if (bytes.length < 16) return result.subarray(0, at);
  switch (random.integer(0, 7)) {
    case 0: // one byte
      result[at] = random.integer(0, 255);
      return result;
    case 1: // one bit
      result[at] ^= 1 << random.integer(0, 7);
      return result;
    case 2: // the end is missing
      return result.subarray(0, random.chance(0.5) ? at : random.integer(0, bytes.length));
    case 3: // more at the end
      return Buffer.concat([result, Buffer.alloc(random.integer(1, 100), random.integer(0, 255))]);
    case 4: // the length of the header
      if (format === 'npy') result.writeUInt16LE(random.integer(0, 65535), 8);
      else
        result.writeBigUInt64LE(
          random.pick([0n, 1n, 2n ** 53n, 2n ** 64n - 1n, BigInt(random.integer(0, 10000))]),
          0,
        );
      return result;
    case 5: // something repeated
      return Buffer.concat([
        result.subarray(0, at),
        result.subarray(random.integer(0, at), header),
        result.subarray(at),
      ]);
    default:
      return replaceToken(random, result, header, format);
  }
}

/** Puts a token in place of another one, and mends the length, so that the readers get behind it. */
function replaceToken(random, bytes, header, format) {
  const begin = format === 'npy' ? (bytes[6] === 1 ? 10 : 12) : 8;
  const text = bytes.subarray(begin, header).toString('latin1');
  const found = [...text.matchAll(/-?[\w.]+|"[^"]*"|'[^']*'|[^\w\s]/g)];
  if (found.length === 0) return bytes;
  const { index, 0: old } = random.pick(found);
  const token = Buffer.from(random.pick(tokens)).toString('latin1');
  const kept = random.chance(0.3) ? old : '';
  const changed = Buffer.from(text.slice(0, index) + token + kept + text.slice(index + old.length), 'latin1');
  const start = Buffer.from(bytes.subarray(0, begin));
  if (format === 'npy') start.writeUIntLE(changed.length, 8, begin - 8);
  else start.writeBigUInt64LE(BigInt(changed.length));
  return Buffer.concat([start, changed, bytes.subarray(header)]);
}
