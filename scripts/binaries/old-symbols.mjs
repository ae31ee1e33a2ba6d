/**
 * Makes objects that a new glibc compiled link to the functions of an old one. glibc keeps the old version of each function
 * that it changed: `exp` has one of 2.2.5 and one of 2.29. A linker takes the newest, and then the binary needs that
 * glibc. Here every reference to a newer version than the floor is renamed to the newest version that the floor has.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { capture, run } from './command.mjs';

/** Compares versions such as "2.2.5" and "2.17" by their numbers. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Each function of a library of glibc with all its versions. `@@` marks the one that a linker takes. */
function versionsOf(library) {
  const found = new Map();
  for (const line of capture('readelf', ['-W', '--dyn-syms', library]).split('\n')) {
    const [, name, mark, version] = /\s([\w.]+)(@@?)GLIBC_([\d.]+)$/.exec(line.trim()) ?? [];
    if (!name) continue;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ version, chosen: mark === '@@' });
  }
  return found;
}

/** Lines for objcopy: `NAME NAME@GLIBC_OLD` for each function whose chosen version is newer than the floor. */
export function renamesFor(libraries, floor) {
  return libraries.flatMap((library) =>
    [...versionsOf(library)].flatMap(([name, versions]) => {
      if (!versions.some(({ version, chosen }) => chosen && compareVersions(version, floor) > 0)) return [];
      const old = versions
        .map(({ version }) => version)
        .filter((version) => compareVersions(version, floor) <= 0)
        .sort(compareVersions);
      return old.length > 0 ? [`${name} ${name}@GLIBC_${old.at(-1)}`] : [];
    }),
  );
}

/** Copies objects and archives to `work` with their references renamed. Returns the copies. */
export function renameReferences({ files, renames, work, objcopy }) {
  const list = join(work, 'renames.txt');
  writeFileSync(list, `${renames.join('\n')}\n`);
  return files.map((file) => {
    const copy = join(work, basename(file));
    copyFileSync(file, copy);
    run(objcopy, [`--redefine-syms=${list}`, copy]);
    return copy;
  });
}
