/**
 * Options that only the CPU backend knows in this version.
 *
 * Refuses them for another backend before any work, so that no result leaves one out in silence.
 */

import { codedError } from '../errors';
import type { BackendName } from '../native/binding';
import { listsOf } from './listed-labels';
import type { AnyContrastiveOptions } from './options';

/** Throws ERR_NOT_IMPLEMENTED. */
export function refuseCpuOptions(given: AnyContrastiveOptions, backend: BackendName): void {
  if (backend === 'cpu') return;
  const name = cpuOption(given);
  if (name === undefined) return;
  throw codedError(
    'ERR_NOT_IMPLEMENTED',
    `options.${name} is not in this version of infcl for backend '${backend}': use backend: 'cpu', with features on ` +
      'the host',
  );
}

function cpuOption({ excludePairs, hardNegatives, labels }: AnyContrastiveOptions): string | undefined {
  if (excludePairs !== undefined) return 'excludePairs';
  if (hardNegatives?.offsets !== undefined) return 'hardNegatives.offsets';
  return listsOf(labels) === undefined ? undefined : 'labels as lists';
}
