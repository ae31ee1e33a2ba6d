/**
 * One tower of a step: as its caller describes it, and as the step uses it. Each property is read once
 * and checked.
 *
 * Refuses unknown names and values of the wrong type. Knows nothing of the loss. The cache checks
 * the features.
 */

import { isArray, isRevokedProxy } from '../describe';
import { codedError } from '../errors';
import { readHardNegativeRows } from '../loss/hard-negative-rows';
import type { HardNegativeRows } from '../loss/options';
import { readNames } from '../read-names';
import { ignoreRejection, isThenable } from '../thenable';
import * as check from '../validate';
import type { Encoder } from './encoder';

/** In the order in which a step encodes its towers. */
export const towerNames = ['queries', 'keys', 'hardNegatives'] as const;

export type TowerName = (typeof towerNames)[number];

/** One value for each tower; null without the tower. */
export type PerTower<T> = Record<TowerName, T | null>;

export interface Tower<Input> {
  /** The network. One encoder may serve several towers. Without `backward` the tower is frozen. */
  encoder: Encoder<Input>;
  /**
   * Makes an iterator over the chunks of this step's batch. Called twice (once for a frozen tower), and must
   * yield the same chunks both times. Each chunk is dropped before the step asks for the next one.
   */
  chunks: () => Iterable<Input> | AsyncIterable<Input>;
  /**
   * The number of rows, if known. A hint, never a limit: with it, the feature matrix is allocated once
   * instead of grown, and progress has a fraction. A wrong number changes no result of the step.
   */
  rows?: number | undefined;
  /**
   * Whether the step divides each row of features by its length, and takes gradients through that division.
   * A row of zeros stays zeros, and gets a gradient of zeros. Default: `normalize` of the step.
   */
  normalize?: boolean | undefined;
}

/**
 * The negatives of each query alone. All chunks together have the rows that `perQuery` or `offsets` give to the
 * queries, as in the option `hardNegatives` of the loss functions.
 */
export type HardNegativesTower<Input> = Tower<Input> &
  HardNegativeRows & {
    /**
     * The id of each row. A negative whose id is that of its query does not count. Needs `queryIds` and `keyIds`
     * of the loss.
     */
    ids?: Int32Array | undefined;
  };

/** A tower after the checks. Its methods are those that the encoder had at the call, bound to the encoder. */
export interface CheckedTower<Input, Name extends string = TowerName> {
  /** Name in messages and in progress. */
  name: Name;
  /** The caller's encoder object: steps with a common one take turns. */
  identity: object;
  encoder: Encoder<Input>;
  makeChunks: () => unknown;
  rows: number | undefined;
  normalize: boolean;
}

export type CheckedHardNegatives<Input> = CheckedTower<Input> &
  HardNegativeRows & { ids: Int32Array | undefined };

/** The options of every tower. */
export const towerOptionNames = ['encoder', 'chunks', 'rows', 'normalize'] as const;

/**
 * A tower of a step. Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_ENCODER or ERR_CHUNKS.
 *
 * @param normalize What the step says for towers that say nothing.
 */
export function checkTower<Input>(name: TowerName, value: unknown, normalize: boolean): CheckedTower<Input> {
  const where = `options.${name}`;
  refuseFrozen(name, check.plainObject(where, value));
  return readTower(name, where, value, { normalize }, readNames(where, value, towerOptionNames));
}

/** Throws as {@link checkTower}. */
export function checkHardNegatives<Input>(value: unknown, normalize: boolean): CheckedHardNegatives<Input> {
  const [name, where] = ['hardNegatives', 'options.hardNegatives'] as const;
  refuseFrozen(name, check.plainObject(where, value));
  const names = [...towerOptionNames, 'perQuery', 'offsets', 'ids'] as const;
  const { perQuery, offsets, ids, ...given } = readNames(where, value, names);
  return {
    ...readTower<Input, 'hardNegatives'>(name, where, value, { normalize }, given),
    ...readHardNegativeRows(where, { perQuery, offsets }),
    ids: ids === undefined ? undefined : check.int32Array(`${where}.ids`, ids),
  };
}

/** A tower, of a step or alone, whose properties messages find at `where`. Throws as {@link checkTower}. */
export function readTower<Input, Name extends string>(
  name: Name,
  where: string,
  value: unknown,
  defaults: { normalize: boolean },
  { encoder, chunks, rows, normalize }: Record<(typeof towerOptionNames)[number], unknown>,
): CheckedTower<Input, Name> {
  const checkedEncoder = checkEncoder<Input>(`${where}.encoder`, encoder);
  if (typeof chunks !== 'function') {
    throw check.invalid(
      'ERR_CHUNKS',
      `${where}.chunks`,
      'function that makes an iterator',
      chunks,
      isArray(chunks) ? `; write chunks: () => [...]` : '',
    );
  }
  return {
    name,
    identity: encoder as object,
    encoder: checkedEncoder,
    makeChunks: () => Reflect.apply(chunks, value, []) as unknown,
    rows: rows === undefined ? undefined : check.positiveInteger(`${where}.rows`, rows),
    normalize: normalize === undefined ? defaults.normalize : check.boolean(`${where}.normalize`, normalize),
  };
}

/** Refuses `frozen`, an option of jaxEncoder that a tower does not have. */
function refuseFrozen(name: TowerName, given: Record<string, unknown>): void {
  if (!Object.hasOwn(given, 'frozen') || given.frozen === undefined) return;
  throw codedError(
    'ERR_OPTION',
    `Unknown name frozen in options.${name}; a tower is frozen if its encoder has no backward method, or for one step ` +
      `by loss: { grad: { ${name}: false } }`,
  );
}

/** Refuses a promise: a chunk is encoded directly after its random state was read or restored. */
function synchronous(name: string, method: (...args: unknown[]) => unknown): typeof method {
  return (...args) => {
    const returned = method(...args);
    if (!isThenable(returned)) return returned;
    ignoreRejection(returned);
    throw check.invalid('ERR_ENCODER', `the result of ${name}`, 'no promise', returned);
  };
}

const methodNames = ['encode', 'backward', 'randomState', 'restoreRandomState'] as const;

/**
 * A copy of the encoder's methods. Other names are allowed, as an encoder is an object of the caller's
 * own class.
 */
function checkEncoder<Input>(where: string, value: unknown): Encoder<Input> {
  const isObject = (typeof value === 'object' || typeof value === 'function') && value !== null;
  if (!isObject || isRevokedProxy(value)) {
    throw check.invalid('ERR_ENCODER', where, 'encoder with an encode method', value);
  }
  const checked: Record<string, unknown> = Object.create(null);
  for (const method of methodNames) {
    const given = (value as Record<string, unknown>)[method];
    if (given === undefined && method !== 'encode') continue;
    if (typeof given !== 'function') {
      const absent = method === 'encode' ? '' : '; leave it out if the encoder has none';
      throw check.invalid('ERR_ENCODER', `${where}.${method}`, 'function', given, absent);
    }
    const call = (...args: unknown[]) => Reflect.apply(given, value, args) as unknown;
    checked[method] = method.endsWith('andomState') ? synchronous(`${where}.${method}`, call) : call;
  }
  if ((checked.randomState === undefined) !== (checked.restoreRandomState === undefined)) {
    const missing = checked.randomState === undefined ? 'randomState' : 'restoreRandomState';
    throw codedError(
      'ERR_ENCODER',
      `Expected both randomState and restoreRandomState, or neither, on ${where} but ${missing} is missing`,
    );
  }
  return checked as unknown as Encoder<Input>;
}
