/**
 * The arrays a call writes: the caller's where given, new ones otherwise, none for a side that is frozen.
 *
 * Refuses arrays of the wrong length and arrays that share memory with an input or each other.
 */

import type { ContrastiveOptions } from './contrastive-options';
import { codedError } from './errors';
import type { ContrastiveRequest, NativeMatrix } from './native/binding';
import * as check from './validate';

/** What is read while the outputs are written. */
export interface Inputs {
  queries: NativeMatrix;
  keys: NativeMatrix | null;
  hardKeys: NativeMatrix | null;
  /** Whether every key is an anchor too, so that none can be left without gradient. */
  keysAreAnchors: boolean;
}

export type Outputs = Pick<ContrastiveRequest, 'queryGrads' | 'keyGrads' | 'hardKeyGrads'>;

export const noOutputs: Outputs = { queryGrads: null, keyGrads: null, hardKeyGrads: null };

export function resolveOutputs(given: ContrastiveOptions, inputs: Inputs): Outputs {
  const { queries, keys, hardKeys } = inputs;
  const grad = given.grad === undefined ? {} : check.plainObject('options.grad', given.grad);
  check.knownNames('options.grad', grad, ['queries', 'keys', 'hardNegatives']);
  const out = given.out === undefined ? {} : check.plainObject('options.out', given.out);
  check.knownNames('options.out', out, ['queryGrads', 'keyGrads', 'hardNegativeGrads']);

  const wanted = (name: 'queries' | 'hardNegatives', byDefault: boolean) =>
    grad[name] === undefined ? byDefault : check.boolean(`options.grad.${name}`, grad[name]);
  const queryRows = wanted('queries', true) ? queries.rows : 0;
  const keyRows = keys === null ? 0 : gradientKeyRows(grad.keys, keys.rows, inputs.keysAreAnchors);
  const hardRows = hardKeys !== null && wanted('hardNegatives', grad.keys !== false) ? hardKeys.rows : 0;
  const array = (name: string, rows: number) =>
    resolveOutput(`options.out.${name}`, out[name], rows, queries.dim);
  const outputs = {
    queryGrads: array('queryGrads', queryRows),
    keyGrads: array('keyGrads', keyRows),
    hardKeyGrads: array('hardNegativeGrads', hardRows),
  };
  refuseOverlap(
    [
      ['options.out.queryGrads', outputs.queryGrads],
      ['options.out.keyGrads', outputs.keyGrads],
      ['options.out.hardNegativeGrads', outputs.hardKeyGrads],
    ],
    [
      ['queries.data', queries.data],
      ['keys.data', keys?.data ?? null],
      ['options.hardNegatives.keys.data', hardKeys?.data ?? null],
    ],
  );
  return outputs;
}

function gradientKeyRows(wanted: unknown, keyRows: number, allOrNone: boolean): number {
  if (wanted === undefined || wanted === true) return keyRows;
  if (wanted === false) return 0;
  if (typeof wanted !== 'object' || wanted === null) {
    throw check.invalid('ERR_TYPE', 'options.grad.keys', 'boolean or { rows }', wanted);
  }
  check.knownNames('options.grad.keys', wanted as Record<string, unknown>, ['rows']);
  const rows = check.positiveInteger('options.grad.keys.rows', (wanted as { rows?: unknown }).rows, keyRows);
  if (allOrNone && rows < keyRows) {
    throw codedError(
      'ERR_VALUE',
      'Expected a gradient of all keys or none where keys are compared with each other',
    );
  }
  return rows;
}

/** The caller's array or a new one; null when that side is frozen. */
function resolveOutput(name: string, given: unknown, rows: number, dim: number): Float32Array | null {
  if (given === undefined) return rows === 0 ? null : new Float32Array(rows * dim);
  const array = check.float32Array(name, given);
  if (rows === 0) {
    throw codedError('ERR_VALUE', `Expected no ${name}: this call has no such gradient`);
  }
  if (array.length !== rows * dim) {
    throw codedError(
      'ERR_SHAPE',
      `Expected ${rows * dim} elements ([${rows}, ${dim}]) for ${name} but received ${array.length}`,
    );
  }
  return array;
}

type Named = [string, ArrayBufferView | null];

/** Inputs may overlap each other: a batch against itself. */
function refuseOverlap(written: Named[], read: Named[]): void {
  written.forEach(([name, a], i) => {
    for (const [otherName, b] of [...written.slice(i + 1), ...read]) {
      if (a && b && overlaps(a, b)) {
        throw codedError('ERR_OVERLAP', `Expected ${name} not to share memory with ${otherName}`);
      }
    }
  });
}

function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

export function allocateRows(rows: number): NonNullable<ContrastiveRequest['rows']> {
  return {
    loss: new Float32Array(rows),
    lse: new Float32Array(rows),
    positiveFirst: new Uint8Array(rows),
  };
}
