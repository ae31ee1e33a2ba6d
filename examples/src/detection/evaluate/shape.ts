/**
 * What the features of things look like as points on a sphere, beside those of their names.
 * `docs/evaluation.md` says how to read these numbers. Refuses to judge: no value is right for all data.
 */

import { alignment, effectiveRank, modalityGap, uniformity } from 'infcl/evaluation';
import type { RegionScorer } from '../detect/region-scorer.js';
import type { RegionRows } from '../features/region-rows.js';
import { featureDim, type RegionModel } from '../train/region-model.js';

export interface RegionShape {
  /** Mean squared distance between a thing and its name. */
  alignment: number;
  /** Of the things. Less is more even. */
  uniformity: number;
  /** Of the things, from 1 to the number of dimensions. */
  effectiveRank: number;
  /** Distance between the mean of the things and the mean of their names. */
  gap: number;
  things: number;
}

/** @param things Windows of things, each with its concept. */
export async function shapeOfRegions(
  model: RegionModel,
  scorer: RegionScorer,
  things: RegionRows,
  signal?: AbortSignal,
): Promise<RegionShape> {
  const shape = [things.rows, featureDim] as const;
  const regions = { data: await scorer.features(things.data, signal), shape };
  const all = model.textFeatures();
  const data = new Float32Array(things.rows * featureDim);
  things.labels.forEach((label, i) => {
    data.set(all.subarray(label * featureDim, (label + 1) * featureDim), i * featureDim);
  });
  const names = { data, shape };
  return {
    alignment: await alignment(regions, names, { signal }),
    uniformity: await uniformity(regions, { signal }),
    effectiveRank: await effectiveRank(regions, { signal }),
    gap: (await modalityGap(regions, names, { signal })).gap,
    things: things.rows,
  };
}
