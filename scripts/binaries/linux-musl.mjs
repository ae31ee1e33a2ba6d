/**
 * A binary for Linux with musl (Alpine), without CUDA: the driver of NVIDIA needs glibc. g++ of Debian compiles the kernels,
 * as for glibc, so gradients have the same bits. The kernels call nothing but memcpy and memset, so they fit any C
 * library. Zig compiles all other files against the headers of musl.
 */
import { join } from 'node:path';
import { BuildError, capture, run } from './command.mjs';
import { debianPackages } from './downloads.mjs';
import { checkElf, readElf } from './gates.mjs';
import { compileSources, readSources } from './sources.mjs';
import { missingForZig, zigCompiler } from './zig.mjs';

/** The musl of Debian 11, 1.2.2, as old as the one of Alpine 3.13. Newer ones have all its functions. */
export function oldestMusl(root, { debian, processor }) {
  const folder = debianPackages(root, { release: 'bullseye', architecture: debian, names: ['musl'] });
  return join(folder, 'lib', `${processor}-linux-musl`, 'libc.so');
}

/** Functions that g++ may call without being asked. Every C library has them. */
const freestanding = ['memcpy', 'memset', 'memmove', 'memcmp'];

/** Fails where the kernels need more than functions that every C library has: such objects do not fit musl. */
function requireFreestanding(objects, nm) {
  const list = (...flags) =>
    new Set(
      capture(nm, ['-j', ...flags, ...objects])
        .split('\n')
        .filter(Boolean),
    );
  const defined = list('--defined-only');
  const needed = [...list('--undefined-only')].filter((name) => !name.endsWith(':'));
  const foreign = needed.filter(
    (name) => !defined.has(name) && !freestanding.includes(name) && name !== '_GLOBAL_OFFSET_TABLE_',
  );
  if (foreign.length > 0)
    throw new BuildError(`the kernels need ${foreign.join(', ')}, which the build for musl has not`);
}

/**
 * The part of libgcc that asks an x64 processor for its features. g++ calls it for __builtin_cpu_supports, and zig has no
 * such part.
 */
function featureObjects({ compiler, ar }, work) {
  const archive = capture(compiler, ['-print-libgcc-file-name']).trim();
  run(ar, ['x', '--output', work, archive, 'cpuinfo.o']);
  return [join(work, 'cpuinfo.o')];
}

/**
 * `target`: name and output of a target (targets.mjs), and
 *
 *   processor       as CMake and zig name it
 *   debian          the same, as Debian names it
 *   tools           compiler, nm and ar for that processor
 *   programs        what brings these programs, for missing()
 *   machine         the processor, as readelf prints its name
 *   asksProcessor   whether the build chooses among instruction sets at run time
 */
export function linuxMusl({ name, output, processor, debian, tools, programs, machine, asksProcessor }) {
  return {
    name,
    output,
    missing: () =>
      missingForZig({ ...programs, readelf: 'Debian package binutils', 'apt-get': 'a Debian machine' }),
    async build({ root, work, output: file }) {
      const zig = zigCompiler(root, `${processor}-linux-musl`);
      const sources = readSources(root, { processor, system: 'LINUX', noCuda: 'MUSL' });
      const kernels = await compileSources({
        ...{ root, work, compiler: [tools.compiler] },
        sources: sources.kernels,
      });
      requireFreestanding(kernels, tools.nm);
      const others = await compileSources({
        ...{ root, work, compiler: zig },
        sources: [...sources.core, ...sources.binding],
      });
      const features = asksProcessor ? featureObjects(tools, work) : [];
      const names = join(root, 'scripts', 'binaries', 'exported-symbols.map');
      run(zig[0], [
        ...zig.slice(1),
        ...['-shared', ...kernels, ...others, ...features, '-Wl,--gc-sections', '-s'],
        ...[`-Wl,--version-script=${names}`, '-Wl,-z,relro', '-Wl,-z,now', '-o', file],
      ]);
    },
    check(file, root) {
      const { exported } = readElf(oldestMusl(root, { debian, processor }));
      const musl = new Set(exported.map((symbol) => symbol.name));
      return checkElf(file, { machine, glibc: null, musl, needed: ['libc.so'], bytes: 1.5e6, root });
    },
  };
}
