/**
 * Which gradients a call wants: the option `grad`, and how many rows each gradient has.
 *
 * Refuses gradients of some keys where keys are compared with each other. `outputs.ts` says where gradients go.
 */

import { codedError } from '../errors';
import type { NativeMatrix } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { GradientOutputs, WantedGradients, WantedKeyGradients } from './options';

/** Name of a gradient: in `options.out`, in the native request and in the result. */
export type GradientName = keyof GradientOutputs;

/** The features, and the fact about the objective on which gradients depend. */
export interface Inputs {
  queries: NativeMatrix;
  keys: NativeMatrix | null;
  hardNegatives: NativeMatrix | null;
  /** Keys are compared with keys: either all keys have a gradient or none has. */
  keysMeetKeys: boolean;
}

/** One value for each gradient. */
export function eachGradient<T>(make: (name: GradientName) => T): Record<GradientName, T> {
  return {
    queryGrads: make('queryGrads'),
    keyGrads: make('keyGrads'),
    hardNegativeGrads: make('hardNegativeGrads'),
  };
}

/** A copy, each property read once. Throws ERR_TYPE, ERR_VALUE or ERR_OPTION. */
export function readGrad(value: unknown): WantedGradients {
  const { queries, keys, hardNegatives } = readNames('options.grad', value, [
    'queries',
    'keys',
    'hardNegatives',
  ]);
  return {
    queries: queries === undefined ? undefined : check.boolean('options.grad.queries', queries),
    keys: readGradOfKeys(keys),
    hardNegatives:
      hardNegatives === undefined ? undefined : check.boolean('options.grad.hardNegatives', hardNegatives),
  };
}

function readGradOfKeys(value: unknown): WantedKeyGradients | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) {
    throw check.invalid('ERR_TYPE', 'options.grad.keys', 'boolean or { rows }', value);
  }
  const { rows } = readNames('options.grad.keys', value, ['rows']);
  return { rows: check.positiveInteger('options.grad.keys.rows', rows) };
}

/** The rows of each gradient; 0: the call has no such gradient. Throws ERR_TYPE or ERR_VALUE. */
export function gradientRows(
  grad: WantedGradients,
  { queries, keys, hardNegatives, keysMeetKeys }: Inputs,
): Record<GradientName, number> {
  return {
    queryGrads: (grad.queries ?? true) ? queries.rows : 0,
    keyGrads: keys === null ? 0 : gradientKeyRows(grad.keys, keys.rows, keysMeetKeys),
    hardNegativeGrads:
      hardNegatives !== null && (grad.hardNegatives ?? grad.keys !== false) ? hardNegatives.rows : 0,
  };
}

function gradientKeyRows(
  wanted: WantedKeyGradients | undefined,
  keyRows: number,
  allOrNone: boolean,
): number {
  if (wanted === undefined || wanted === true) return keyRows;
  if (wanted === false) return 0;
  const rows = check.positiveInteger('options.grad.keys.rows', wanted.rows, keyRows);
  if (allOrNone && rows < keyRows) {
    throw codedError(
      'ERR_VALUE',
      'Expected a gradient of all keys or none where keys are compared with each other',
    );
  }
  return rows;
}
