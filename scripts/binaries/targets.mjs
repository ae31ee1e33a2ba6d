/**
 * The targets for which the package has a binary. Each one has a module of its name in this folder, whose default
 * export is
 *
 *   name       the target, as on the command line
 *   output     path of the binary below the root of the clone, where node-gyp-build looks for the file
 *   missing()  what this machine lacks: one line for each program or package, with the way to install
 *   build()    of { root, work, output }: compiles and links in the folder `work`, and writes the file `output`
 *   check()    of (file, root): complaints about a finished binary (gates.mjs); an empty list is a good binary
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

const names = [
  'linux-x64-glibc',
  'linux-x64-musl',
  'linux-arm64-glibc',
  'linux-arm64-musl',
  'win32-x64',
  'darwin-arm64',
];
const fileOf = (name) => join(here, `${name}.mjs`);

/** Targets that this version of infcl can build. */
export const targetNames = names.filter((name) => existsSync(fileOf(name)));

export async function loadTarget(name) {
  return (await import(pathToFileURL(fileOf(name)).href)).default;
}
