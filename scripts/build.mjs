/**
 * Builds what `npm install` leaves to be built in a clone: `node scripts/build.mjs [native|ts]`, by default both. npm
 * itself runs it with the word `prepare`, see own-link.mjs.
 * Says by name what the machine lacks before anything is started. Not part of the published package, whose users get
 * prebuilt files.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOwnLink } from './own-link.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const oldestNode = [20, 17];
const oldestCmake = [3, 18];

/** First line of a program's version, or null where it does not start. */
function versionLine(program) {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : null;
}

const numbers = (text) => (/(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
const isOlder = ([major, minor], [wantedMajor, wantedMinor]) =>
  major < wantedMajor || (major === wantedMajor && minor < wantedMinor);

function findCompiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  return candidates.find((name) => {
    const args = ['-std=c++17', '-fsyntax-only', '-x', 'c++', '-'];
    return spawnSync(name, args, { input: '#include <optional>\nint main() {}\n' }).status === 0;
  });
}

/** One line for everything that is missing or too old, with the package that brings it. */
function missingTools() {
  const missing = [];
  if (!findCompiler()) {
    const which = process.env.CXX ? `CXX=${process.env.CXX} does not compile C++17` : 'no C++17 compiler';
    missing.push(`${which}: install g++ 9 or newer (Debian: apt-get install g++)`);
  }
  const cmake = versionLine('cmake');
  const wanted = oldestCmake.join('.');
  if (!cmake) missing.push(`no CMake: install ${wanted} or newer (Debian: apt-get install cmake)`);
  else if (isOlder(numbers(cmake), oldestCmake))
    missing.push(`${cmake} is too old: install ${wanted} or newer`);
  if (!versionLine('make') && !versionLine('ninja')) {
    missing.push('neither make nor ninja: install one (Debian: apt-get install make)');
  }
  return missing;
}

function fail(lines) {
  console.error(`infcl cannot be built here:\n${lines.map((line) => `  - ${line}`).join('\n')}`);
  process.exit(1);
}

function run(what, script, args) {
  console.log(`infcl: ${what}`);
  const { status, signal } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail([`${what} failed (${signal ?? `exit status ${status}`}), see above`]);
}

function buildNative() {
  const missing = missingTools();
  if (missing.length > 0) fail(missing);
  run('compiling the addon and the native tests', require.resolve('cmake-js/bin/cmake-js'), [
    'compile',
    '--parallel',
    '2',
  ]);
}

/**
 * A CommonJS build and an ES module that re-exports it by name: one native instance for both ways of importing.
 * The module asks for the package by its own name, so even a bundle finds the package in node_modules. `import` of
 * the CommonJS file would give tools that transform modules, such as Vitest, a module without names.
 */
function writeEsmWrapper(path, specifier) {
  const names = Object.keys(require(join(root, 'dist', `${path}.js`)));
  const base = path.split('/').pop();
  const exported = names.map((name) => `export const ${name} = cjs.${name};\n`).join('');
  const note = '// Written by scripts/build.mjs from the names of the CommonJS build.\n';
  const load = `import { createRequire } from 'node:module';

function load() {
  try {
    return createRequire(import.meta.url)('${specifier}');
  } catch (cause) {
    const why = 'infcl was bundled, and node_modules/infcl is not beside the bundle: mark infcl as external in your bundler, and deploy node_modules/infcl';
    throw cause?.code === 'MODULE_NOT_FOUND' || !import.meta.url ? new Error(why, { cause }) : cause;
  }
}

const cjs = load();
`;
  writeFileSync(join(root, 'dist', `${path}.mjs`), `${note}${load}${exported}`);
  writeFileSync(join(root, 'dist', `${path}.d.mts`), `${note}export * from './${base}.js';\n`);
}

function buildTypeScript() {
  const tsc = require.resolve('typescript/bin/tsc');
  run('compiling lib', tsc, ['-p', 'lib']);
  writeEsmWrapper('index', 'infcl');
  writeEsmWrapper('data/index', 'infcl/data');
  writeEsmWrapper('distributed/index', 'infcl/distributed');
  writeEsmWrapper('evaluation/index', 'infcl/evaluation');
  writeEsmWrapper('distributed/mpi', 'infcl/mpi');
  writeEsmWrapper('adapters/jax', 'infcl/jax');
  writeEsmWrapper('adapters/onnx', 'infcl/onnx');
  writeEsmWrapper('adapters/tfjs', 'infcl/tfjs');
  // Private workspaces: part of a clone only.
  for (const workspace of ['examples', 'bench']) {
    const config = join(root, workspace, 'tsconfig.json');
    if (existsSync(config)) run(`compiling ${workspace}`, tsc, ['-p', workspace]);
  }
}

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
if (isOlder(numbers(process.versions.node), oldestNode)) {
  fail([`Node ${process.versions.node} is too old: package.json asks for ${engines.node}`]);
}
const part = process.argv[2] ?? 'all';
if (!['all', 'native', 'ts', 'prepare'].includes(part)) fail([`unknown part ${part}: expected native or ts`]);
if (part === 'prepare' && isOwnLink(process.env, root)) {
  console.log('infcl: npm prepares the clone itself next, and shows that build');
} else {
  if (part !== 'ts') buildNative();
  if (part !== 'native') buildTypeScript();
}
