/**
 * The option `guide`: features of another, frozen model, by which a call tells false negatives. Reads the option
 * once, and checks it against the features of the call.
 *
 * Refuses features on a device and other backends than the CPU's, before any work.
 */

import { resolveBackend } from '../backend';
import { codedError, type InfclError } from '../errors';
import { type Features, readFeatures, toNativeFeatures } from '../matrix/features';
import type { ContrastiveRequest, NativeGuide, NativeMatrix } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';

/**
 * Features of a guide. Their width may differ from that of the call's features, and so may their element type. They
 * get no gradient.
 */
export interface Guide {
  /** Has the shape [M × Dg]: row i is the guide's view of query i. */
  queries: Features;
  /** Has the shape [N × Dg]: row j is the guide's view of key j. */
  keys: Features;
  /**
   * Has the shape [M * perQuery × Dg]: the guide's view of `options.hardNegatives`. Without it, the guide leaves out
   * no hard negative.
   */
  hardNegatives?: Features | undefined;
  /** How far a pair stays below the positive, in the guide's dots. A finite number, default 0; may be negative. */
  margin?: number | undefined;
  /** Whether `margin` is a fraction of the positive's dot: the limit is then p − |p| · margin. Default false. */
  relative?: boolean | undefined;
}

const where = 'options.guide';

/** The features of a guide, in the order of messages. */
const featureNames = ['queries', 'keys', 'hardNegatives'] as const;

/** What of a call's options the checks of a guide need. */
interface Beside {
  backend?: unknown;
  device?: unknown;
  hardNegatives?: unknown;
}

/**
 * A copy, each property read once. Throws as the checks of features, ERR_OPTION, and ERR_NOT_IMPLEMENTED for features
 * on a device.
 */
export function readGuide(value: unknown): Guide | undefined {
  if (value === undefined) return undefined;
  const given = readNames(where, value, [...featureNames, 'margin', 'relative']);
  return {
    queries: readGuideFeatures('queries', given.queries),
    keys: readGuideFeatures('keys', given.keys),
    hardNegatives:
      given.hardNegatives === undefined ? undefined : readGuideFeatures('hardNegatives', given.hardNegatives),
    margin: given.margin === undefined ? 0 : check.finiteNumber(`${where}.margin`, given.margin),
    relative: given.relative !== undefined && check.boolean(`${where}.relative`, given.relative),
  };
}

function readGuideFeatures(name: string, value: unknown): Features {
  const features = readFeatures(`${where}.${name}`, value);
  if (toNativeFeatures(`${where}.${name}`, features).device !== undefined)
    throw notOnDevice(`${where}.${name} on a device`);
  return features;
}

/** The checks that need no features of the call. Throws ERR_VALUE or ERR_NOT_IMPLEMENTED. */
export function checkGuide(guide: Guide | undefined, beside: Beside): void {
  if (guide === undefined) return;
  if (resolveBackend(beside).backend !== 'cpu') throw notOnDevice(`${where} with backend 'cuda'`);
  if (guide.hardNegatives !== undefined && beside.hardNegatives === undefined) {
    throw codedError(
      'ERR_VALUE',
      `Expected options.hardNegatives beside ${where}.hardNegatives but received none`,
    );
  }
}

/**
 * The guide for native code. Throws ERR_SHAPE where its features do not fit those of the call, and ERR_NOT_IMPLEMENTED
 * for a call on a device.
 */
export function resolveGuide(
  guide: Guide | undefined,
  { queries, keys, hardNegatives }: Pick<ContrastiveRequest, 'queries' | 'keys' | 'hardNegatives'>,
): NativeGuide | null {
  if (guide === undefined) return null;
  if (queries.device !== undefined) throw notOnDevice(`${where} for features on a device`);
  const ofQueries = toNativeFeatures(`${where}.queries`, guide.queries);
  requireRows('queries', ofQueries, queries.rows, ofQueries.dim, 'one row per query');
  const ofKeys = toNativeFeatures(`${where}.keys`, guide.keys);
  requireRows('keys', ofKeys, keys?.rows ?? 0, ofQueries.dim, 'one row per key, of the width of guide.queries');
  const ofNegatives =
    guide.hardNegatives === undefined
      ? null
      : toNativeFeatures(`${where}.hardNegatives`, guide.hardNegatives);
  if (ofNegatives !== null) {
    const what = 'one row per hard negative, of the width of guide.queries';
    requireRows('hardNegatives', ofNegatives, hardNegatives?.rows ?? 0, ofQueries.dim, what);
  }
  return {
    queries: ofQueries,
    keys: ofKeys,
    hardNegatives: ofNegatives,
    margin: guide.margin ?? 0,
    relative: guide.relative ?? false,
  };
}

function requireRows(name: string, matrix: NativeMatrix, rows: number, dim: number, what: string): void {
  if (matrix.rows === rows && matrix.dim === dim) return;
  throw codedError(
    'ERR_SHAPE',
    `Expected [${rows}, ${dim}] (${what}) for ${where}.${name} but received [${matrix.rows}, ${matrix.dim}]`,
  );
}

/** The memory of a guide, by the names of messages. */
export function guideMemory(guide: NativeGuide | null): NamedMemory[] {
  if (guide === null) return [];
  return featureNames.flatMap((name): NamedMemory[] => {
    const matrix = guide[name];
    return matrix === null ? [] : [[`${where}.${name}.data`, matrix]];
  });
}

const notOnDevice = (what: string): InfclError =>
  codedError(
    'ERR_NOT_IMPLEMENTED',
    `${what} is not in this version of infcl: use features on the host, and backend: 'cpu'`,
  );
