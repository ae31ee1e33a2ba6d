/**
 * Objects whose code works against their reader: getters that change their answer, that throw, or that act;
 * Proxies with traps, revoked ones too; methods and constructors that are not what they seem; own properties
 * that hide intrinsic ones.
 *
 * Refuses to fail by itself: what such code throws is a value of OwnValues.
 */

import { oddValue } from './values.mjs';

/** Replaces a property by a getter: `first` for some reads, then `then`. */
export function changeItsMind(random, object, key, then) {
  const first = object[key];
  const reads = random.integer(0, 5);
  let count = 0;
  define(object, key, { get: () => (count++ < reads ? first : then) });
  return `${String(key)} changes its mind after ${reads} reads`;
}

/** Replaces a property by a getter that acts, at one of its first reads, and answers as before. */
export function actWhenRead(random, object, key, act) {
  const value = object[key];
  const at = random.integer(0, 2);
  let count = 0;
  define(object, key, {
    get: () => {
      if (count++ === at) act();
      return value;
    },
  });
  return `${String(key)} acts at read ${at}`;
}

export function define(object, key, descriptor) {
  // a frozen object stays as it is
  Reflect.defineProperty(object, key, { configurable: true, enumerable: true, ...descriptor });
}

/**
 * A Proxy of `target` that throws, answers oddly, or revokes itself at one of the first times it is
 * asked anything.
 */
export function hostileProxy(random, target, own) {
  const at = random.integer(0, 12);
  // a function that is revoked throws when it is called, as any callback may, but with an error of the engine's own
  const how = random.pick(['nothing', 'throw', 'odd', ...(typeof target === 'function' ? [] : ['revoke'])]);
  let count = 0;
  let revoke = () => {};
  const trap =
    (name) =>
    (...args) => {
      if (count++ === at && how === 'throw') own.throw();
      if (count > at && how === 'odd' && name === 'get') return oddValue(random);
      // as the target itself: getters of Node's own classes know their object by its identity
      const answer = name === 'get' ? Reflect.get(args[0], args[1]) : Reflect[name](...args);
      if (count > at && how === 'revoke') {
        own.proxyRevoked = true;
        revoke();
      }
      return answer;
    };
  const names = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'];
  const made = Proxy.revocable(target, Object.fromEntries(names.map((name) => [name, trap(name)])));
  revoke = made.revoke;
  return made.proxy;
}

export function revokedProxy(random, targets = [{}, [], () => {}, new Float32Array(4)]) {
  const { proxy, revoke } = Proxy.revocable(random.pick(targets), {});
  revoke();
  return proxy;
}

/** An object that is hard to describe in a message. */
export function indescribable(random, own) {
  const throwing = () => own.throw();
  return random.pick([
    () => ({ constructor: null }),
    () => ({ constructor: { name: Symbol('no name') } }),
    () => ({ constructor: { name: 'x'.repeat(1e6) } }),
    () => ({ constructor: { name: { toString: throwing } } }),
    () => ({ constructor: revokedProxy(random) }),
    () => Object.defineProperty({}, 'constructor', { get: throwing }),
    () => ({ toString: throwing, valueOf: throwing, [Symbol.toPrimitive]: throwing, toJSON: throwing }),
    () => Object.defineProperty({}, Symbol.toStringTag, { get: throwing }),
    () => Object.defineProperty(() => {}, 'name', { get: throwing }),
    () => Object.defineProperty(() => {}, 'name', { value: Symbol('no name') }),
    () => Object.create(Object.create(null), { constructor: { value: 5 } }),
    () => Object.defineProperty([2, 2], 'length', { value: 2 ** 32 - 1 }),
    () => Object.defineProperty([2, 2], '0', { get: throwing }),
  ])();
}

const intrinsicNames = [
  'buffer',
  'byteOffset',
  'byteLength',
  'length',
  'constructor',
  'subarray',
  'set',
  'slice',
  'fill',
];

/** Own properties and prototypes that tell lies about a typed array. */
export function hideIntrinsics(random, array, own) {
  const name = random.pick([...intrinsicNames, Symbol.toStringTag, Symbol.iterator, 'findIndex', 'forEach']);
  const value = random.pick([0, 1, 1e9, new ArrayBuffer(8), () => own.throw(), 'Float32Array', undefined]);
  const descriptor = random.chance(0.7) ? { value } : { get: () => own.throw() };
  Object.defineProperty(array, name, { configurable: true, ...descriptor });
  return `own property ${String(name)} on an array`;
}

/**
 * Puts a value on Object.prototype under a name that the library reads; the returned function takes the value
 * away. No names that Node's own code breaks by.
 */
export function pollute(random, own) {
  const name = random.pick([
    ...[
      'objective',
      'labels',
      'grad',
      'out',
      'signal',
      'onProgress',
      'threads',
      'keys',
      'rows',
      'queries',
      'perQuery',
    ],
    ...[
      'data',
      'shape',
      'dims',
      'dtype',
      'type',
      'rowStride',
      'device',
      'control',
      'queryGrads',
      'hardNegatives',
      'code',
    ],
    ...[
      'encoder',
      'chunks',
      'encode',
      'backward',
      'loss',
      'location',
      'dispose',
      'strength',
      'on',
      'bfloat16',
    ],
    ...['offsets', 'ids', 'excludePairs', 'guide', 'teacher', 'margin', 'relative', 'weight'],
  ]);
  const value = oddValue(random);
  const descriptor = random.pick([
    { value, writable: true },
    { get: () => value, set: () => {} },
    { get: () => own.throw(), set: () => {} },
  ]);
  define(Object.prototype, name, { enumerable: random.chance(0.5), ...descriptor });
  return {
    what: `Object.prototype.${name}`,
    undo: () => void Reflect.deleteProperty(Object.prototype, name),
  };
}
