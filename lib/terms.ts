/**
 * The options that say which similarities count in the loss, for what, and how much: positives, masks, directions,
 * weights. Each is checked against the objective it is given for, because a setting that an objective cannot honour is
 * a mistake and not a preference.
 *
 * Refuses to look at features; what it needs of them is their shape.
 */

import type { ContrastiveOptions, DirectionName } from './contrastive-options';
import { codedError } from './errors';
import { type ContrastiveRequest, Direction, type NativeMatrix, type Objective } from './native/binding';
import * as check from './validate';

/** The part of a native request that this module fills in. */
export type Terms = Pick<
  ContrastiveRequest,
  | 'objective'
  | 'directions'
  | 'jointPartition'
  | 'logitScale'
  | 'logitBias'
  | 'labels'
  | 'queryClasses'
  | 'keyClasses'
  | 'queryIds'
  | 'keyIds'
  | 'falseNegativeMargin'
  | 'labelSmoothing'
  | 'queryWeights'
  | 'hardness'
  | 'privateHardness'
>;

export const objectives: readonly Objective[] = ['clip', 'infonce', 'ntxent', 'supcon', 'siglip'];

/** Which objectives an option means something for. */
const meaningful: Partial<Record<keyof ContrastiveOptions, readonly Objective[]>> = {
  logitBias: ['siglip'],
  labels: ['infonce', 'supcon'],
  queryIds: ['clip', 'infonce', 'ntxent', 'siglip'],
  keyIds: ['clip', 'infonce', 'ntxent', 'siglip'],
  falseNegativeMargin: ['clip', 'infonce', 'ntxent'],
  hardNegatives: ['clip', 'infonce'],
  directions: ['infonce'],
  partition: ['infonce'],
  labelSmoothing: ['clip', 'infonce', 'ntxent'],
  queryWeights: ['clip', 'infonce', 'ntxent', 'siglip'],
  hardness: ['clip', 'infonce', 'ntxent'],
};

const defaultLogitScale = 1 / 0.07;
const defaultSigmoidBias = -10;

export function resolveTerms(
  given: ContrastiveOptions,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): Terms {
  const objective = resolveObjective(given);
  refuseMeaningless(given, objective);
  const directions = resolveDirections(given);
  checkShapes(given, objective, directions, queries, keys);
  const { labels, queryClasses, keyClasses } = resolveLabels(given, objective, queries, keys);
  return {
    objective,
    directions,
    jointPartition:
      given.partition === undefined ||
      check.oneOf('options.partition', given.partition, ['joint', 'perDirection']) === 'joint',
    logitScale:
      given.logitScale === undefined
        ? defaultLogitScale
        : check.positiveFloat('options.logitScale', given.logitScale),
    logitBias: resolveBias(given, objective),
    labels,
    queryClasses,
    keyClasses,
    ...resolveIds(given, queries, keys),
    falseNegativeMargin:
      given.falseNegativeMargin === undefined
        ? null
        : check.finiteNumber('options.falseNegativeMargin', given.falseNegativeMargin),
    labelSmoothing:
      given.labelSmoothing === undefined ? 0 : check.share('options.labelSmoothing', given.labelSmoothing),
    queryWeights: resolveWeights(given, queries.rows),
    ...resolveHardness(given),
  };
}

function resolveObjective({ objective, directions }: ContrastiveOptions): Objective {
  if (objective === undefined) return directions === undefined ? 'clip' : 'infonce';
  return check.oneOf('options.objective', objective, objectives);
}

function refuseMeaningless(given: ContrastiveOptions, objective: Objective): void {
  for (const [name, allowed] of Object.entries(meaningful)) {
    if (given[name as keyof ContrastiveOptions] === undefined || allowed.includes(objective)) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected no options.${name} for objective '${objective}' but received some; it belongs to ${allowed.join(', ')}`,
    );
  }
}

function resolveDirections({ directions, partition, labels }: ContrastiveOptions): number {
  if (directions === undefined) {
    if (partition === undefined) return 0;
    throw codedError('ERR_VALUE', 'Expected options.directions beside options.partition but received none');
  }
  if (!Array.isArray(directions) || directions.length === 0) {
    throw check.invalid('ERR_TYPE', 'options.directions', 'non-empty array', directions);
  }
  let bits = 0;
  const names = Object.keys(Direction) as DirectionName[];
  directions.forEach((direction, i) => {
    bits |= Direction[check.oneOf(`options.directions[${i}]`, direction, names)];
  });
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

/** Both views, and both sides of a direction, are anchors: each needs its pair. */
export function isPaired(objective: Objective): boolean {
  return objective === 'clip' || objective === 'ntxent' || objective === 'supcon';
}

function checkShapes(
  given: ContrastiveOptions,
  objective: Objective,
  directions: number,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): void {
  if (keys === null) {
    if (objective === 'supcon') return;
    throw check.invalid('ERR_TYPE', 'keys', 'matrix { data, shape: [rows, dim] }', keys);
  }
  if (keys.dim !== queries.dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected queries and keys of equal dim but received ${queries.dim} and ${keys.dim}`,
    );
  }
  if ((isPaired(objective) || directions > 1) && keys.rows !== queries.rows) {
    const why = directions > 1 ? 'these options.directions' : `objective '${objective}'`;
    throw codedError(
      'ERR_SHAPE',
      `Expected as many keys as queries (${queries.rows}) for ${why} but received ${keys.rows}`,
    );
  }
  if (given.labels === undefined && keys.rows < queries.rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected at least as many keys as queries (${queries.rows}) without options.labels but received ${keys.rows}`,
    );
  }
}

function resolveLabels(
  { labels }: ContrastiveOptions,
  objective: Objective,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): Pick<Terms, 'labels' | 'queryClasses' | 'keyClasses'> {
  const none = { labels: null, queryClasses: null, keyClasses: null };
  if (labels === undefined) {
    if (objective !== 'supcon') return none;
    throw check.invalid('ERR_TYPE', 'options.labels', "Int32Array of classes (objective 'supcon')", labels);
  }
  // A copy: native code indexes with these, and the caller could change them once they are checked.
  const checked = Int32Array.from(integers('labels', labels, queries.rows, 'query'));
  if (objective === 'supcon') return { ...none, queryClasses: checked, keyClasses: keys && checked };
  const keyRows = keys?.rows ?? 0;
  const bad = checked.findIndex((label) => label < 0 || label >= keyRows);
  if (bad >= 0) {
    throw check.invalid(
      'ERR_VALUE',
      `options.labels[${bad}]`,
      `key index from 0 to ${keyRows - 1}`,
      checked[bad],
    );
  }
  return { ...none, labels: checked };
}

function integers(name: string, value: unknown, count: number, of: string): Int32Array {
  const array = check.int32Array(`options.${name}`, value);
  if (array.length !== count) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${count} options.${name}, one per ${of}, but received ${array.length}`,
    );
  }
  return array;
}

function resolveIds(
  { queryIds, keyIds }: ContrastiveOptions,
  queries: NativeMatrix,
  keys: NativeMatrix | null,
): Pick<Terms, 'queryIds' | 'keyIds'> {
  if (queryIds === undefined && keyIds === undefined) return { queryIds: null, keyIds: null };
  const missing = queryIds === undefined ? 'queryIds' : 'keyIds';
  if (queryIds === undefined || keyIds === undefined) {
    throw codedError(
      'ERR_VALUE',
      `Expected options.queryIds and options.keyIds together but ${missing} is missing`,
    );
  }
  return {
    queryIds: integers('queryIds', queryIds, queries.rows, 'query'),
    keyIds: integers('keyIds', keyIds, keys?.rows ?? 0, 'key'),
  };
}

function resolveBias({ logitBias }: ContrastiveOptions, objective: Objective): number {
  if (logitBias !== undefined) return check.finiteNumber('options.logitBias', logitBias);
  return objective === 'siglip' ? defaultSigmoidBias : 0;
}

function resolveWeights({ queryWeights }: ContrastiveOptions, rows: number): Float32Array | null {
  if (queryWeights === undefined) return null;
  const weights = check.float32Array('options.queryWeights', queryWeights);
  if (weights.length !== rows) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows} options.queryWeights, one per query, but received ${weights.length}`,
    );
  }
  // A copy, as of labels: a sum that has been checked must stay what it was.
  const checked = Float32Array.from(weights);
  let sum = 0;
  checked.forEach((weight, i) => {
    if (!Number.isFinite(weight) || weight < 0) {
      throw check.invalid('ERR_VALUE', `options.queryWeights[${i}]`, 'non-negative finite number', weight);
    }
    sum += weight;
  });
  if (sum === 0) throw codedError('ERR_VALUE', 'Expected a positive weight among options.queryWeights');
  return checked;
}

function resolveHardness(given: ContrastiveOptions): Pick<Terms, 'hardness' | 'privateHardness'> {
  if (given.hardness === undefined) return { hardness: 0, privateHardness: 0 };
  if (given.labelSmoothing !== undefined) {
    throw codedError('ERR_VALUE', 'Expected options.labelSmoothing or options.hardness, not both');
  }
  const hardness = check.plainObject('options.hardness', given.hardness);
  check.knownNames('options.hardness', hardness, ['strength', 'on']);
  const strength = check.positiveFloat('options.hardness.strength', hardness.strength);
  const on = check.oneOf('options.hardness.on', hardness.on, ['inBatch', 'hard', 'all']);
  if (on === 'hard' && given.hardNegatives === undefined) {
    throw codedError(
      'ERR_VALUE',
      "Expected options.hardNegatives for options.hardness.on 'hard' but received none",
    );
  }
  return { hardness: on === 'hard' ? 0 : strength, privateHardness: on === 'inBatch' ? 0 : strength };
}
