/**
 * How long the loss of a step is going to take, as `plan()` estimates it.
 *
 * Refuses to fail: progress is no reason to end a step, so a loss that cannot be planned has no estimate.
 */

import { plan } from '../loss/plan';
import type { PlanFrozen } from '../loss/plan-frozen';
import { type Features, toNativeFeatures } from '../matrix/features';
import type { DType } from '../matrix/host-matrix';
import type { Prefix } from './matryoshka-options';
import type { LossByOptions } from './step-loss';

/** The features of a step, as far as they are known after the first chunk. */
export interface LossShape {
  queries: number;
  /** 0 without a tower of keys. */
  keys: number;
  dim: number;
  dtype: DType;
}

/** Seconds, if they can be told. */
export type LossEstimate = (shape: LossShape) => number | undefined;

/** @param prefixes Of the option `matryoshka`: each one is a call of the loss. */
export function estimateOf(
  { options }: LossByOptions,
  prefixes: readonly Prefix[] | undefined,
): LossEstimate {
  const { objective, compute, backend, device, threads, workspaceBytes, guide, teacher, group } = options;
  // each rank compares its queries with the keys of all ranks, which have about as many as this one
  const ranks = group?.size ?? 1;
  return ({ dim, ...shape }) => {
    const dims = prefixes?.map((prefix) => prefix.dim) ?? [dim];
    try {
      return dims.reduce((sum, dim) => {
        const of = { ...shape, dim, objective, compute, backend, device, threads, workspaceBytes };
        const others = { guide: shapeOf('guide', guide), teacher: shapeOf('teacher', teacher) };
        return sum + ranks * plan({ ...of, ...others }).estimatedSeconds;
      }, 0);
    } catch {
      return undefined;
    }
  };
}

/** The features of a guide or a teacher as a plan takes them. */
function shapeOf(name: string, model: { queries: Features } | undefined): PlanFrozen | undefined {
  if (model === undefined) return undefined;
  const { dim, dtype } = toNativeFeatures(name, model.queries);
  return { dim, dtype };
}
