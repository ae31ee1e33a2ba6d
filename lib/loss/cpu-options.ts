/**
 * Options that only the CPU backend knows in this version, and only for a batch of one rank.
 *
 * Refuses them for another backend and in a group before any work, so that no result leaves one out in silence.
 */

import { codedError } from '../errors';
import type { BackendName } from '../native/binding';
import { notImplemented } from '../validate';
import { listsOf } from './listed-labels';
import type { AnyContrastiveOptions } from './options';

/** The options among which these are. A plan has shapes in place of the features of other models. */
type Given = Pick<AnyContrastiveOptions, 'excludePairs' | 'hardNegatives' | 'labels'> & {
  guide?: unknown;
  teacher?: unknown;
};

/** Throws ERR_NOT_IMPLEMENTED. */
export function refuseCpuOptions(given: Given, backend: BackendName): void {
  if (backend === 'cpu') return;
  const name = cpuOption(given);
  if (name === undefined) return;
  throw codedError(
    'ERR_NOT_IMPLEMENTED',
    `options.${name} is not in this version of infcl for backend '${backend}': use backend: 'cpu', with features on ` +
      'the host',
  );
}

/** Throws ERR_NOT_IMPLEMENTED. */
export function refuseCpuOptionsInGroup(given: AnyContrastiveOptions): void {
  const name = cpuOption(given);
  if (name !== undefined)
    throw notImplemented(`options.${name} beside options.group`, 'a call without a group');
}

function cpuOption(given: Given): string | undefined {
  const { excludePairs, guide, hardNegatives, labels, teacher } = given;
  if (guide !== undefined) return 'guide';
  if (teacher !== undefined) return 'teacher';
  if (excludePairs !== undefined) return 'excludePairs';
  if (hardNegatives?.offsets !== undefined) return 'hardNegatives.offsets';
  return listsOf(labels) === undefined ? undefined : 'labels as lists';
}
