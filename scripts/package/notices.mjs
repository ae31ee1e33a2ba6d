/**
 * THIRD_PARTY_NOTICES: the code of others within the binaries of a package, with its licences. Which entries a package
 * needs depends on the binaries: each compiler links a library of its own into them.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const textOf = (name) => readFileSync(fileURLToPath(new URL(`notices/${name}.txt`, import.meta.url)), 'utf8');

/** A folder of node_modules. `exports` of a package may hide its package.json, so the search is by hand. */
function folderOf(name) {
  const place = require.resolve.paths(name).map((folder) => join(folder, name));
  for (const folder of place) {
    try {
      return { folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) };
    } catch {
      // not in this node_modules: an outer one may have the package
    }
  }
  throw new Error(`${name} is not installed: run "npm ci --ignore-scripts" first`);
}

function ofPackage(name, use, licenceFile) {
  const { folder, version } = folderOf(name);
  return `${name} ${version}: ${use}.\n\n${readFileSync(join(folder, licenceFile), 'utf8').trim()}`;
}

/** `of` says of a binary, such as `linux-x64/infcl.musl.node`, whether the code is in it. */
const entries = [
  { of: () => true, text: () => ofPackage('node-addon-api', 'headers that are compiled in', 'LICENSE.md') },
  { of: () => true, text: () => ofPackage('node-api-headers', 'headers that are compiled in', 'LICENSE') },
  { of: (file) => /linux|win32/.test(file), text: () => textOf('gcc') },
  // "nvcc -ptx -lineinfo" names the headers whose functions are in a kernel, in lines that begin with .file
  { of: (file) => file.includes('glibc'), text: () => textOf('nvidia') },
  { of: (file) => /musl|darwin/.test(file), text: () => textOf('llvm') },
  { of: (file) => /musl|darwin/.test(file), text: () => textOf('zig') },
  { of: (file) => file.startsWith('win32'), text: () => textOf('mingw-w64') },
];

/** The text for these binaries. */
export function makeNotices(binaries) {
  const head =
    binaries.length > 0
      ? `infcl has its own licence in the file LICENSE. Its binaries (${binaries.join(', ')}) contain code of others:`
      : 'infcl has its own licence in the file LICENSE. This package has no binaries. A binary that a user compiles contains code of others:';
  const texts = entries
    .filter(({ of }) => binaries.length === 0 || binaries.some(of))
    .map(({ text }) => text().trim());
  return [head, ...texts].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n');
}
