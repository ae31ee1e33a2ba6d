/**
 * Rules for the outcome of a call. An error is the caller's own, or has a code of docs/troubleshooting.md and
 * the class of that code. The numbers of a result are finite.
 *
 * Refuses to look at what the right numbers are: equal bits with the same call made alone are
 * compared elsewhere.
 */

import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8');
/** Class by code, as the page states them. */
export const classOfCode = new Map(
  [...page.matchAll(/^#### `(ERR_\w+)`\n\n`(\w+)`\./gm)].map(([, code, name]) => [code, name]),
);
if (classOfCode.size < 15) throw new Error('docs/troubleshooting.md lists no codes');

/** Never an answer to a caller's mistake. */
const ourFault = ['ERR_INTERNAL', 'ERR_ABORTED'];
const longestMessage = 2000;

/** `{ kind, complaint? }` of an error: kind is a code, 'own' or 'reason'. */
export function judgeError(error, own) {
  if (own.isReason(error)) return { kind: 'reason' };
  if (own.has(error)) return { kind: 'own' };
  const { code, message } = readSafely(error);
  // documented: what V8 itself says where it cannot allocate an output
  if (code === undefined && message === 'Array buffer allocation failed') return { kind: 'V8 allocation' };
  if (!classOfCode.has(code)) return { kind: 'none', complaint: `error without a code: ${textOf(error)}` };
  if (ourFault.includes(code)) return { kind: code, complaint: textOf(error) };
  if (!(error instanceof globalThis[classOfCode.get(code)])) {
    return { kind: code, complaint: `not a ${classOfCode.get(code)}: ${textOf(error)}` };
  }
  if (message.length > longestMessage)
    return { kind: code, complaint: `${message.length} characters of message` };
  return { kind: code };
}

function readSafely(error) {
  try {
    return { code: error.code, message: String(error.message) };
  } catch {
    return { code: undefined, message: '' };
  }
}

export function textOf(error) {
  try {
    return String(error?.stack ?? error).slice(0, 1500);
  } catch {
    return 'an error that cannot be read';
  }
}

/** Complaints about the numbers of a result of a loss function. `mutated`: its objective is not known. */
export function judgeResult(result, { options, keys }, mutated) {
  const found = [];
  const finite = (name, value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) found.push(`${name} is ${String(value)}`);
  };
  const { objective } = mutated ? {} : options;
  const alone = mutated || (objective === 'supcon' && keys === null);
  finite('loss', result.loss);
  if (!(Number.isNaN(result.accuracy) && alone)) finite('accuracy', result.accuracy);
  if (result.accuracy < 0 || result.accuracy > 1) found.push(`accuracy is ${result.accuracy}`);
  for (const name of ['logitScaleGrad', 'logitBiasGrad']) if (name in result) finite(name, result[name]);
  for (const name of ['queryGrads', 'keyGrads', 'hardNegativeGrads']) judgeArray(found, name, result[name]);
  if (result.rows) {
    judgeArray(found, 'rows.loss', result.rows.loss);
    judgeArray(found, 'rows.positiveFirst', result.rows.positiveFirst);
    const noLse = mutated || objective === 'siglip';
    // a query without a positive is compared with nothing: its weight is 0
    const offsets = options.labels?.offsets;
    const without = (query) => offsets !== undefined && offsets[query] === offsets[query + 1];
    judgeArray(
      found,
      'rows.lse',
      result.rows.lse,
      (x, query) => x === -Infinity || (Number.isNaN(x) && (noLse || without(query))),
    );
  }
  for (const [name, value] of Object.entries(result.stats)) {
    if (typeof value === 'number' && !(value >= 0 && value < Infinity))
      found.push(`stats.${name} is ${value}`);
  }
  return found;
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const intrinsicLength = Object.getOwnPropertyDescriptor(typedArray, 'length').get;

function judgeArray(found, name, array, allowed = () => false) {
  // the case itself may have transferred a result away; an own property may lie about the length
  if (array === undefined || intrinsicLength.call(array) === 0) return;
  const at = Float32Array.prototype.findIndex.call(array, (x, i) => !Number.isFinite(x) && !allowed(x, i));
  if (at >= 0) found.push(`${name}[${at}] is ${array[at]}`);
}

/** Complaints about a plan: every number is finite and none is negative. */
export function judgePlan(plan) {
  const numbers = { ...plan, ...plan.bytes };
  return Object.entries(numbers)
    .filter(([name, value]) => name !== 'bytes' && !(value >= 0 && value < Infinity))
    .map(([name, value]) => `${name} of a plan is ${String(value)}`);
}

/** The names in which two results of one problem differ; both may lack some. */
export function differences(a, b) {
  const found = [];
  const compare = (name, x, y) => {
    if (x === undefined || y === undefined) return;
    const same = typeof x === 'number' ? Object.is(x, y) : sameBytes(x, y);
    if (!same) found.push(name);
  };
  for (const name of ['loss', 'accuracy', 'logitScaleGrad', 'logitBiasGrad']) compare(name, a[name], b[name]);
  for (const name of ['queryGrads', 'keyGrads', 'hardNegativeGrads']) compare(name, a[name], b[name]);
  for (const name of ['loss', 'lse', 'positiveFirst'])
    compare(`rows.${name}`, a.rows?.[name], b.rows?.[name]);
  compare('stats.maskedPairs', a.stats.maskedPairs, b.stats.maskedPairs);
  return found;
}

function sameBytes(a, b) {
  if (a.byteLength !== b.byteLength) return false;
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

const bytesOf = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
