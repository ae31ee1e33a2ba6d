/**
 * A guide and a teacher in a plan: features of other models, whose products with each other are work of the call.
 *
 * Refuses them for objectives and backends that do not take them, as a call does.
 */

import { codedError } from '../errors';
import { dtypes } from '../matrix/host-matrix';
import type { BackendName, DType, Objective } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import { refuseCpuOptions } from './cpu-options';
import { rulesOf } from './objectives';

/** Features of a guide or a teacher, for queries and keys. */
export interface PlanFrozen {
  /** Width of the features. */
  dim: number;
  /** Element type of the features, default float32. */
  dtype?: DType | undefined;
}

export const frozenNames = ['guide', 'teacher'] as const;

interface FrozenShape {
  dim: number;
  dtype: DType;
}

/** Null without such features. */
export type PlannedFrozen = Record<(typeof frozenNames)[number], FrozenShape | null>;

/** Throws ERR_TYPE, ERR_VALUE, ERR_OPTION or ERR_NOT_IMPLEMENTED. */
export function readPlanFrozen(
  given: Partial<Readonly<Record<(typeof frozenNames)[number], unknown>>>,
  objective: Objective,
  backend: BackendName,
): PlannedFrozen {
  const read = { guide: readOne('guide', given.guide), teacher: readOne('teacher', given.teacher) };
  for (const name of frozenNames) {
    if (read[name] === null || rulesOf(objective).takes.includes(name)) continue;
    throw codedError(
      'ERR_VALUE',
      `Expected no options.${name} for objective '${objective}' but received some; it belongs to clip, infonce`,
    );
  }
  refuseCpuOptions({ guide: read.guide ?? undefined, teacher: read.teacher ?? undefined }, backend);
  return read;
}

function readOne(name: string, value: unknown): FrozenShape | null {
  if (value === undefined) return null;
  const where = `options.${name}`;
  const { dim, dtype } = readNames(where, value, ['dim', 'dtype']);
  return {
    dim: check.positiveInteger(`${where}.dim`, dim),
    dtype: dtype === undefined ? 'float32' : check.oneOf(`${where}.dtype`, dtype, dtypes),
  };
}
