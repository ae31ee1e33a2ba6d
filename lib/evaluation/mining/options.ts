/**
 * The options of `mineHardNegatives`, each checked, and then together. Every property is read once.
 *
 * Refuses combinations whose result would not be what the names say. Knows no features: arrays with one entry
 * for each query or key are compared with their numbers later.
 */

import { describeList } from '../../describe';
import { codedError } from '../../errors';
import { resolveResources } from '../../loss/resolve';
import { readList } from '../../matrix/layout';
import * as check from '../../validate';
import { type EngineOptions, readOptionsOf } from '../read-options';
import type { RelevantKeys } from '../results';

/** How negatives are chosen among the candidates: the best ones, or any of them. */
export type NegativeSampling = 'top' | 'random';

/** What `onProgress` is told. */
export interface MiningProgress {
  /** 'positives': keys are read for the scores of the positives. 'search': keys are searched. */
  phase: 'positives' | 'search';
  /** Keys of this phase that are done. */
  keys: number;
  /** `keys` divided by all keys, from 0 to 1. Undefined where keys come in parts and their number is not known. */
  fraction: number | undefined;
}

export interface MiningOptions extends EngineOptions {
  /** Negatives of each query: at least 1, at most the number of keys. */
  count: number;
  /**
   * [min, max]. Candidates are the `max` best keys that are no positives and have no equal id. Margins and
   * scores take some of them out. The first `min` of the others are skipped, and the rest may be chosen.
   * Default [0, Infinity]: every key is a candidate.
   */
  range?: readonly [min: number, max: number] | undefined;
  /** A negative scores at most positive − margin. Of several positives, the lowest score counts. */
  margin?: number | undefined;
  /** From 0 to 1. A negative scores at most positive − |positive| · relativeMargin. */
  relativeMargin?: number | undefined;
  /** A negative scores at most this. */
  maxScore?: number | undefined;
  /** A negative scores at least this. */
  minScore?: number | undefined;
  /**
   * The keys that belong to each query and are never its negatives: one key each [M], or any number as
   * compressed sparse rows. Default: key i belongs to query i.
   */
  positives?: Int32Array | RelevantKeys | undefined;
  /** 'top' (default): the best candidates. 'random': candidates drawn by `seed`; `range` says among how many. */
  sampling?: NegativeSampling | undefined;
  /** For 'random': an integer from 0 to 4,294,967,295. Equal seeds draw equal negatives. Default 0. */
  seed?: number | undefined;
  /** [M], any integers. A key whose id equals the query's id is never its negative. Needs `keyIds`. */
  queryIds?: Int32Array | undefined;
  /** [N], the id of each key, also where keys come in parts. Needs `queryIds`. */
  keyIds?: Int32Array | undefined;
  /** Upper bound on scratch memory of the search in bytes, beside the result. */
  workspaceBytes?: number | undefined;
  /**
   * Called on the caller's thread about every 50 ms, and once for each part of the keys. An error that the
   * function throws stops the call, and so does the rejection of a promise that it returns.
   */
  onProgress?: ((done: MiningProgress) => unknown) | undefined;
}

/** Checked options: each property is what the caller gave, or its default. */
export interface CheckedMining {
  count: number;
  min: number;
  max: number;
  margin: number | undefined;
  relativeMargin: number | undefined;
  maxScore: number;
  minScore: number;
  /** Not looked at yet. */
  positives: unknown;
  random: boolean;
  seed: number;
  ids: { queryIds: Int32Array; keyIds: Int32Array } | undefined;
  /** 0 lets native code choose. */
  threads: number;
  workspaceBytes: number;
  signal: AbortSignal | undefined;
  onProgress: ((done: MiningProgress) => unknown) | undefined;
}

const names = [
  'count',
  'range',
  'margin',
  'relativeMargin',
  'maxScore',
  'minScore',
  'positives',
  'sampling',
  'seed',
  'queryIds',
  'keyIds',
  'threads',
  'workspaceBytes',
  'signal',
  'onProgress',
] as const;

/** Throws ERR_TYPE, ERR_VALUE, ERR_OPTION, ERR_SHAPE, ERR_BUFFER or ERR_DETACHED. */
export function readMiningOptions(options: unknown): CheckedMining {
  const given = readOptionsOf(options, names);
  const count = check.positiveInteger('options.count', given.count);
  const [min, max] = readRange(given.range, count);
  const optional = (name: 'margin' | 'maxScore' | 'minScore') =>
    given[name] === undefined ? undefined : check.finiteNumber(`options.${name}`, given[name]);
  const maxScore = optional('maxScore') ?? Number.POSITIVE_INFINITY;
  const minScore = optional('minScore') ?? Number.NEGATIVE_INFINITY;
  if (minScore > maxScore) {
    throw check.invalid('ERR_VALUE', 'options.minScore', `at most ${maxScore}, options.maxScore,`, minScore);
  }
  return {
    count,
    min,
    max,
    margin: optional('margin'),
    relativeMargin:
      given.relativeMargin === undefined
        ? undefined
        : check.numberBetween('options.relativeMargin', given.relativeMargin, 0, 1),
    maxScore,
    minScore,
    positives: given.positives,
    ...readSampling(given, max),
    ids: readIds(given),
    ...resolveResources({
      threads: given.threads,
      workspaceBytes: given.workspaceBytes as number | undefined,
    }),
    signal: given.signal,
    onProgress:
      given.onProgress === undefined ? undefined : check.callback('options.onProgress', given.onProgress),
  };
}

function readRange(value: unknown, count: number): [min: number, max: number] {
  if (value === undefined) return [0, Number.POSITIVE_INFINITY];
  const stated = readList(value);
  if (stated === null) throw check.invalid('ERR_TYPE', 'options.range', 'array [min, max]', value);
  if (stated.length !== 2) {
    throw codedError(
      'ERR_SHAPE',
      `Expected [min, max] for options.range but received ${describeList(stated)}; [min, Infinity] has no end`,
    );
  }
  const min = check.nonNegativeInteger('options.range[0]', stated[0]);
  const max =
    stated[1] === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : check.positiveInteger('options.range[1]', stated[1]);
  if (max - min >= count) return [min, max];
  throw codedError(
    'ERR_VALUE',
    `Expected options.range with room for ${count} negatives, options.count, but received ${describeList(stated)}; ` +
      'lower count or min, or raise max',
  );
}

function readSampling(
  { sampling, seed }: Record<'sampling' | 'seed', unknown>,
  max: number,
): Pick<CheckedMining, 'random' | 'seed'> {
  const random =
    sampling !== undefined && check.oneOf('options.sampling', sampling, ['top', 'random']) === 'random';
  if (random && max === Number.POSITIVE_INFINITY) {
    throw codedError(
      'ERR_VALUE',
      "Expected options.range [min, max] with a finite max for sampling 'random' but received none: " +
        'among all keys, random negatives are not hard',
    );
  }
  if (seed === undefined) return { random, seed: 0 };
  const checked = check.nonNegativeInteger('options.seed', seed);
  if (checked > 0xffffffff)
    throw check.invalid('ERR_VALUE', 'options.seed', 'integer up to 4294967295', seed);
  if (random) return { random, seed: checked };
  throw codedError(
    'ERR_VALUE',
    "Expected options.sampling 'random' beside options.seed: the best negatives are not drawn",
  );
}

/** Copies of both arrays of ids, or none: the search reads them while the caller's code runs. Throws ERR_VALUE for one without the other. */
function readIds({ queryIds, keyIds }: Record<'queryIds' | 'keyIds', unknown>): CheckedMining['ids'] {
  if (queryIds === undefined && keyIds === undefined) return undefined;
  if (queryIds !== undefined && keyIds !== undefined) {
    return {
      queryIds: new Int32Array(check.int32Array('options.queryIds', queryIds)),
      keyIds: new Int32Array(check.int32Array('options.keyIds', keyIds)),
    };
  }
  const missing = queryIds === undefined ? 'queryIds' : 'keyIds';
  throw codedError(
    'ERR_VALUE',
    `Expected options.queryIds and options.keyIds together but ${missing} is missing`,
  );
}
