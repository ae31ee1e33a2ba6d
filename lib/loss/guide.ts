/**
 * The option `guide`: features of another, frozen model, by which a call tells false negatives. Reads the option
 * once, and checks it against the features of the call.
 *
 * Refuses to know limits and masks: native code has them.
 */

import { codedError } from '../errors';
import type { Features } from '../matrix/features';
import type { ContrastiveRequest, NativeGuide } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';
import { frozenMemory, readFrozen, resolveFrozen } from './frozen-features';

/**
 * Features of a guide. Their width may differ from that of the call's features, and so may their element type. They
 * get no gradient.
 */
export interface Guide {
  /** Has the shape [M × Dg]: row i is query i, encoded by the guide. */
  queries: Features;
  /** Has the shape [N × Dg]: row j is key j, encoded by the guide. */
  keys: Features;
  /**
   * Has the shape [M * perQuery × Dg]: the rows of `options.hardNegatives`, encoded by the guide. Without it, the guide
   * leaves out no hard negative.
   */
  hardNegatives?: Features | undefined;
  /** How far below the positive a negative must stay, in the guide's dots. Finite, default 0; may be negative. */
  margin?: number | undefined;
  /** Whether `margin` is a fraction of the positive's dot p: the limit is then p − |p| · margin. Default false. */
  relative?: boolean | undefined;
}

const where = 'options.guide';

/** What of a call's options the checks of a guide need. */
interface Beside {
  hardNegatives?: unknown;
}

/**
 * A copy, each property read once. Throws as the checks of features, ERR_OPTION, and ERR_NOT_IMPLEMENTED for features
 * on a device.
 */
export function readGuide(value: unknown): Guide | undefined {
  if (value === undefined) return undefined;
  const given = readNames(where, value, ['queries', 'keys', 'hardNegatives', 'margin', 'relative']);
  const { hardNegatives, margin, relative } = given;
  return {
    queries: readFrozen(`${where}.queries`, given.queries),
    keys: readFrozen(`${where}.keys`, given.keys),
    hardNegatives:
      hardNegatives === undefined ? undefined : readFrozen(`${where}.hardNegatives`, hardNegatives),
    margin: margin === undefined ? 0 : check.finiteNumber(`${where}.margin`, margin),
    relative: relative !== undefined && check.boolean(`${where}.relative`, relative),
  };
}

/** The checks that need no features of the call. Throws ERR_VALUE. */
export function checkGuide(guide: Guide | undefined, beside: Beside): void {
  if (guide === undefined) return;
  if (guide.hardNegatives !== undefined && beside.hardNegatives === undefined) {
    throw codedError(
      'ERR_VALUE',
      `Expected options.hardNegatives beside ${where}.hardNegatives but received none`,
    );
  }
}

/**
 * The guide for native code. Throws ERR_SHAPE where its features do not fit those of the call.
 */
export function resolveGuide(
  guide: Guide | undefined,
  call: Pick<ContrastiveRequest, 'queries' | 'keys' | 'hardNegatives'>,
): NativeGuide | null {
  if (guide === undefined) return null;
  const queries = resolveFrozen(`${where}.queries`, guide.queries, {
    rows: call.queries.rows,
    meaning: 'one row per query',
  });
  const { dim } = queries;
  const keys = resolveFrozen(`${where}.keys`, guide.keys, {
    rows: call.keys?.rows ?? 0,
    dim,
    meaning: 'one row per key, of the width of guide.queries',
  });
  const hardNegatives =
    guide.hardNegatives === undefined
      ? null
      : resolveFrozen(`${where}.hardNegatives`, guide.hardNegatives, {
          rows: call.hardNegatives?.rows ?? 0,
          dim,
          meaning: 'one row per hard negative, of the width of guide.queries',
        });
  return { queries, keys, hardNegatives, margin: guide.margin ?? 0, relative: guide.relative ?? false };
}

/** The memory of a guide, by the names of messages. */
export function guideMemory(guide: NativeGuide | null): NamedMemory[] {
  if (guide === null) return [];
  const { queries, keys, hardNegatives } = guide;
  return frozenMemory('guide', { queries, keys, hardNegatives });
}
