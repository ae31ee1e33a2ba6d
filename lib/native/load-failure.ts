/**
 * Why the native addon did not load, in one error: the cause, the places that were searched, and what to do.
 *
 * Refuses to repeat the system's message alone: "No native build was found" has a dozen causes, and a user can
 * act on the right one only.
 */

import fs from 'node:fs';
import path from 'node:path';
// Not the global `process`: a test environment or a polyfill may have replaced it, and that may be why loading failed.
import process from 'node:process';
import { codedError, type InfclError } from '../errors';
import { readBinaryFile } from './binary-file';

/** What is known about a failure. */
interface Failure {
  /** Message of the error, one line. */
  message: string;
  code: unknown;
  /** The folder of the package, or of what a bundler left in its place. Undefined where there is no __dirname. */
  root: string | undefined;
}

/** Cause and remedy, each as a sentence without its end. */
interface Explanation {
  cause: string;
  remedy: string;
}

/** The steps that compile the addon out of the published package. */
const compile =
  'compile it: "npm install node-gyp node-addon-api", then "npx node-gyp rebuild -C node_modules/infcl/source" (needs a C++17 compiler, make and Python)';

export function explainLoadFailure(error: unknown, root: string | undefined): InfclError {
  const failure = { ...readError(error), root };
  const { cause, remedy } = findCause(failure);
  const searched = root === undefined ? '' : ` Searched: ${searchedPlaces(root)}.`;
  return codedError(
    'ERR_BACKEND_UNAVAILABLE',
    `The native addon of infcl could not be loaded: ${cause}. ${remedy}.${searched}`,
    error,
  );
}

function readError(error: unknown): { message: string; code: unknown } {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  return { message: text.split('\n')[0]!.replace(/\.$/, ''), code };
}

/** Asks one after the other, as later ones rely on what the earlier ones found to be right. */
function findCause(failure: Failure): Explanation {
  for (const explain of causes) {
    const explanation = explain(failure);
    if (explanation !== null) return explanation;
  }
  return { cause: failure.message, remedy: `Reinstall the package, or ${howToBuild(failure.root)}` };
}

/** First match wins: what is wrong with the process and the package comes before what is wrong with a file. */
const causes: readonly ((failure: Failure) => Explanation | null)[] = [
  addonsForbidden,
  readsForbidden,
  forbiddenByDeno,
  bundled,
  otherPlatformAsked,
  noBinary,
  brokenFile,
  otherLibc,
  oldSystem,
];

function bundled({ root }: Failure): Explanation | null {
  if (root !== undefined && packageName(root) === 'infcl') return null;
  return {
    cause:
      'infcl was bundled, and so its code is no longer beside its binary' +
      (root === undefined ? '' : ` (${path.join(root, 'package.json')} is not the one of infcl)`),
    remedy:
      'Mark infcl as external in your bundler ("external: [\'infcl\']" in esbuild and rollup, "externals" in webpack), and deploy node_modules/infcl',
  };
}

function addonsForbidden({ code }: Failure): Explanation | null {
  if (code !== 'ERR_DLOPEN_DISABLED') return null;
  return hasPermissionModel()
    ? { cause: 'Node was started with --permission, which forbids addons', remedy: 'Add --allow-addons' }
    : {
        cause: 'addons are disabled in this process or worker by --no-addons',
        remedy: 'Start without --no-addons; look into NODE_OPTIONS and execArgv as well',
      };
}

function readsForbidden({ code, message }: Failure): Explanation | null {
  if (code !== 'ERR_ACCESS_DENIED') return null;
  return {
    cause: `Node was started with --permission, which forbids a file or the addon (${message})`,
    remedy:
      'Add --allow-addons, --allow-fs-read for the folder of your program, and --allow-fs-read=/etc/alpine-release, a file that tells Alpine from other systems',
  };
}

function forbiddenByDeno({ message }: Failure): Explanation | null {
  const missing = /^Requires (\w+) access/.exec(message);
  if (missing === null) return null;
  return {
    cause: `Deno forbids it (${message})`,
    remedy: `Add --allow-${missing[1]}: infcl needs --allow-read, --allow-ffi and --allow-env`,
  };
}

/** Variables by which npm run --arch and others redirect the search. */
const redirections = [
  { name: 'npm_config_platform', actual: () => process.platform },
  { name: 'npm_config_arch', actual: () => process.arch },
];

function otherPlatformAsked({ message }: Failure): Explanation | null {
  if (!isNotFound(message)) return null;
  const wrong = redirections.filter(({ name, actual }) => (variable(name) || actual()) !== actual());
  if (wrong.length === 0) return null;
  const values = wrong.map(({ name }) => `${name}=${variable(name)}`).join(' and ');
  return {
    cause: `the environment asks for a binary of ${wanted()} by ${values}, but this is Node for ${process.platform}-${process.arch}`,
    remedy: `Unset ${wrong.map(({ name }) => name).join(' and ')}`,
  };
}

function noBinary({ message, root }: Failure): Explanation | null {
  if (!isNotFound(message)) return null;
  const shipped = prebuiltFiles(root!);
  const sameSystem = shipped.filter((file) => path.dirname(file) === wanted());
  if (sameSystem.length > 0) {
    return {
      cause: `there is no prebuilt binary for ${wanted()} with the C library ${libc()}, only ${sameSystem.join(', ')}`,
      remedy: variable('LIBC')
        ? 'Unset LIBC, which names the C library, or set it to the right one'
        : `On a system with another C library than ${libc()} set the environment variable LIBC to musl or glibc; else ${howToBuild(root)}`,
    };
  }
  const which = shipped.length > 0 ? `, only ${shipped.join(', ')}` : '';
  return {
    cause: `there is no prebuilt binary for ${wanted()}${which}`,
    remedy: `If node_modules was copied from another machine, install again here; else ${howToBuild(root)}`,
  };
}

/** Reads the header of the file that the search ends at. */
function brokenFile({ root }: Failure): Explanation | null {
  const file = chosenFile(root!);
  if (file === null) return null;
  const { platform, truncated } = readBinaryFile(file) ?? {};
  if (platform === undefined) return null;
  const here = `${process.platform}-${process.arch}`;
  if (truncated) {
    return {
      cause: `${file} is truncated (${fs.statSync(file).size} bytes)`,
      remedy: 'Its download or copy was interrupted: remove node_modules/infcl and install again',
    };
  }
  if (platform === here) return null;
  return {
    cause:
      platform === null
        ? `${file} is no native binary`
        : `${file} is for ${platform}, and this is Node for ${here}`,
    remedy: `node_modules was perhaps copied from another machine: install again here, or ${howToBuild(root)}`,
  };
}

function otherLibc({ message }: Failure): Explanation | null {
  const wantsMusl = /libc\.musl|ld-musl/.test(message);
  const wantsGlibc = /ld-linux|libc\.so\.6: cannot open|Error (relocating|loading shared library)/.test(
    message,
  );
  if (!wantsMusl && !wantsGlibc) return null;
  const [made, other] = wantsMusl ? ['musl', 'glibc'] : ['glibc', 'musl'];
  return {
    cause: `the binary was made for the C library ${made}, and this system has another one (${message})`,
    remedy: `Set the environment variable LIBC=${other}, which chooses the other binary`,
  };
}

function oldSystem({ message, root }: Failure): Explanation | null {
  if (!/GLIBC(XX)?_|CXXABI_/.test(message)) return null;
  return {
    cause: `this system's C or C++ library is older than the one the binary was built with (${message})`,
    remedy: `Use a newer system, or ${howToBuild(root)}`,
  };
}

const isNotFound = (message: string) => message.startsWith('No native build was found');

/** `process.permission` exists with --permission alone. */
const hasPermissionModel = () => (process as { permission?: unknown }).permission !== undefined;

/** A variable of the environment. Deno throws without --allow-env, and that may be why loading failed. */
function variable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}

/** The platform that node-gyp-build looks for. */
const wanted = () =>
  `${variable('npm_config_platform') || process.platform}-${variable('npm_config_arch') || process.arch}`;

const libc = () => variable('LIBC') || (fs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc');

function packageName(root: string): unknown {
  try {
    return (JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}

/** A clone has its build script; the published package has the folder `source`. */
function howToBuild(root: string | undefined): string {
  const isClone = root !== undefined && fs.existsSync(path.join(root, 'scripts', 'build.mjs'));
  return isClone ? 'build it: "npm run build" in the clone (needs CMake and a C++17 compiler)' : compile;
}

function filesOf(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function prebuiltFiles(root: string): string[] {
  const prebuilds = path.join(root, 'prebuilds');
  return filesOf(prebuilds).flatMap((system) =>
    filesOf(path.join(prebuilds, system)).map((file) => path.join(system, file)),
  );
}

/** The file that {@link loadBinding} tries, or null where there is none. */
function chosenFile(root: string): string | null {
  const built = ['source/build/Release', 'build/Release', 'build/Debug'].flatMap((folder) =>
    filesOf(path.join(root, folder))
      .filter((file) => file.endsWith('.node'))
      .map((file) => path.join(root, folder, file)),
  );
  const shipped = prebuiltFiles(root)
    .filter((file) => path.dirname(file) === wanted() && !isOfOtherLibc(path.basename(file)))
    .map((file) => path.join(root, 'prebuilds', file));
  return [...built, ...shipped][0] ?? null;
}

const isOfOtherLibc = (file: string) => /\.(glibc|musl)\./.test(file) && !file.includes(`.${libc()}.`);

function searchedPlaces(root: string): string {
  const places = ['source/build/Release', 'build/Release', `prebuilds/${wanted()}`];
  return `${places.join(', ')} in ${root}`;
}
