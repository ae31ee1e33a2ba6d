/**
 * A saved position: where batches stand, as plain data for a checkpoint. It has the settings and the checksums of the
 * files, so that it cannot go on in other data.
 *
 * Refuses positions of other settings or other files.
 */

import { describe, isArray } from '../describe';
import { codedError, type InfclError } from '../errors';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { BatchSettings } from './batch-settings';
import type { FileDataset } from './dataset';
import type { SamplerState } from './row-sampler';
import type { SavedQueue } from './waiting-rows';

/** The place of a data set in a {@link BatchPosition}. */
export interface DatasetPosition extends SamplerState {
  name: string;
  rows: number;
  /** CRC-32 of the file. */
  checksum: number;
}

/** Plain data, which survives JSON. What is in it may change between versions, and then `version` changes. */
export interface BatchPosition {
  version: 1;
  epoch: number;
  /** Draws in this epoch. */
  draws: number;
  settings: BatchSettings;
  datasets: DatasetPosition[];
}

/** A position after the checks. */
export interface Place {
  epoch: number;
  draws: number;
  /** One for each data set. */
  states: SamplerState[];
}

export function makePosition(
  place: Place,
  settings: BatchSettings,
  datasets: readonly FileDataset[],
): BatchPosition {
  return {
    version: 1,
    epoch: place.epoch,
    draws: place.draws,
    settings: { ...settings, weights: [...settings.weights] },
    datasets: datasets.map(({ name, rows, checksum }, i) => ({ name, rows, checksum, ...place.states[i]! })),
  };
}

const names = ['version', 'epoch', 'draws', 'settings', 'datasets'] as const;
const settingNames = ['batchSize', 'seed', 'shuffle', 'dropLast', 'noDuplicates', 'mix', 'weights'] as const;
const datasetNames = ['name', 'rows', 'checksum', 'next', 'usedUp', 'waiting'] as const;

/** Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readPosition(
  value: unknown,
  settings: BatchSettings,
  datasets: readonly FileDataset[],
): Place {
  const where = 'options.position';
  const given = readNames(where, value, names);
  if (given.version !== 1) {
    throw check.invalid(
      'ERR_VALUE',
      `${where}.version`,
      '1, as this version of infcl writes,',
      given.version,
    );
  }
  const saved = readNames(`${where}.settings`, given.settings, settingNames);
  for (const name of settingNames) {
    if (JSON.stringify(saved[name]) === JSON.stringify(settings[name])) continue;
    throw otherThan(`${where}.settings.${name}`, JSON.stringify(settings[name]), saved[name]);
  }
  const positions = given.datasets;
  if (!isArray(positions)) throw check.invalid('ERR_TYPE', `${where}.datasets`, 'array', positions);
  if (positions.length !== datasets.length) {
    throw otherThan(`${where}.datasets.length`, String(datasets.length), positions.length);
  }
  return {
    epoch: check.nonNegativeInteger(`${where}.epoch`, given.epoch),
    draws: check.nonNegativeInteger(`${where}.draws`, given.draws),
    states: datasets.map((dataset, i) => readDataset(`${where}.datasets[${i}]`, positions[i], dataset)),
  };
}

function otherThan(name: string, expected: string, received: unknown): InfclError {
  return codedError(
    'ERR_VALUE',
    `Expected ${expected} for ${name}, as these batches have, but received ${describe(received)}: ` +
      'go on with the data sets and the options of the saved position',
  );
}

function readDataset(where: string, value: unknown, dataset: FileDataset): SamplerState {
  const given = readNames(where, value, datasetNames);
  for (const name of ['name', 'rows', 'checksum'] as const) {
    if (given[name] !== dataset[name])
      throw otherThan(`${where}.${name}`, String(dataset[name]), given[name]);
  }
  const next = check.nonNegativeInteger(`${where}.next`, given.next);
  if (next > dataset.rows) {
    throw check.invalid('ERR_VALUE', `${where}.next`, `integer up to ${dataset.rows}`, next);
  }
  const usedUp = check.boolean(`${where}.usedUp`, given.usedUp);
  return { next, usedUp, waiting: readQueues(`${where}.waiting`, given.waiting, next, dataset.rows) };
}

/** Queues of different hashes, and rows that wait once. */
function readQueues(where: string, value: unknown, next: number, count: number): SavedQueue[] {
  if (!isArray(value)) throw check.invalid('ERR_TYPE', where, 'array of queues', value);
  const hashes = new Set<number>();
  const rows = new Set<number>();
  let length = 0;
  const queues = value.map((queue, i) => {
    if (!isArray(queue)) throw check.invalid('ERR_TYPE', `${where}[${i}]`, 'array of numbers', queue);
    const numbers = Array.from(queue, (number, k) =>
      check.nonNegativeInteger(`${where}[${i}][${k}]`, number),
    );
    hashes.add(numbers[0]!);
    for (const row of numbers.slice(1)) rows.add(row);
    length += numbers.length - 1;
    return numbers;
  });
  const isWhole = queues.every((queue) => queue.length > 1) && hashes.size === queues.length;
  if (isWhole && rows.size === length && length <= next && [...rows].every((row) => row < count))
    return queues;
  throw codedError(
    'ERR_VALUE',
    `Expected different rows that wait in ${where} but received others: the position is damaged`,
  );
}
