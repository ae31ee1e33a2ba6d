/**
 * Values that no argument should be: of another type, beyond every limit, of another realm, on memory
 * that moves.
 *
 * Refuses values that end a program by themselves, such as promises that never settle or rejections without
 * a handler.
 */

import vm from 'node:vm';

const realm = vm.createContext({});
const inRealm = (code) => vm.runInContext(code, realm);
const million = 'x'.repeat(1e6);

const plain = [
  undefined,
  null,
  true,
  false,
  ...[
    0,
    -0,
    1,
    -1,
    0.5,
    3,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 53,
    2 ** 53 - 1,
    1e30,
    1e300,
  ],
  ...[-1e308, 5e-324, 1e-45, 1e-26, 1025],
  ...[0n, 1n, -1n, 2n ** 64n, 2n ** 80n],
  ...[
    '',
    'clip',
    'infonce',
    'supcon',
    'siglip',
    'ntxent',
    'CLIP',
    'float32',
    'cuda',
    'bfloat16',
    'toString',
    '__proto__',
  ],
  ...[million, '\0', '\ud800', 'queryToKey'],
  Symbol('odd'),
  Symbol.iterator,
];

/** Functions that make a fresh value each, as some of the values are changed by their use. */
const objects = [
  () => [],
  () => [1, 2],
  () => [2, 2, 2],
  () => [[1, 2]],
  () => new Array(1e6),
  () => ({}),
  () => ({ length: 2, 0: 2, 1: 2 }),
  () => ({ length: 1e9 }),
  () => ({ length: -1 }),
  () => ({ length: 2 ** 53 }),
  () => Object.create(null),
  () => Object.freeze({ rows: 2 }),
  () => ({ rows: 2, extra: 1 }),
  () => ({ [million]: 1 }),
  () => Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`name${i}`, undefined])),
  () => ({ ['__proto__']: { objective: 'clip' } }),
  () => () => {},
  () => async () => {},
  () => function* () {},
  () => new Date(NaN),
  () => /x/,
  () => new Map([['data', 1]]),
  () => new Set([1]),
  () => new WeakMap(),
  () => new Error('a value, not thrown'),
  () => Promise.resolve(1),
  () => new Proxy({}, {}),
  () => new Proxy([2, 2], {}),
  () => new Number(3),
  () => new String('clip'),
  () => new Boolean(true),
  () => Object(1n),
  () => globalThis,
  () => process.versions,
  abortedSignal,
  () => new AbortController(),
  () => new EventTarget(),
  () => Buffer.from('0123456789abcdef'),
  () => inRealm('[2, 2]'),
  () => inRealm('({ data: new Float32Array(4), shape: [2, 2] })'),
  () => inRealm('new Float32Array(4)'),
  () => inRealm('new Int32Array(4)'),
  () => inRealm('(function () { return arguments; })(2, 2)'),
];

const arrayTypes = [
  ...[
    Float32Array,
    Float64Array,
    Int32Array,
    Uint32Array,
    Uint16Array,
    Int16Array,
    Uint8Array,
    Uint8ClampedArray,
  ],
  ...[BigInt64Array, ...(globalThis.Float16Array ? [globalThis.Float16Array] : [])],
];

/** A typed array of an odd type, length or memory. */
export function oddArray(random, length = random.pick([0, 1, 4, 16, 1000])) {
  const Type = random.pick(arrayTypes);
  const bytes = length * Type.BYTES_PER_ELEMENT;
  return random.pick([
    () => new Type(length),
    () => new Type(new SharedArrayBuffer(bytes)),
    () => new Type(new ArrayBuffer(bytes, { maxByteLength: 2 * bytes + 8 })),
    () => new Type(new SharedArrayBuffer(bytes, { maxByteLength: 2 * bytes + 8 })),
    () => detached(new Type(length)),
    () => new (class extends Type {})(length),
    () => Object.setPrototypeOf(new Type(length), null),
    () => Object.preventExtensions(new Type(length)),
    () => new Proxy(new Type(length), {}),
    () => new DataView(new ArrayBuffer(bytes)),
    () => new ArrayBuffer(bytes),
    () => new Type(new WebAssembly.Memory({ initial: 1 }).buffer, 0, Math.min(length, 1000)),
  ])();
}

/** The array after its buffer was transferred away. A SharedArrayBuffer stays. */
export function detached(array) {
  if (array.buffer instanceof ArrayBuffer && array.byteLength > 0) {
    structuredClone(array.buffer, { transfer: [array.buffer] });
  }
  return array;
}

/** The same numbers in memory whose length may change. */
export function onResizable(array, Buffer) {
  const buffer = new Buffer(array.byteLength, { maxByteLength: array.byteLength + 64 });
  const Type = arrayTypes.find(({ name }) => name === kindOf(array)) ?? Float32Array;
  const made = new Type(buffer, 0, Math.floor(array.byteLength / Type.BYTES_PER_ELEMENT));
  made.set(array.subarray(0, made.length));
  return made;
}

/** 'Float32Array' and the like. */
const kindOf = (array) => Object.prototype.toString.call(array).slice(8, -1);

/** The same numbers in an array of another realm. */
export function ofOtherRealm(array) {
  const kind = kindOf(array);
  const Type = arrayTypes.some(({ name }) => name === kind) ? inRealm(kind) : inRealm('Float32Array');
  return Type.from(array);
}

/**
 * Reasons of signals that came as odd values: where one ends up as `signal`, a call rejects with its reason.
 */
export const oddReasons = new WeakSet();

function abortedSignal() {
  const signal = AbortSignal.abort();
  oddReasons.add(signal.reason);
  return signal;
}

export function oddValue(random) {
  return random.weighted([
    [3, () => random.pick(plain)],
    [3, () => random.pick(objects)()],
    [2, () => oddArray(random)],
  ])();
}
