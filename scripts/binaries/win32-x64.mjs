/**
 * The binary for Windows on x64, by mingw: g++ compiles the same kernels as for Linux, so gradients have the same bits.
 * Windows has no CUDA backend yet.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { missingPrograms, run } from './command.mjs';
import { checkPe } from './pe-gates.mjs';
import { compileSources, readSources, releaseFlags } from './sources.mjs';

const compiler = 'x86_64-w64-mingw32-g++-posix';
const dlltool = 'x86_64-w64-mingw32-dlltool';

/**
 * Flags of every file. Windows aligns stacks to 16 bytes, and g++ still stores AVX registers there with instructions that
 * fault on unaligned addresses. The assembler replaces these instructions.
 */
const flags = [...releaseFlags.filter((flag) => flag !== '-fPIC'), '-Wa,-muse-unaligned-vector-move'];

/** Libraries of every Windows since 7, and Node itself, which the names of Node-API come from. */
const libraries = ['node.exe', 'KERNEL32.dll', 'msvcrt.dll'];

/** An import library for each list of names in node-api-headers: a linker for Windows wants to know the file of a name. */
function importLibraries(root, work) {
  const { def_paths: lists } = createRequire(join(root, 'package.json'))('node-api-headers');
  return Object.entries(lists).map(([name, list]) => {
    const library = join(work, `${name}.a`);
    run(dlltool, ['-d', list, '-D', 'node.exe', '-l', library]);
    return library;
  });
}

export default {
  name: 'win32-x64',
  output: 'prebuilds/win32-x64/infcl.node',
  missing: () =>
    missingPrograms({
      [compiler]: 'Debian package g++-mingw-w64-x86-64-posix',
      [dlltool]: 'Debian package binutils-mingw-w64-x86-64',
      cmake: 'Debian package cmake',
    }),
  async build({ root, work, output }) {
    const { kernels, core, binding } = readSources(root, { processor: 'x86_64', system: 'WINDOWS' });
    const sources = [...kernels, ...core, ...binding];
    const objects = await compileSources({ root, work, compiler: [compiler], sources, flags });
    run(compiler, [
      '-shared',
      ...objects,
      ...importLibraries(root, work),
      // -static: libstdc++ and winpthreads go inside
      ...['-static', '-Wl,--gc-sections', '-Wl,--exclude-all-symbols', '-Wl,-s', '-o', output],
    ]);
  },
  check: (file, root) => checkPe(file, { machine: 'x64', libraries, bytes: 1.5e6, root }),
};
