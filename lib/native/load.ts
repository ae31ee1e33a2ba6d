/**
 * The only loader of the native addon. A failure to load becomes one error with cause and remedy.
 *
 * Refuses to try other places: it loads this package's own build, the addon that a user compiled in the folder
 * `source`, or the prebuilt binary that the package ships.
 */

import fs from 'node:fs';
import path from 'node:path';
import { readBinaryFile } from './binary-file';
import type { NativeBinding } from './binding';
import { explainLoadFailure } from './load-failure';

let loaded: NativeBinding | undefined;
let tried: string | undefined;

/** Path of the file that {@link loadBinding} has loaded, null before. */
export function loadedFile(): string | null {
  return loaded === undefined ? null : (tried ?? null);
}

/**
 * Loads on first use. Later calls return the same object without looking for the file again, which takes
 * longer than a small loss. Throws ERR_BACKEND_UNAVAILABLE.
 */
export function loadBinding(): NativeBinding {
  loaded ??= loadFirst();
  return loaded;
}

function loadFirst(): NativeBinding {
  // Within the function: a bundle of ES modules has no __dirname, and then the error has to say so.
  let root: string | undefined;
  try {
    // Both `dist/native` and, in tests, `lib/native` are two folders below the root.
    root = path.join(__dirname, '..', '..');
    const compiled = path.join(root, 'source', 'build', 'Release', 'infcl.node');
    const isCompiled = fs.existsSync(compiled);
    tried = (isCompiled ? compiled : require('node-gyp-build').path(root)) as string;
    refuseTruncated(tried);
    // The paths are written out: programs that collect the files of a deployment look for this form of the call.
    return (
      isCompiled
        ? require('node-gyp-build')(path.join(__dirname, '..', '..', 'source'))
        : require('node-gyp-build')(path.join(__dirname, '..', '..'))
    ) as NativeBinding;
  } catch (error) {
    throw explainLoadFailure(error, root);
  }
}

/** Before the system's loader reads the file: a file that ends too early ends the whole process by SIGBUS. */
function refuseTruncated(file: string): void {
  if (readBinaryFile(file)?.truncated) throw new Error(`${file} is too short`);
}
