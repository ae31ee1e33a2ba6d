/**
 * What a finished binary must be, whatever built it. Each check returns complaints, and an empty list is a good binary.
 * The same checks run at the end of a build, in a suite, and before the package is packed.
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { capture } from './command.mjs';
import { compareVersions } from './old-symbols.mjs';

/** The names by which Node starts an addon. */
export const addonSymbols = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** What readelf says about a shared library of any processor. */
export function readElf(file) {
  const header = capture('readelf', ['-W', '-h', file]);
  const dynamic = capture('readelf', ['-W', '-d', file]);
  const segments = capture('readelf', ['-W', '-l', file]);
  const symbols = capture('readelf', ['-W', '--dyn-syms', file])
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([number, , , , , , , name]) => /^\d+:$/.test(number) && name)
    .map(([, , , , bind, , section, name]) => {
      const [base, version = null] = name.split(/@@?/);
      return { name: base, version, bind, defined: section !== 'UND' };
    });
  return {
    machine: /^\s*Machine:\s*(.*)$/m.exec(header)?.[1].trim(),
    needed: [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name),
    searchPaths: [...dynamic.matchAll(/\((?:RPATH|RUNPATH)\).*\[(.*)\]/g)].map(([, path]) => path),
    stackFlags: /^\s*GNU_STACK\s.*\s([RWE]+)\s+(?:0x\w+|0)$/m.exec(segments)?.[1] ?? 'none',
    exported: symbols.filter(({ defined, bind }) => defined && bind !== 'LOCAL'),
    imported: symbols.filter(({ defined }) => !defined),
  };
}

function complainOfSymbols({ exported, imported }, { glibc, musl = new Set() }) {
  const complaints = [];
  const names = exported.map(({ name }) => name).sort();
  if (names.join() !== [...addonSymbols].sort().join()) {
    const some = names.slice(0, 5).join(', ');
    complaints.push(`exports ${names.length} symbols (${some} ...), expected ${addonSymbols.join(' and ')}`);
  }
  for (const { name, version, bind } of imported) {
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version ?? '') ?? [];
    if (!version) {
      if (bind !== 'WEAK' && !/^(napi|node_api)_/.test(name) && !musl.has(name))
        complaints.push(`needs ${name}, which nobody has`);
    } else if (family === 'GLIBC') {
      if (!glibc) complaints.push(`needs ${name} of glibc`);
      else if (compareVersions(number, glibc) > 0) {
        complaints.push(`needs ${name} of glibc ${number}, expected ${glibc} or older`);
      }
    } else if (family !== 'GCC') {
      complaints.push(`needs ${name} of ${version}, which must be inside`);
    }
  }
  return complaints;
}

/** Texts in a binary that name a folder of the machine that built the file. */
export function complainOfPaths(bytes, root) {
  const folders = [root, homedir(), '/build/'].filter((folder) => folder.length > 2);
  return folders
    .filter((folder) => bytes.includes(folder))
    .map((folder) => `names the folder ${folder} of the machine that built the file`);
}

/**
 * What `read` finds in a file, or a complaint: `strange` where it finds null, and another one where a number in the file
 * leads out of the file. Then nothing else can be checked.
 */
export function readOrComplain(read, file, strange) {
  try {
    const found = read(readFileSync(file));
    return { found, complaints: found ? [] : [strange] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { found: null, complaints: [`is cut off or damaged: ${error.message}`] };
  }
}

/** Checks that every kind of binary has. `rules`: bytes and root as for checkElf. */
export function checkContents(file, { bytes: most, root }) {
  const complaints = [];
  const { size } = statSync(file);
  if (size > most) complaints.push(`has ${size} bytes, expected at most ${most}`);
  return [...complaints, ...complainOfPaths(readFileSync(file), root)];
}

/**
 * Checks an addon for Linux. `rules`:
 *
 *   machine    the processor, as readelf names it
 *   glibc      oldest glibc on which the binary must start; null: nothing of glibc
 *   musl       optional: names that the oldest musl has, on which the binary must start. musl has no versions of names
 *   needed     libraries that the binary may ask for
 *   bytes      largest size
 *   root       folder of the clone, which the file must not name
 */
export function checkElf(file, rules) {
  const elf = readElf(file);
  const complaints = complainOfSymbols(elf, rules);
  if (elf.machine !== rules.machine) complaints.push(`is for ${elf.machine}, expected ${rules.machine}`);
  for (const name of elf.needed.filter((library) => !rules.needed.includes(library))) {
    complaints.push(`needs ${name}, expected nothing beyond ${rules.needed.join(', ')}`);
  }
  for (const path of elf.searchPaths) complaints.push(`looks for libraries in ${path}`);
  if (elf.stackFlags !== 'RW') complaints.push(`asks for a stack with flags ${elf.stackFlags}, expected RW`);
  return [...complaints, ...checkContents(file, rules)];
}
