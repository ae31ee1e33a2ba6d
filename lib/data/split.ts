/**
 * Two parts of one data set: rows to train on, and rows that training never sees.
 *
 * Refuses to part rows with the same query, since a query that training has seen tests nothing.
 */

import { codedError } from '../errors';
import { throwIfAborted } from '../on-abort';
import { readNames } from '../read-names';
import * as check from '../validate';
import { type FileDataset, requireDataset, type TextDataset } from './dataset';
import { hashText } from './text-hash';

/** Options of {@link splitDataset}. */
export interface SplitOptions {
  /** Which fraction of the queries goes to `test`, above 0 and below 1. */
  test: number;
  /** Decides which ones. By default 0. */
  seed?: number | undefined;
  /** Stops the reading; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Both parts. A row of the data set is in one of them, in the order of the file. */
export interface SplitDataset {
  train: TextDataset;
  test: TextDataset;
}

/** Rows that are read at a time. */
const rowsAtOnce = 4096;
const hashes = 2 ** 53;

/**
 * Parts a data set by its queries: rows with the same query are in the same part, so no query of `test` is one of
 * `train`. A key may be in both. Each query is drawn by itself, by its text and the seed. So the parts have about the
 * sizes that were asked for, and rows that are added to a file later move no other row.
 *
 * Reads the file once, and keeps 4 bytes a row. Both parts read the same file: see {@link TextDataset.read}.
 *
 * Rejects with ERR_TYPE, ERR_VALUE or ERR_OPTION for wrong arguments, with ERR_VALUE if a part would be empty, with
 * ERR_DATA if the file has changed since it was opened, and with `signal.reason`.
 */
export async function splitDataset(dataset: TextDataset, options: SplitOptions): Promise<SplitDataset> {
  const whole = requireDataset('dataset', dataset);
  const { test, seed, signal } = readOptions(options);
  const isTest = (query: string) => hashText(`${seed} ${query}`) / hashes < test;
  const chosen = { train: new Rows(), test: new Rows() };
  for (let begin = 0; begin < whole.rows; begin += rowsAtOnce) {
    throwIfAborted(signal);
    const rows = Int32Array.from({ length: Math.min(rowsAtOnce, whole.rows - begin) }, (_, i) => begin + i);
    const parsed = await whole.parse(rows, signal);
    parsed.forEach(({ texts }, i) => {
      chosen[isTest(texts[0]!) ? 'test' : 'train'].push(begin + i);
    });
  }
  return {
    train: partOf(whole, 'train', chosen.train.toArray()),
    test: partOf(whole, 'test', chosen.test.toArray()),
  };
}

function readOptions(options: unknown): { test: number; seed: number; signal: AbortSignal | undefined } {
  const given = readNames('options', options, ['test', 'seed', 'signal']);
  const test = check.finiteNumber('options.test', given.test);
  if (test <= 0 || test >= 1)
    throw check.invalid('ERR_VALUE', 'options.test', 'fraction above 0 and below 1', test);
  const seed = given.seed === undefined ? 0 : check.nonNegativeInteger('options.seed', given.seed);
  const signal = given.signal === undefined ? undefined : check.abortSignal('options.signal', given.signal);
  return { test, seed, signal };
}

function partOf(whole: FileDataset, name: string, rows: Int32Array): FileDataset {
  if (rows.length > 0) return whole.part(name, rows);
  throw codedError(
    'ERR_VALUE',
    `Expected rows for both parts of ${whole.name} but ${name} has none: the file has ${whole.rows} rows, and rows with ` +
      'the same query stay together; take another fraction for options.test, or another seed',
  );
}

/** Row numbers, 4 bytes each. */
class Rows {
  private numbers = new Int32Array(1024);
  private length = 0;

  push(row: number): void {
    if (this.length === this.numbers.length) {
      const longer = new Int32Array(2 * this.length);
      longer.set(this.numbers);
      this.numbers = longer;
    }
    this.numbers[this.length++] = row;
  }

  toArray(): Int32Array {
    return this.numbers.slice(0, this.length);
  }
}
