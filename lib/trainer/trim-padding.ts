/**
 * A padded batch of tokens without the columns that are padding in every row: attention costs the square of
 * the width.
 *
 * Refuses to guess what is padding: only the mask says so.
 */

import { codedError } from '../errors';
import { readShape } from '../matrix/host-matrix';
import { kindOf, lengthOf } from '../typed-array';
import * as check from '../validate';

/** Integers of tokenizers: int32, or int64 as ONNX models take them. */
type TokenArray = Int32Array | BigInt64Array;

/**
 * Arrays [rows x width], row-major: `mask`, 1 for a token and 0 for padding, and any others of the same size, such as
 * token ids and types.
 */
export interface PaddedBatch {
  shape: readonly [rows: number, width: number];
  mask: TokenArray;
  [name: string]: TokenArray | readonly [number, number];
}

/**
 * A copy of a padded batch, cut to the width of its longest row. All arrays of the batch are cut. A batch whose
 * rows are all padding keeps one column. Only trailing columns are cut: a batch that is padded on the left keeps its
 * width.
 *
 *     yield trimPadding({ shape: [rows, 512], ids, mask });
 *
 * Throws ERR_TYPE for a batch that is none, or an array that is neither Int32Array nor BigInt64Array; ERR_SHAPE for an
 * array of another size; ERR_BUFFER or ERR_DETACHED.
 */
export function trimPadding<Batch extends PaddedBatch>(batch: Batch): Batch {
  const { shape, ...arrays } = { ...check.plainObject('batch', batch) } as Record<string, unknown>;
  const { rows, dim: width } = readShape('batch', { shape });
  if (arrays.mask === undefined) throw check.invalid('ERR_TYPE', 'batch.mask', 'Int32Array', undefined);
  const read = Object.entries(arrays).map(
    ([name, value]) => [name, readTokens(`batch.${name}`, value, rows * width)] as const,
  );
  const kept = keptColumns(read.find(([name]) => name === 'mask')![1], rows, width);
  const cut = read.map(([name, array]) => [name, cutColumns(array, { rows, width, kept })]);
  return { ...Object.fromEntries(cut), shape: [rows, kept] } as Batch;
}

const kinds = ['Int32Array', 'BigInt64Array'];

function readTokens(name: string, value: unknown, length: number): TokenArray {
  if (!kinds.includes(kindOf(value) ?? '')) {
    throw check.invalid('ERR_TYPE', name, 'Int32Array or BigInt64Array', value);
  }
  const array = value as TokenArray;
  check.stableArray(name, array);
  if (lengthOf(array) === length) return array;
  throw codedError(
    'ERR_SHAPE',
    `Expected ${length} elements, as batch.shape says, for ${name} but received ${lengthOf(array)}`,
  );
}

/** The columns up to the last one in which a row has a token, at least 1. */
function keptColumns(mask: TokenArray, rows: number, width: number): number {
  let kept = 1;
  for (let row = 0; row < rows; row++) {
    let end = width;
    while (end > kept && !mask[row * width + end - 1]) end--;
    kept = end;
  }
  return kept;
}

function cutColumns(
  array: TokenArray,
  { rows, width, kept }: { rows: number; width: number; kept: number },
): TokenArray {
  if (kept === width) return array.slice();
  const cut = array.BYTES_PER_ELEMENT === 4 ? new Int32Array(rows * kept) : new BigInt64Array(rows * kept);
  for (let row = 0; row < rows; row++) {
    const line = array.subarray(row * width, row * width + kept);
    // each array is of the kind of its copy
    cut.set(line as Int32Array & BigInt64Array, row * kept);
  }
  return cut;
}
