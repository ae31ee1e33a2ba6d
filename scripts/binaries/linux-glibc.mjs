/**
 * A binary for Linux with glibc, for any processor that Debian has a g++ for. CMake compiles all objects; then they are
 * linked once more, so that the binary starts on systems that are older than this machine: libstdc++ goes inside, and
 * functions of glibc are taken in old versions (old-symbols.mjs).
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nvcc } from '../verify/needs.mjs';
import { BuildError, capture, missingPrograms, run } from './command.mjs';
import { complainOfImages, shippedTargets } from './cuda-images.mjs';
import { checkElf } from './gates.mjs';
import { renameReferences, renamesFor } from './old-symbols.mjs';
import { buildObjects } from './sources.mjs';

/** The oldest glibc on which the binary must start. Node itself asks for 2.28. */
export const oldestGlibc = '2.17';

/** Targets of the CUDA kernels, none for a binary without CUDA. Tests build with fewer targets than the package has. */
function wantedTargets() {
  if (process.env.INFCL_CUDA === 'OFF') return [];
  const named = (process.env.INFCL_CUDA_TARGETS ?? '').split(';').filter(Boolean);
  return named.length > 0 ? named : shippedTargets;
}
const wantsCuda = () => wantedTargets().length > 0;

/** Path of a library of the compiler's target. */
function libraryOf(compiler, name) {
  const path = capture(compiler, [`-print-file-name=${name}`]).trim();
  if (!existsSync(path)) throw new BuildError(`${compiler} has no ${name}`);
  return path;
}

function relink({ root, work, output, compiler, objcopy }, { binding, core }) {
  const folder = join(work, 'renamed');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const scripts = join(root, 'scripts', 'binaries');
  const standIn = join(folder, 'old-glibc.o');
  run(compiler, ['-O2', '-fPIC', '-c', join(scripts, 'old-glibc.cpp'), '-o', standIn]);
  const renames = renamesFor(
    ['libc.so.6', 'libm.so.6'].map((name) => libraryOf(compiler, name)),
    oldestGlibc,
  );
  const files = [...binding, core, libraryOf(compiler, 'libstdc++.a')];
  const renamed = renameReferences({ files, renames, work: folder, objcopy });
  run(compiler, [
    '-shared',
    ...renamed.slice(0, binding.length),
    standIn,
    // libgcc_s stays outside: Node loads the same library, and exceptions need one unwinder for a process.
    ...['-nodefaultlibs', '-Wl,--start-group', ...renamed.slice(binding.length)],
    ...['-lm', '-lgcc_s', '-lgcc', '-lc', '-Wl,--end-group'],
    ...['-Wl,--gc-sections', '-Wl,--as-needed', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-s'],
    `-Wl,--version-script=${join(scripts, 'exported-symbols.map')}`,
    ...['-o', output],
  ]);
}

/**
 * `target`: name and output of a target (targets.mjs), and
 *
 *   compiler, objcopy   programs for the target's processor
 *   programs            what brings these programs, for missing()
 *   cmake               arguments by which CMake compiles for that processor
 *   machine             the processor, as readelf prints its name
 *   loader              name of the dynamic loader, which the binary may list as a library
 */
export function linuxGlibc({ name, output, compiler, objcopy, programs, cmake, machine, loader }) {
  return {
    name,
    output,
    missing() {
      const lines = missingPrograms({
        ...programs,
        cmake: 'Debian package cmake',
        readelf: 'Debian package binutils',
      });
      const reason = wantsCuda() ? nvcc() : null;
      if (reason)
        lines.push('nvcc (the CUDA toolkit; INFCL_CUDA=OFF builds a binary without CUDA, for tests)');
      return lines;
    },
    build({ root, work, output: file }) {
      const cuda = [
        `-DINFCL_CUDA=${wantsCuda() ? 'ON' : 'OFF'}`,
        `-DINFCL_CUDA_TARGETS=${wantedTargets().join(';')}`,
        // one folder for x64 and arm64, so that nvcc compiles once for both
        `-DINFCL_IMAGES_DIR=${join(work, '..', 'cuda-images')}`,
      ];
      const objects = buildObjects({ root, work, compiler, cmake: [...cuda, ...cmake] });
      relink({ root, work, output: file, compiler, objcopy }, objects);
    },
    check(file, root) {
      const targets = wantedTargets();
      const absent = shippedTargets.filter((target) => !targets.includes(target));
      if (absent.length > 0) {
        console.log(
          `NOT CHECKED: ${name}: CUDA kernels for ${absent.join(', ')}, which the environment leaves out`,
        );
      }
      const rules = {
        machine,
        glibc: oldestGlibc,
        // an old glibc has threads and dlopen in libraries of their own, which Node has loaded
        needed: ['libc.so.6', 'libm.so.6', 'libgcc_s.so.1', loader],
        bytes: 3e6,
        root,
      };
      return [...checkElf(file, rules), ...complainOfImages(file, root, targets)];
    },
  };
}
