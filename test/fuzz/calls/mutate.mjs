/**
 * Mistakes and malice: changes one argument of a valid call, or several, anywhere in its tree. Says in words
 * what was changed.
 *
 * Refuses to touch the memory of the case: a mutation exchanges objects and properties, never the bytes of
 * an array.
 */

import { types } from 'node:util';
import * as hostile from './hostile.mjs';
import { detached, oddArray, oddValue, ofOtherRealm, onResizable } from './values.mjs';

const optionNames = [
  ...[
    'objective',
    'logitScale',
    'logitBias',
    'labels',
    'queryIds',
    'keyIds',
    'falseNegativeMargin',
    'hardNegatives',
  ],
  ...['excludePairs', 'guide', 'teacher'],
  ...[
    'directions',
    'partition',
    'labelSmoothing',
    'queryWeights',
    'hardness',
    'grad',
    'perRow',
    'compute',
    'device',
  ],
  ...['gradientFilter', 'backend', 'threads', 'workspaceBytes', 'out', 'signal', 'onProgress', 'group'],
];
const featureNames = [
  ...['data', 'shape', 'dims', 'dtype', 'type', 'rowStride', 'stride', 'strides', 'offset', 'order'],
  ...['encoder', 'chunks', 'rows'],
];
/** Names that may be added to the object at this path. */
const namesOf = {
  __proto__: null,
  options: optionNames,
  loss: optionNames,
  queries: featureNames,
  keys: featureNames,
  grad: ['queries', 'keys', 'hardNegatives'],
  out: ['queryGrads', 'keyGrads', 'hardNegativeGrads'],
  hardness: ['strength', 'on'],
  labels: ['offsets', 'keys'],
  excludePairs: ['offsets', 'keys'],
  hardNegatives: ['keys', 'perQuery', 'offsets', 'ids'],
  guide: ['queries', 'keys', 'hardNegatives', 'margin', 'relative'],
  teacher: ['queries', 'keys', 'logitScale', 'weight'],
  encoder: ['encode', 'backward', 'randomState', 'restoreRandomState'],
};

/**
 * Changes `args` in place. `tools` has what mutations use: `own` values, `other` arguments to take parts
 * from, `act` to do in a getter. Returns the description.
 */
export function mutate(random, args, tools) {
  const places = placesIn(args);
  const place = random.pick(places);
  // the harness itself reads what is at the top
  const mutation = random.weighted(place.parent === args ? mutationsAtTop : mutations);
  if (place.path.includes('signal')) tools.own.signalLies = true;
  try {
    return `${place.path}: ${mutation(random, place, { ...tools, places })}`;
  } catch (error) {
    // an earlier change throws when it is looked at, or has left an array without memory or methods
    if (tools.own.has(error) || error instanceof TypeError) return `${place.path}: nothing`;
    throw error;
  }
}

/** Every property of the tree, and names that are absent: `{ parent, key, path }`. */
function placesIn(args) {
  const places = [];
  const seen = new Set();
  const visit = (parent, path, depth) => {
    const names = namesOf[path.split('.').pop()] ?? [];
    for (const key of new Set([...Object.keys(parent), ...names])) {
      const at = path === '' ? key : `${path}.${key}`;
      // names that exist are likelier than one that is added
      const weight = key in parent ? 4 : 1;
      for (let i = 0; i < weight; i++) places.push({ parent, key, path: at });
      const descriptor = Object.getOwnPropertyDescriptor(parent, key);
      const value = descriptor && 'value' in descriptor ? descriptor.value : undefined;
      if (depth < 4 && isPlain(value) && !seen.has(value)) {
        seen.add(value);
        visit(value, at, depth + 1);
      }
    }
  };
  visit(args, '', 0);
  return places;
}

function isPlain(value) {
  if (typeof value !== 'object' || value === null || types.isProxy(value) || ArrayBuffer.isView(value))
    return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

/** A revoked Proxy of a function would throw an error of the engine's own when it is called. */
const signalMethods = ['addEventListener', 'removeEventListener', 'throwIfAborted'];
const callbacks = new Set(['onProgress', 'chunks', ...namesOf.encoder, ...signalMethods]);

const set = ({ parent, key }, value) => hostile.define(parent, key, { value, writable: true });
/** The same place in other arguments, or anything else there. */
const fromOther = (random, { path }, other) => {
  const value = path.split('.').reduce((object, name) => object?.[name], other);
  return value === undefined ? random.pick(Object.values(other.options ?? other)) : value;
};
const printable = (value) =>
  typeof value === 'string' && value.length > 30 ? `${value.slice(0, 30)}...` : typeOf(value);
const typeOf = (value) =>
  ['number', 'bigint', 'string', 'undefined', 'boolean'].includes(typeof value)
    ? String(value)
    : typeof value;

function replace(random, place) {
  const value = oddValue(random);
  set(place, value);
  return `an odd value (${printable(value)})`;
}

function replaceIndescribable(random, place, { own }) {
  const revoked = () => hostile.revokedProxy(random, callbacks.has(place.key) ? [{}, []] : undefined);
  set(place, random.chance(0.3) ? revoked() : hostile.indescribable(random, own));
  return 'an object that is hard to describe';
}

function perturb(random, place) {
  const value = place.parent[place.key];
  if (typeof value !== 'number') return replace(random, place);
  const changed = random.pick([
    ...[
      -value,
      value + 0.5,
      value + 1,
      value - 1,
      value * 1e9,
      value / 1e30,
      value * 1e30,
      NaN,
      String(value),
    ],
    ...[Object(value), [value], () => value, Number.isInteger(value) ? BigInt(value) : -value],
  ]);
  set(place, changed);
  return `${value} becomes ${printable(changed)}`;
}

function fromAnother(random, place, { other }) {
  set(place, fromOther(random, place, other));
  return 'that of another problem';
}

function mind(random, { parent, key, path }, { other }) {
  const then = random.chance(0.5) ? oddValue(random) : fromOther(random, { path }, other);
  return `${hostile.changeItsMind(random, parent, key, then)} to ${printable(then)}`;
}

function throwing(_random, { parent, key }, { own }) {
  hostile.define(parent, key, { get: () => own.throw() });
  return 'a getter that throws';
}

function acting(random, { parent, key }, { act, places }) {
  const arrays = places.map((place) => ownValue(place)).filter((value) => ArrayBuffer.isView(value));
  const detach = () => void arrays.slice(0, 1).map((array) => detached(array));
  const [what, does] = random.pick([
    ['calls the library', act.call],
    ['aborts', act.abort],
    ['detaches an array', detach],
  ]);
  return `${hostile.actWhenRead(random, parent, key, does)}: ${what}`;
}

function proxy(random, place, { own }) {
  const value = place.parent[place.key];
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    return replace(random, place);
  set(place, hostile.hostileProxy(random, value, own));
  return 'a Proxy of it';
}

/** Another array in the place of an array, or lies on the array. */
function array(random, place, { own }) {
  const value = ownValue(place);
  // not a DataView, nor an array without methods
  if (!ArrayBuffer.isView(value) || typeof value.slice !== 'function') return replace(random, place);
  if (random.chance(0.4)) return hostile.hideIntrinsics(random, value, own);
  const [what, made] = random.pick([
    ['another array', () => oddArray(random, random.chance(0.5) ? value.length : undefined)],
    ['of another realm', () => ofOtherRealm(value)],
    ['detached', () => detached(value.slice())],
    ['on a resizable buffer', () => onResizable(value, ArrayBuffer)],
    ['on a growable buffer', () => onResizable(value, SharedArrayBuffer)],
    ['a plain array', () => Array.from(value)],
    ['one element less', () => value.subarray(1)],
    ['half of it', () => value.subarray(0, value.length >> 1)],
  ]);
  set(place, made());
  return what;
}

function reshape(random, { parent, key }, { own }) {
  const value = ownValue({ parent, key });
  if (!isPlain(value)) return replace(random, { parent, key });
  const [what, made] = random.pick([
    ['inherited properties', () => Object.create(value)],
    ['no prototype', () => Object.assign(Object.create(null), value)],
    ['frozen', () => Object.freeze(value)],
    ['a prototype that throws', () => withHostilePrototype(value, own)],
    ['an unknown name', () => add(value, { [random.pick(['logitscale', 'x', '', 'dim', 'ranks'])]: 1 })],
    ['a symbol', () => add(value, { [Symbol('odd')]: 1 })],
    ['a long name', () => add(value, { ['x'.repeat(1e6)]: 1 })],
  ]);
  hostile.define(parent, key, { value: made(), writable: true });
  return what;
}

/** As far as the object can be changed. */
function add(object, properties) {
  for (const name of Reflect.ownKeys(properties)) Reflect.set(object, name, properties[name]);
  return object;
}

function withHostilePrototype(object, own) {
  Reflect.setPrototypeOf(object, new Proxy({}, { get: () => own.throw() }));
  return object;
}

function remove(_random, { parent, key }) {
  Reflect.deleteProperty(parent, key);
  return 'removed';
}

function ownValue({ parent, key }) {
  const descriptor = Object.getOwnPropertyDescriptor(parent, key);
  return descriptor && 'value' in descriptor ? descriptor.value : undefined;
}

const mutationsAtTop = [
  [3, replace],
  [2, replaceIndescribable],
  [2, fromAnother],
  [3, proxy],
  [2, reshape],
  [1, remove],
];
const mutations = [
  ...mutationsAtTop,
  [2, replace],
  [4, perturb],
  [5, mind],
  [1, throwing],
  [2, acting],
  [4, array],
];
