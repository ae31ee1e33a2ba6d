/**
 * The options of `textBatches`, read once and checked before anything is drawn.
 *
 * Refuses combinations that would never give a batch, or that would drop an option.
 */

import { isArray } from '../describe';
import { codedError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { BatchSettings } from './batch-settings';
import { type FileDataset, requireDataset, type TextDataset } from './dataset';
import type { Mix } from './mix';
import type { BatchPosition } from './position';

/** A data set of a mix. */
export interface WeightedDataset {
  dataset: TextDataset;
  /** Batches of this data set for each batch of one with weight 1. Only for `mix: 'roundRobin'`. Default 1. */
  weight?: number | undefined;
}

export interface BatchOptions {
  /** Rows of a batch. The last batch of an epoch may have fewer. */
  batchSize: number;
  /** The order of rows follows from seed and epoch. Default 0. */
  seed?: number | undefined;
  /** false: rows come in the order of the file. Default true. */
  shuffle?: boolean | undefined;
  /** Whether a batch that is not full is left out. Default false. */
  dropLast?: boolean | undefined;
  /**
   * Whether a text may occur in one row of a batch only. A row whose text is in the batch already waits for a later
   * batch. Default false.
   */
  noDuplicates?: boolean | undefined;
  /**
   * How several data sets take turns; a batch is of one data set. 'proportional' (default): by chance, in proportion to the
   * rows left, so that all rows are used. 'roundRobin': in turns, by weight, until one data set is used up.
   */
  mix?: Mix | undefined;
  /** Where to go on, from `position()` of batches with the same data sets and options. */
  position?: BatchPosition | undefined;
  /** Stops the drawing of a batch, which rejects with `signal.reason`. Nothing is lost: position() is as before. */
  signal?: AbortSignal | undefined;
}

export interface CheckedBatchOptions {
  datasets: FileDataset[];
  settings: BatchSettings;
  /** Not yet checked. */
  position: unknown;
  signal: AbortSignal | undefined;
}

const names = [
  'batchSize',
  'seed',
  'shuffle',
  'dropLast',
  'noDuplicates',
  'mix',
  'position',
  'signal',
] as const;

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function checkBatchOptions(source: unknown, options: unknown): CheckedBatchOptions {
  const given = readNames('options', options, names);
  const flag = (name: (typeof names)[number], otherwise: boolean) =>
    given[name] === undefined ? otherwise : check.boolean(`options.${name}`, given[name]);
  const members = isArray(source) ? readMembers(source) : [{ dataset: requireDataset('datasets', source) }];
  const mix =
    given.mix === undefined
      ? undefined
      : check.oneOf('options.mix', given.mix, ['proportional', 'roundRobin']);
  if (mix !== undefined && !isArray(source)) {
    throw codedError(
      'ERR_OPTION',
      'Expected an array of data sets for options.mix but received one data set',
    );
  }
  const settings: BatchSettings = {
    batchSize: check.positiveInteger('options.batchSize', given.batchSize, 2 ** 31 - 1),
    seed: given.seed === undefined ? 0 : check.nonNegativeInteger('options.seed', given.seed),
    shuffle: flag('shuffle', true),
    dropLast: flag('dropLast', false),
    noDuplicates: flag('noDuplicates', false),
    mix: mix ?? 'proportional',
    weights: checkWeights(members, mix ?? 'proportional'),
  };
  const datasets = members.map(({ dataset }) => dataset);
  if (settings.dropLast) requireFullBatches(datasets, settings);
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  return { datasets, settings, position: given.position, signal };
}

interface Member {
  dataset: FileDataset;
  weight?: unknown;
}

/** Data sets have different names, since a batch and a saved position name their data set. */
function readMembers(source: readonly unknown[]): Member[] {
  if (source.length === 0) throw codedError('ERR_VALUE', 'Expected at least one data set but received none');
  const members = Array.from(source, (value, i) => readMember(`datasets[${i}]`, value));
  const all = members.map(({ dataset }) => dataset.name);
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) {
    throw codedError(
      'ERR_VALUE',
      `Expected data sets of different names but ${twice} occurs twice: openDataset has an option name`,
    );
  }
  return members;
}

function readMember(where: string, value: unknown): Member {
  // a data set itself is an object too
  const isPlain = typeof value === 'object' && value !== null && Object.hasOwn(value, 'dataset');
  if (!isPlain) return { dataset: requireDataset(where, value) };
  const { dataset, weight } = readNames(where, value, ['dataset', 'weight']);
  return { dataset: requireDataset(`${where}.dataset`, dataset), weight };
}

function checkWeights(members: readonly Member[], mix: Mix): number[] {
  return members.map(({ weight }, i) => {
    if (weight === undefined) return 1;
    const name = `datasets[${i}].weight`;
    if (mix !== 'roundRobin') {
      throw codedError(
        'ERR_OPTION',
        `Expected options.mix 'roundRobin' for ${name}: 'proportional' draws by the numbers of rows`,
      );
    }
    return check.positiveFloat(name, weight, 1e6);
  });
}

function requireFullBatches(datasets: readonly FileDataset[], { batchSize, mix }: BatchSettings): void {
  const tooSmall = datasets.filter(({ rows }) => rows < batchSize);
  const some = mix === 'roundRobin' ? tooSmall.length > 0 : tooSmall.length === datasets.length;
  if (!some) return;
  const { name, rows } = tooSmall[0]!;
  throw codedError(
    'ERR_VALUE',
    `Expected options.batchSize of at most ${rows}, the rows of ${name}, but received ${batchSize}: with dropLast there would be no batch`,
  );
}
