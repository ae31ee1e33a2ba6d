/**
 * The native tests (ctest) on another system: `node scripts/binaries/native-tests.mjs PART TARGET`. The parts are
 *
 *   build   compiles the tests that a build without CUDA has, with the compiler and the flags of the target's binary
 *   run     runs them by an emulator of the target (runtimes.mjs), two at a time. Options: --only NAME and --except NAME, more
 *           than once, choose among the tests
 *
 * `build-verify/tests-TARGET` holds the programs.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BuildError, capture, run } from './command.mjs';
import { emulators } from './runtimes.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Arguments by which CMake compiles for the target, beside the emulator. */
const settings = {
  'linux-arm64-glibc': [
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
  ],
  'win32-x64': [
    '-DCMAKE_SYSTEM_NAME=Windows',
    '-DCMAKE_SYSTEM_PROCESSOR=x86_64',
    '-DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++-posix',
    '-DCMAKE_CXX_FLAGS=-Wa,-muse-unaligned-vector-move', // win32-x64.mjs says why
    '-DCMAKE_EXE_LINKER_FLAGS=-static',
  ],
};

const folderOf = (target) => join(root, 'build-verify', `tests-${target}`);

function build(target) {
  const { command } = emulators[target].start(root);
  run('cmake', [
    ...['-S', root, '-B', folderOf(target), '-DCMAKE_BUILD_TYPE=Release', '-DINFCL_CUDA=OFF'],
    // ctest starts each program by this command
    ...[`-DCMAKE_CROSSCOMPILING_EMULATOR=${command.join(';')}`, ...settings[target]],
  ]);
  run('cmake', ['--build', folderOf(target), '--parallel', '2']);
}

/** Names of all tests of a build. */
function testNames(target) {
  const list = JSON.parse(capture('ctest', ['--test-dir', folderOf(target), '--show-only=json-v1']));
  return list.tests.map(({ name }) => name);
}

const exactly = (names) => `^(${names.join('|')})$`;

function runTests(target, { only = [], except = [] }) {
  if (!existsSync(join(folderOf(target), 'CTestTestfile.cmake'))) {
    throw new BuildError(`no tests in ${folderOf(target)}: run the part "build" first`);
  }
  const known = testNames(target);
  const unknown = [...only, ...except].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new BuildError(
      `no test has the name ${unknown.join(' or ')}, expected some of: ${known.join(', ')}`,
    );
  }
  const { env } = emulators[target].start(root);
  const report = join(folderOf(target), 'report.xml');
  rmSync(report, { force: true });
  run(
    'ctest',
    [
      ...['--test-dir', folderOf(target), '--output-on-failure', '--parallel', '2', '--no-tests=error'],
      ...['--output-junit', report],
      ...(only.length > 0 ? ['--tests-regex', exactly(only)] : []),
      ...(except.length > 0 ? ['--exclude-regex', exactly(except)] : []),
    ],
    { env: { ...process.env, ...env } },
  );
  // one line for each test that said why it could not run
  run(process.execPath, [join(root, 'scripts', 'verify', 'not-checked.mjs'), 'ctest', report]);
}

const usage = `usage: node scripts/binaries/native-tests.mjs build TARGET
       node scripts/binaries/native-tests.mjs run TARGET [--only NAME]... [--except NAME]...
  TARGET   ${Object.keys(settings).join(' | ')}`;

function readCommandLine() {
  const names = { type: 'string', multiple: true };
  try {
    const { values, positionals } = parseArgs({
      options: { only: names, except: names },
      allowPositionals: true,
    });
    const [part, target, ...rest] = positionals;
    const chooses = values.only !== undefined || values.except !== undefined;
    const isKnown = part === 'run' || (part === 'build' && !chooses);
    return isKnown && Object.hasOwn(settings, target ?? '') && rest.length === 0
      ? { part, target, values }
      : null;
  } catch {
    return null;
  }
}

function main() {
  const words = readCommandLine();
  if (!words) {
    console.error(usage);
    return 2;
  }
  const { part, target, values } = words;
  const missing = emulators[target].missing();
  if (missing) {
    console.log(`NOT CHECKED: native tests of ${target}: ${missing}`);
    return 77; // scripts/verify.mjs: the part could not check anything
  }
  try {
    if (part === 'build') build(target);
    else runTests(target, values);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`native-tests: ${error.message}`);
    return 1;
  }
}

process.exit(main());
