/**
 * The line that makes a matrix of a value which is none: rows of rows, tensors whose data is a method, bytes.
 * For the end of error messages; texts begin with '; '.
 *
 * Refuses to decide what is valid: callers ask only after a value was refused. Never throws.
 */

import { types } from 'node:util';
import { isArray } from '../describe';
import { arrayHint, isRow } from '../hints';
import { kindOf } from '../typed-array';

/** Names under which objects of other libraries keep one row. */
const rowNames = ['vector', 'embedding', 'values', 'data'] as const;

/** For a value in the place of features. */
export function featuresHint(value: unknown): string {
  return orNothing(() => {
    if (types.isUint8Array(value) || types.isAnyArrayBuffer(value)) {
      return `; ${matrixOf(bytesLine(value, 'bytes'))}`;
    }
    if (types.isFloat32Array(value)) return `; ${matrixOf('array')}`;
    if (!isArray(value)) return '';
    if (typeof value[0] === 'number') return `; ${matrixOf('Float32Array.from(numbers)')}`;
    return rowsHint('rows', value);
  });
}

/** For a value in the place of `data` of a matrix. */
export function dataHint(where: string, value: unknown): string {
  return orNothing(() => {
    if (typeof value === 'function')
      return '; { data: await tensor.data(), shape: tensor.shape } is the matrix';
    if (types.isUint8Array(value) || types.isAnyArrayBuffer(value)) {
      return `; ${bytesLine(value, 'data')} takes the bytes as float32`;
    }
    if (isArrowData(value)) return `; ${arrowLine} is the matrix of an Arrow column of one batch`;
    return rowsHint('matrix.data', value) || arrayHint('Float32Array', where, value);
  });
}

/** For an array of rows. Empty where the elements are no rows and have none. */
export function rowsHint(variable: string, rows: unknown): string {
  if (!isArray(rows)) return '';
  const [first] = rows as unknown[];
  if (isRow(first)) return `; packRows(${variable}) makes one matrix of the rows`;
  const row = rowInside(first);
  return row === undefined ? '' : `; packRows(${variable}.map((row) => ${row})) makes one matrix of the rows`;
}

/** How to get the row out of an object `row`, as JavaScript. Undefined where it has none, or cannot be read. */
export function rowInside(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  try {
    const object = row as Record<string, unknown>;
    if (typeof object.toArray === 'function') return 'row.toArray()';
    const name = rowNames.find((candidate) => hasNumbers(object[candidate]));
    return name && `row.${name}`;
  } catch {
    return undefined;
  }
}

const hasNumbers = (value: unknown) =>
  kindOf(value) !== undefined || (isArray(value) && typeof value[0] === 'number');

const arrowLine = '{ data: column.data[0].children[0].values, shape: [column.length, column.type.listSize] }';

/** The `data` of a column of apache-arrow: its batches. */
const isArrowData = (value: unknown) =>
  isArray(value) && isArray((value[0] as { children?: unknown } | null | undefined)?.children);

const matrixOf = (data: string) => `{ data: ${data}, shape: [rows, dim] } is a matrix`;

/** A view of bytes may begin at any byte, and a Float32Array only at every fourth one: so the bytes are copied. */
function bytesLine(value: unknown, variable: string): string {
  const isView = kindOf(value) !== undefined;
  return `new Float32Array(${isView ? `new Uint8Array(${variable}).buffer` : variable})`;
}

function orNothing(hint: () => string): string {
  try {
    return hint();
  } catch {
    // an object that cannot even be read
    return '';
  }
}
