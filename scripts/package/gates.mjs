/**
 * What must hold of a packed package, whoever made it. Each gate returns its complaints; none means that it holds.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { allowed, filesBelow, needed } from './contents.mjs';
import { targetsOf } from './pages.mjs';

const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

function checkContents({ files }) {
  const strange = files.filter((file) => !allowed.some((form) => form.test(file)));
  const missing = needed.filter((file) => !files.includes(file));
  return [
    ...strange.map((file) => `${file} does not belong into the package (scripts/package/contents.mjs)`),
    ...missing.map((file) => `${file} is missing`),
  ];
}

function checkSize({ folder, files, maxMegabytes }) {
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return bytes <= maxMegabytes * 1e6 ? [] : [`${bytes} bytes unpacked are more than ${maxMegabytes} MB`];
}

/** npm runs scripts on the machines of users, and package managers warn of the others. */
function checkManifest({ folder }) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const forbidden = ['scripts', 'workspaces', 'devDependencies', 'private', 'bundleDependencies'];
  const complaints = forbidden.filter((name) => name in manifest).map((name) => `package.json has ${name}`);
  const entries = Object.values(manifest.exports ?? {}).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(Object.values),
  );
  const commands = Object.values(manifest.bin ?? {});
  const places = [manifest.main, manifest.types, ...commands, ...entries].map((path) => join(String(path)));
  return [
    ...complaints,
    ...places
      .filter((path) => path !== 'package.json' && !filesBelow(folder).includes(path))
      .map((path) => `package.json names ${path}, which is missing`),
  ];
}

/** A binary of the package is the file that was tested, byte for byte, and none of the tested files is left out. */
function checkBinaries({ folder, files, tested }) {
  const packed = files
    .filter((file) => file.startsWith('prebuilds/'))
    .map((file) => file.slice('prebuilds/'.length));
  const known = filesBelow(tested);
  const complaints = known
    .filter((file) => !packed.includes(file))
    .map((file) => `${file} of ${tested} is not in the package`);
  if (packed.length === 0)
    complaints.push('the package has no binary: run "npm run build:binaries", then "npm run stage"');
  for (const file of packed) {
    if (!known.includes(file)) complaints.push(`prebuilds/${file} is not in ${tested}: nobody has tested it`);
    else if (hashOf(join(folder, 'prebuilds', file)) !== hashOf(join(tested, file))) {
      complaints.push(`prebuilds/${file} is not the file in ${tested}: run "npm run stage" again`);
    }
  }
  return complaints;
}

/** Links within the package lead to files of the package. */
function checkLinks({ folder, files }) {
  return files
    .filter((file) => file.endsWith('.md'))
    .flatMap((page) =>
      targetsOf(page, readFileSync(join(folder, page), 'utf8')).map((target) => [page, target]),
    )
    .filter(([, target]) => !files.includes(target))
    .map(([page, target]) => `${page} links ${target}, which is missing`);
}

const gates = [checkContents, checkSize, checkManifest, checkBinaries, checkLinks];

/** `folder`: the unpacked package. `tested`: the folder of the tested binaries. */
export function checkPackage(folder, tested, maxMegabytes) {
  const files = filesBelow(folder);
  return gates.flatMap((gate) => gate({ folder, files, tested, maxMegabytes }));
}

/** Binaries of the package with their hashes, for the record. */
export function binaryHashes(folder) {
  const binaries = filesBelow(folder).filter((file) => file.endsWith('.node'));
  return binaries.map((file) => `${hashOf(join(folder, file))}  ${file}`);
}
