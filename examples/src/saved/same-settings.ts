/** Whether a saved file belongs to the run that wants to go on from it. Refuses to guess which differences matter: none may differ. */

import type { CheckpointError } from '../errors.js';
import { type SealedFile, unusable } from './sealed-file.js';

/** What must be equal for a resumed run to be the same run. */
export type RunSettings = Record<string, string | number>;

/** Throws {@link CheckpointError} naming the first setting that differs. */
export function checkSameSettings(
  file: SealedFile,
  found: ReadonlyMap<string, string | number>,
  wanted: RunSettings,
): void {
  const here = new Map(Object.entries(wanted));
  for (const name of new Set([...found.keys(), ...here.keys()])) {
    if (found.get(name) !== here.get(name)) throw differs(file, name, found.get(name), here.get(name));
  }
}

function differs(
  file: SealedFile,
  name: string,
  found: string | number | undefined,
  here: string | number | undefined,
): CheckpointError {
  return unusable(
    file,
    `Expected ${name} ${found ?? 'unset'}, as in ${file.path}, but received ${here ?? 'unset'}`,
    'resume with the settings of the first run',
  );
}
