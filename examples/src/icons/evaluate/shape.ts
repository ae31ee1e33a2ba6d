/**
 * What the features look like as points on a sphere, without any label but which icon has which caption.
 * `docs/evaluation.md` says how to read these numbers. Refuses to judge: no value is right for all data.
 */

import { alignment, effectiveRank, modalityGap, uniformity } from 'infcl/evaluation';
import { type Features, someRows } from './features.js';
import type { IconTask } from './task.js';

export interface FeatureShape {
  /** Mean squared distance between an icon and its caption, over the pairs that {@link pairs} counts. */
  alignment: number;
  /** Of the icons. Less is more even. */
  uniformity: number;
  /** Of the icons, from 1 to the number of dimensions. */
  effectiveRank: number;
  /** Distance between the mean of the icons and the mean of the captions. */
  gap: number;
  pairs: number;
}

/** Of the icons whose captions training knows, and these captions; undefined where there are none. */
export async function shapeOf(
  { zeroShot, seen }: IconTask,
  images: Features,
  texts: Features,
  signal?: AbortSignal,
): Promise<FeatureShape | undefined> {
  // a new caption of unknown words has no direction
  if (seen.queries.length === 0) return undefined;
  const { icons, labels } = zeroShot.at(-1)!;
  const pictures = someRows(images, icons);
  const captions = someRows(texts, labels);
  return {
    alignment: await alignment(pictures, captions, { signal }),
    uniformity: await uniformity(pictures, { signal }),
    effectiveRank: await effectiveRank(pictures, { signal }),
    gap: (await modalityGap(pictures, captions, { signal })).gap,
    pairs: icons.length,
  };
}
