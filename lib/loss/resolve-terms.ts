/**
 * The options about the meaning of the loss: positives, masks, directions, weights. Each is checked against
 * its objective, because an option that an objective cannot honour is a mistake and not a preference.
 *
 * Refuses to read features; it needs only their shapes.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import { type ContrastiveRequest, Direction, type NativeMatrix, type Objective } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import { listsOf } from './listed-labels';
import { objectiveNames, rulesOf, takers } from './objectives';
import type { AnyContrastiveOptions, DirectionName } from './options';
import { checkRowTerms, type RowTerms, resolveRowTerms } from './resolve-row-terms';
import { scaleRange } from './scale-range';

/** The part of a native request that this file fills in. */
type Terms = RowTerms &
  Pick<
    ContrastiveRequest,
    | 'objective'
    | 'directions'
    | 'jointPartition'
    | 'logitScale'
    | 'logitBias'
    | 'falseNegativeMargin'
    | 'labelSmoothing'
    | 'hardness'
    | 'hardNegativeHardness'
  >;

/**
 * Makes all checks of these options that need no features. Throws ERR_TYPE, ERR_VALUE, ERR_BUFFER
 * or ERR_DETACHED.
 */
export function checkTerms(given: AnyContrastiveOptions): void {
  const { objective } = resolvePlainTerms(given);
  checkRowTerms(given, objective);
}

export function resolveTerms(
  given: AnyContrastiveOptions,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): Terms {
  const plain = resolvePlainTerms(given);
  checkShapes(given, plain, queries, keys);
  return {
    ...plain,
    ...resolveRowTerms(given, plain.objective, { queries: queries.rows, keys: keys?.rows ?? null }),
  };
}

/** The options that are numbers and words, checked together. */
function resolvePlainTerms(given: AnyContrastiveOptions): Omit<Terms, keyof RowTerms> {
  const objective = resolveObjective(given);
  refuseMeaningless(given, objective);
  return {
    objective,
    directions: resolveDirections(given),
    jointPartition:
      given.partition === undefined ||
      check.oneOf('options.partition', given.partition, ['joint', 'perDirection']) === 'joint',
    logitScale:
      given.logitScale === undefined
        ? rulesOf(objective).defaults.logitScale
        : check.numberBetween('options.logitScale', given.logitScale, scaleRange.least, scaleRange.most),
    logitBias: resolveBias(given, objective),
    falseNegativeMargin:
      given.falseNegativeMargin === undefined
        ? null
        : check.finiteNumber('options.falseNegativeMargin', given.falseNegativeMargin),
    labelSmoothing:
      given.labelSmoothing === undefined ? 0 : check.fraction('options.labelSmoothing', given.labelSmoothing),
    ...resolveHardness(given),
  };
}

function resolveObjective({ objective, directions }: AnyContrastiveOptions): Objective {
  if (objective === undefined) return directions === undefined ? 'clip' : 'infonce';
  return check.oneOf('options.objective', objective, objectiveNames);
}

function refuseMeaningless(given: AnyContrastiveOptions, objective: Objective): void {
  for (const [name, allowed] of takers) {
    if (given[name] === undefined || allowed.includes(objective)) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected no options.${name} for objective '${objective}' but received some; it belongs to ${allowed.join(', ')}`,
    );
  }
}

/** A copy of the list, each element read once. Throws ERR_TYPE or ERR_VALUE. */
export function readDirections(directions: unknown): DirectionName[] | undefined {
  if (directions === undefined) return undefined;
  const length = isArray(directions) ? directions.length : 0;
  if (length === 0) throw check.invalid('ERR_TYPE', 'options.directions', 'non-empty array', directions);
  const names = Object.keys(Direction) as DirectionName[];
  const read: DirectionName[] = [];
  for (let i = 0; i < length; i++) {
    read.push(check.oneOf(`options.directions[${i}]`, (directions as unknown[])[i], names));
  }
  return read;
}

function resolveDirections({ directions, partition, labels }: AnyContrastiveOptions): number {
  if (directions === undefined) {
    if (partition === undefined) return 0;
    throw codedError('ERR_VALUE', 'Expected options.directions beside options.partition but received none');
  }
  let bits = 0;
  for (const direction of directions) bits |= Direction[direction];
  if (!(bits & Direction.queryToKey)) {
    throw codedError(
      'ERR_VALUE',
      "Expected 'queryToKey' among options.directions: its similarity is the positive",
    );
  }
  if (labels !== undefined) {
    throw codedError(
      'ERR_VALUE',
      "Expected no options.labels with options.directions: row i's positive is key i",
    );
  }
  return bits;
}

function moreKeysHint(areMore: boolean): string {
  return areMore ? "; objective 'infonce' takes more keys than queries" : '';
}

function checkShapes(
  given: AnyContrastiveOptions,
  { objective, directions }: Pick<Terms, 'objective' | 'directions'>,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): void {
  if (keys === null) {
    if (rulesOf(objective).allowsNoKeys) return;
    throw check.invalid('ERR_TYPE', 'keys', 'matrix { data, shape: [rows, dim] }', keys);
  }
  if (keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected queries and keys of equal dim but received ${queries.dim} and ${keys.dim}`,
    );
  }
  const isPaired = rulesOf(objective).isPaired && listsOf(given.labels) === undefined;
  if ((isPaired || directions > 1) && keys.rows !== queries.rows) {
    const why = directions > 1 ? 'these options.directions' : `objective '${objective}'`;
    throw codedError(
      'ERR_SHAPE',
      `Expected as many keys as queries (${queries.rows}) for ${why} but received ${keys.rows}${moreKeysHint(keys.rows > queries.rows)}`,
    );
  }
  if (given.labels === undefined && keys.rows < queries.rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least as many keys as queries (${queries.rows}) without options.labels but received ${keys.rows}`,
    );
  }
}

function resolveBias({ logitBias }: AnyContrastiveOptions, objective: Objective): number {
  if (logitBias !== undefined) return check.finiteNumber('options.logitBias', logitBias);
  return rulesOf(objective).defaults.logitBias;
}

/** A copy, each property read once. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readHardness(value: unknown): AnyContrastiveOptions['hardness'] {
  if (value === undefined) return undefined;
  const hardness = readNames('options.hardness', value, ['strength', 'on']);
  return {
    strength: check.positiveFloat('options.hardness.strength', hardness.strength, scaleRange.most),
    on: check.oneOf('options.hardness.on', hardness.on, ['inBatch', 'hard', 'all']),
  };
}

function resolveHardness(given: AnyContrastiveOptions): Pick<Terms, 'hardness' | 'hardNegativeHardness'> {
  if (given.hardness === undefined) return { hardness: 0, hardNegativeHardness: 0 };
  if (given.labelSmoothing !== undefined) {
    throw codedError('ERR_VALUE', 'Expected options.labelSmoothing or options.hardness, not both');
  }
  const { strength, on } = given.hardness;
  if (on === 'hard' && given.hardNegatives === undefined) {
    throw codedError(
      'ERR_VALUE',
      "Expected options.hardNegatives for options.hardness.on 'hard' but received none",
    );
  }
  return { hardness: on === 'hard' ? 0 : strength, hardNegativeHardness: on === 'inBatch' ? 0 : strength };
}
