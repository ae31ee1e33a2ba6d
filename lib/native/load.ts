/**
 * The only loader of the native addon. A failure to load becomes one error with cause and remedy.
 *
 * Refuses to try other places: it loads this package's own build or the prebuild that the package ships.
 */

import path from 'node:path';
import loadAddon from 'node-gyp-build';
import { codedError, type InfclError } from '../errors';
import type { NativeBinding } from './binding';

/** Both `dist/native` and, in tests, `lib/native` are two folders below the root. */
const packageRoot = path.join(__dirname, '..', '..');

const loaded = new Map<string, NativeBinding>();

/**
 * Loads on first use. Later calls return the same object without looking for the file again, which takes
 * longer than a small loss. Throws ERR_BACKEND_UNAVAILABLE.
 */
export function loadBinding(root = packageRoot): NativeBinding {
  try {
    const binding = loaded.get(root) ?? (loadAddon(root) as NativeBinding);
    loaded.set(root, binding);
    return binding;
  } catch (error) {
    throw explainLoadFailure(error);
  }
}

export function explainLoadFailure(error: unknown): InfclError {
  const message = error instanceof Error || isErrorLike(error) ? error.message : String(error);
  const cause = message.split('\n')[0]!;
  return codedError(
    'ERR_BACKEND_UNAVAILABLE',
    `The native addon of infcl could not be loaded: ${cause}. ${remedy(message)}`,
    error,
  );
}

function isErrorLike(error: unknown): error is { message: string } {
  return typeof (error as { message?: unknown } | null)?.message === 'string';
}

function remedy(message: string): string {
  const build =
    'build it from source: in a clone of the repository run "npm install" (needs CMake, a C++17 compiler)';
  if (/No native build was found/.test(message)) {
    return `There is no prebuilt binary for ${process.platform}-${process.arch}; ${build}.`;
  }
  if (/GLIBC(XX)?_|CXXABI_/.test(message)) {
    return `This system's C or C++ library is older than the one the binary was built with; ${build}, or use a newer system.`;
  }
  if (/invalid ELF header|wrong ELF class|not a valid Win32|incompatible architecture/.test(message)) {
    return `The binary is for another platform (node_modules copied from another machine?); reinstall, or ${build}.`;
  }
  return `Reinstall the package, or ${build}.`;
}
