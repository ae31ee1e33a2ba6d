/**
 * Adds up the cost of a step from its towers and its loss.
 *
 * Refuses to measure: towers and the step do.
 */

import type { CostReport } from './cost-report';
import type { LossOutcome } from './step-loss';
import type { TowerPass } from './tower-pass';

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

export function costOf(
  towers: readonly TowerPass<unknown>[],
  { grads, scratchBytes }: LossOutcome,
  seconds: { loss: number; total: number },
): CostReport {
  const trained = towers.filter((tower) => tower.trained);
  const normalized = towers.map(({ cache }) => cache).filter((cache) => cache.normalized);
  return {
    encode: {
      seconds: sum(towers.map((tower) => tower.encodeSeconds)),
      bytes: sum(towers.map((tower) => tower.cache.bytes)),
    },
    loss: {
      seconds: seconds.loss,
      bytes: sum(Object.values(grads).map((grad) => grad?.byteLength ?? 0)) + scratchBytes,
    },
    backward: {
      seconds: sum(towers.map((tower) => tower.backwardSeconds)),
      bytes: Math.max(...towers.map((tower) => tower.largestGradBytes())),
    },
    ...(normalized.length > 0 && {
      normalize: {
        seconds: sum(normalized.map((cache) => cache.normalizeSeconds)),
        bytes: sum(normalized.map((cache) => cache.rows * Float64Array.BYTES_PER_ELEMENT)),
      },
    }),
    totalSeconds: seconds.total,
    overheadRatio: sum(trained.map((tower) => tower.encodeSeconds)) / seconds.total,
  };
}
