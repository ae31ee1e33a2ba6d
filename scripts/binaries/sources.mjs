/**
 * Native sources and their flags, and two ways to compile them. `buildObjects` leaves the compiling to CMake; take this
 * way where one compiler can do all files. `compileSources` compiles a list of files; take this way where files of one
 * binary need different compilers. Both read sources.cmake, so no list is written twice.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BuildError, capture, run } from './command.mjs';

/** How many compilers run at the same time. */
const parallel = 2;

/** Flags of every file, as CMakeLists.txt sets them for a Release build of the addon. */
export const releaseFlags = ['-std=c++17', '-O3', '-fvisibility=hidden', '-fPIC'];
export const bindingDefines = ['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS'];

/** Folders of the headers of Node-API. */
export function nodeApiHeaders(root) {
  const require = createRequire(join(root, 'package.json'));
  const addonApi = join(require.resolve('node-addon-api/package.json'), '..');
  return [require('node-api-headers').include_dir, addonApi];
}

/** Keeps the folder of the clone out of messages and names that the compiler writes into a binary. */
export const withoutPaths = (root) => `-ffile-prefix-map=${root}=.`;

/**
 * Configures CMake in `work` and builds the addon there. Returns the objects of the binding and the archive with all the
 * others. `cmake` lists more arguments, such as a toolchain for another processor.
 */
export function buildObjects({ root, work, compiler, cmake = [] }) {
  const build = join(work, 'cmake');
  const [headers] = nodeApiHeaders(root);
  run('cmake', [
    ...['-S', root, '-B', build],
    '-DCMAKE_BUILD_TYPE=Release',
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    `-DCMAKE_CXX_FLAGS=${withoutPaths(root)}`,
    '-DCMAKE_JS_VERSION=none',
    `-DCMAKE_JS_INC=${headers}`,
    ...cmake,
  ]);
  run('cmake', ['--build', build, '--parallel', String(parallel), '--target', 'infcl']);
  const objects = join(build, 'CMakeFiles', 'infcl.dir', 'csrc', 'binding');
  return {
    binding: readdirSync(objects)
      .filter((name) => name.endsWith('.o'))
      .map((name) => join(objects, name)),
    core: join(build, 'libinfcl_core.a'),
  };
}

/**
 * The files of a binary without CUDA, as `{ file, flags }`: `kernels` are the loops for instruction sets, which include
 * no header of an operating system, `core` is the rest of the engine, and `binding` is the part that knows Node.
 * `processor` is x86_64 or aarch64. `system` and `noCuda` are names of lists in sources.cmake: LINUX, WINDOWS, DARWIN, and
 * for `noCuda` also MUSL.
 */
export function readSources(root, { processor, system, noCuda = system }) {
  const script = join(root, 'scripts', 'binaries', 'print-sources.cmake');
  const settings = { PROCESSOR: processor, SYSTEM: system, NO_CUDA: noCuda, ROOT: root };
  const defines = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  const lines = capture('cmake', [...defines, '-P', script])
    .trim()
    .split('\n');
  const all = lines.map((line) => {
    const [file, flags = ''] = line.replace(/^-- /, '').split('|');
    return { file, flags: flags.split(';').filter(Boolean) };
  });
  const isKernel = ({ file }) => file.startsWith('csrc/cpu/kernels/');
  const isBinding = ({ file }) => file.startsWith('csrc/binding/');
  const includes = nodeApiHeaders(root).map((folder) => `-I${folder}`);
  // print-sources.cmake lists the files for the system; sources.cmake says how their names end
  const shared = readdirSync(join(root, 'csrc', 'binding'))
    .filter((name) => name.endsWith('.cpp') && !/_(posix|win32)\.cpp$/.test(name))
    .map((name) => `csrc/binding/${name}`);
  const binding = [...shared, ...all.filter(isBinding).map(({ file }) => file)];
  return {
    kernels: all.filter(isKernel),
    core: all.filter((source) => !isKernel(source) && !isBinding(source)),
    binding: binding.map((file) => ({ file, flags: [...bindingDefines, ...includes] })),
  };
}

function compileOne([program, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => reject(new BuildError(`${program} does not start: ${error.message}`)));
    child.on('exit', (status, signal) => {
      if (status === 0) resolve();
      else
        reject(new BuildError(`this command failed (${signal ?? status}): ${[program, ...args].join(' ')}`));
    });
  });
}

/**
 * Compiles `sources` of readSources and returns the objects, in the same order. `compiler` is a program with its first
 * arguments, such as ['zig', 'c++', '-target', 'x86_64-linux-musl'].
 */
export async function compileSources({ root, work, compiler, sources, flags = releaseFlags }) {
  mkdirSync(work, { recursive: true });
  const commands = sources.map((source) => {
    const object = join(work, `${source.file.replaceAll('/', '-')}.o`);
    const args = [...flags, withoutPaths(root), `-I${join(root, 'csrc')}`, `-I${root}`, ...source.flags];
    return { object, command: [...compiler, ...args, '-c', join(root, source.file), '-o', object] };
  });
  const waiting = [...commands];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await compileOne(next.command);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return commands.map(({ object }) => object);
}
