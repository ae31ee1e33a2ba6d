/**
 * When a step runs, and what the other ranks of its group learn of its errors.
 *
 * Refuses to know what a step does.
 */

import { types } from 'node:util';
import { onAllRanks } from '../group/on-all-ranks';
import { groupAmong, type ProcessGroup, refuseInGroup } from '../group/process-group';
import { inTurn } from './encoder-turns';
import type { CheckedStep } from './step-options';

/** Runs a step after every earlier step with a common encoder or group. Rejects as `inTurn`. */
export function turnOfStep<T>(
  { towers, group, signal }: Pick<CheckedStep, 'towers' | 'group' | 'signal'>,
  run: () => Promise<T>,
): Promise<T> {
  const encoders = towers.map((tower) => tower.identity);
  if (group === undefined) return inTurn(encoders, signal, run);
  const pass = (error: unknown) => refuseInGroup(group, error);
  return inTurn([...encoders, group], signal, () => onAllRanks(group, run), pass);
}

/** Takes part in a step of the other ranks for a step that cannot begin, after the earlier steps of the group. */
export function refuseStep(group: ProcessGroup, error: unknown): void {
  // a step inside a callback of another step is refused on every rank
  inTurn([group], undefined, async () => refuseInGroup(group, error)).catch(() => {});
}

/** The group among options of a step that may be wrong in any way. Runs no code of the caller. */
export function groupAmongStep(options: unknown): ProcessGroup | undefined {
  return groupAmong(options) ?? groupAmong(lossAmong(options));
}

function lossAmong(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || types.isProxy(options)) return undefined;
  return Object.getOwnPropertyDescriptor(options, 'loss')?.value;
}
