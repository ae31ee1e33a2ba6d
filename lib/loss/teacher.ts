/**
 * The option `teacher`: features of another, frozen model, whose softmax over the keys is a second target. Reads the
 * option once, and checks it against the other options and the features of the call.
 *
 * Refuses options under which the model's own probabilities are not a softmax of the keys alone.
 */

import { codedError } from '../errors';
import type { Features } from '../matrix/features';
import type { ContrastiveRequest, NativeTeacher } from '../native/binding';
import { readNames } from '../read-names';
import * as check from '../validate';
import type { NamedMemory } from './call-memory';
import { frozenMemory, readFrozen, resolveFrozen } from './frozen-features';
import { scaleRange } from './scale-range';

/**
 * A teacher: the loss gains `weight` times the cross-entropy of the teacher's probabilities, in each direction of the
 * objective. Width and element type of the features may differ from those of the call. They get no gradient.
 */
export interface Teacher {
  /** Has the shape [M × Dt]: row i is query i, encoded by the teacher. */
  queries: Features;
  /** Has the shape [N × Dt]: row j is key j, encoded by the teacher. */
  keys: Features;
  /** Multiplier of the teacher's dots, 1 / its temperature. From 1e-25 to 1e30. */
  logitScale: number;
  /** Multiplier of the teacher's term in the loss. Positive, up to 1e30. */
  weight: number;
}

const where = 'options.teacher';

/**
 * A copy, each property read once. Throws as the checks of features, ERR_OPTION, and ERR_NOT_IMPLEMENTED for features
 * on a device.
 */
export function readTeacher(value: unknown): Teacher | undefined {
  if (value === undefined) return undefined;
  const given = readNames(where, value, ['queries', 'keys', 'logitScale', 'weight']);
  const { least, most } = scaleRange;
  return {
    queries: readFrozen(`${where}.queries`, given.queries),
    keys: readFrozen(`${where}.keys`, given.keys),
    logitScale: check.numberBetween(`${where}.logitScale`, given.logitScale, least, most),
    weight: check.positiveFloat(`${where}.weight`, given.weight, most),
  };
}

/** Under these options an anchor has more in its denominator than keys, or other logits. */
const excluded = ['hardNegatives', 'hardness', 'directions'] as const;

/** What of a call's options the checks of a teacher need. */
type Beside = Partial<Record<(typeof excluded)[number], unknown>>;

/** The checks that need no features of the call. Throws ERR_VALUE. */
export function checkTeacher(teacher: Teacher | undefined, beside: Beside): void {
  if (teacher === undefined) return;
  for (const name of excluded) {
    if (beside[name] === undefined) continue;
    throw codedError('ERR_VALUE', `Expected no options.${name} beside ${where} but received some`);
  }
}

/**
 * The teacher for native code. Throws ERR_SHAPE where its features do not fit those of the call.
 */
export function resolveTeacher(
  teacher: Teacher | undefined,
  call: Pick<ContrastiveRequest, 'queries' | 'keys'>,
): NativeTeacher | null {
  if (teacher === undefined) return null;
  const queries = resolveFrozen(`${where}.queries`, teacher.queries, {
    rows: call.queries.rows,
    meaning: 'one row per query',
  });
  const keys = resolveFrozen(`${where}.keys`, teacher.keys, {
    rows: call.keys?.rows ?? 0,
    dim: queries.dim,
    meaning: 'one row per key, of the width of teacher.queries',
  });
  return { queries, keys, logitScale: teacher.logitScale, weight: teacher.weight };
}

/** The memory of a teacher, by the names of messages. */
export function teacherMemory(teacher: NativeTeacher | null): NamedMemory[] {
  return teacher === null ? [] : frozenMemory('teacher', { queries: teacher.queries, keys: teacher.keys });
}
