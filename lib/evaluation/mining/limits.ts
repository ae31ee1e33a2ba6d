/**
 * The highest score that a negative of each query may have: margins below the lowest positive, and `maxScore`.
 * The lowest of all limits holds.
 *
 * Source: sentence-transformers, `mine_hard_negatives`: `absolute_margin`, `relative_margin`, `max_score`.
 */

import type { CheckedMining } from './options';

type Margins = Pick<CheckedMining, 'margin' | 'relativeMargin' | 'maxScore'>;

export const hasMargin = ({ margin, relativeMargin }: Margins) =>
  margin !== undefined || relativeMargin !== undefined;

/**
 * [queries], in float32, which scores are in. `lowestPositives` are scores, or null without a margin. A score
 * is at most the limit exactly where it is at most the limit in float64.
 */
export function limitsOf(
  margins: Margins,
  lowestPositives: Float32Array | null,
  queries: number,
): Float32Array {
  const { margin, relativeMargin, maxScore } = margins;
  const limits = new Float32Array(queries).fill(roundDown(maxScore));
  lowestPositives?.forEach((positive, query) => {
    const absolute = positive - (margin ?? Number.NEGATIVE_INFINITY);
    const relative =
      relativeMargin === undefined
        ? Number.POSITIVE_INFINITY
        : positive - Math.abs(positive) * relativeMargin;
    limits[query] = roundDown(Math.min(maxScore, absolute, relative));
  });
  return limits;
}

const bits = new DataView(new ArrayBuffer(4));

/** The largest float32 that is at most `value`, which is no NaN. */
export function roundDown(value: number): number {
  const nearest = Math.fround(value);
  if (nearest <= value) return nearest;
  if (nearest === 0) return -(2 ** -149);
  bits.setFloat32(0, nearest);
  // the next float32 towards -Infinity is the one of the next smaller magnitude, or of the next larger one below 0
  bits.setInt32(0, bits.getInt32(0) + (nearest > 0 ? -1 : 1));
  return bits.getFloat32(0);
}
