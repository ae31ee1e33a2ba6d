/**
 * Runs ranks under real launchers of MPI, from the build in the clone:
 *
 *   node scripts/mpi.mjs install                     Debian's packages openmpi-bin and mpich, where they are missing
 *   node scripts/mpi.mjs build                       the program of test/mpi/communicator.cpp
 *   node scripts/mpi.mjs quick                       two ranks under each MPI, for the gate
 *   node scripts/mpi.mjs all "Open MPI"|MPICH        every scenario under one MPI
 *   node scripts/mpi.mjs all MPICH --only "other calls" --ranks 3     failures on 3 ranks, not on 4
 *   node scripts/mpi.mjs hosts "Open MPI"|MPICH      ranks on hosts of their own, which are network namespaces
 *
 * Each job has a watchdog. No scenario is tried a second time. Exit status 77 where the launcher is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hostScenarios } from './mpi/host-scenarios.mjs';
import { launchers, missingPackages, runJob, runRanks } from './mpi/launchers.mjs';
import { whyNot } from './mpi/namespaces.mjs';
import { all, quick } from './mpi/scenarios.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = 'build-verify/mpi';
const native = join(root, build, 'mpi_communicator');

function fail(text, status = 1) {
  console.error(`mpi: ${text}`);
  process.exit(status);
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail(`${program} failed (${error?.message ?? `exit status ${status}`})`);
}

function install() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing]);
}

function buildNative() {
  run('cmake', ['-S', '.', '-B', build, '-DINFCL_CUDA=OFF']);
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'mpi_communicator']);
}

/** Prints what became of a scenario, and returns how many have failed. */
function report(name, what, begin, complaints) {
  const seconds = ((performance.now() - begin) / 1e3).toFixed(1);
  console.log(`mpi: ${name}: ${what}: ${complaints.length === 0 ? 'ok' : 'FAILED'} after ${seconds} s`);
  for (const complaint of complaints) console.log(`  ${complaint}`);
  return complaints.length > 0 ? 1 : 0;
}

/** Scenarios under one MPI, one after another: each of them has more ranks than this machine may have processors. */
async function runScenarios(name, scenarios, ranks) {
  const other = Object.keys(launchers).find((one) => one !== name);
  const context = {
    run: (count, command, env) => runRanks(name, count, command, { cwd: root, env }),
    runAlone: (command, env) => runJob(command, { cwd: root, env }),
    library: launchers[name].library,
    otherLibrary: launchers[other].library,
    native,
    ranks,
    pages: ['distributed.md', 'training-on-ranks.md']
      .map((name) => readFileSync(join(root, 'docs', name), 'utf8'))
      .join('\n'),
  };
  let failed = 0;
  for (const [what, scenario] of Object.entries(scenarios)) {
    const begin = performance.now();
    const complaints = await scenario(context);
    failed += report(name, what, begin, complaints);
  }
  return failed;
}

/** Scenarios on hosts of their own. */
async function runOnHosts(name, scenarios) {
  const reason = whyNot();
  if (reason) {
    console.log(`NOT CHECKED: ranks on different hosts under ${name}: ${reason}`);
    process.exit(77);
  }
  let failed = 0;
  for (const [what, scenario] of Object.entries(scenarios)) {
    const begin = performance.now();
    failed += report(name, what, begin, await scenario(name, root));
  }
  return failed;
}

/** The scenarios that --only names, or all. */
function chosenOf(scenarios, only) {
  if (only === undefined) return scenarios;
  if (!Object.hasOwn(scenarios, only)) fail(`no scenario "${only}": ${Object.keys(scenarios).join(', ')}`, 2);
  return { [only]: scenarios[only] };
}

function requireLauncher(name) {
  const { program, package: debianPackage } = launchers[name];
  if (!spawnSync(program, ['--version']).error) return;
  console.log(
    `NOT CHECKED: ranks under ${name}: there is no ${program} (Debian: apt-get install ${debianPackage})`,
  );
  process.exit(77);
}

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, ranks: { type: 'string' } },
  allowPositionals: true,
});
const [command, name, ...more] = positionals;
if (more.length > 0) fail(`unexpected ${more.join(' ')}`, 2);
if (command === 'install') {
  install();
} else if (command === 'build') {
  buildNative();
} else if (command === 'quick' && name === undefined) {
  let failed = 0;
  for (const one of Object.keys(launchers)) {
    requireLauncher(one);
    failed += await runScenarios(one, quick);
  }
  process.exit(failed === 0 ? 0 : 1);
} else if (command === 'all' && Object.hasOwn(launchers, name ?? '')) {
  requireLauncher(name);
  if (!/^[2-8]$/.test(values.ranks ?? '4')) fail(`--ranks takes 2 to 8 but received ${values.ranks}`, 2);
  const chosen = chosenOf(all, values.only);
  if (!existsSync(native)) fail('first run "node scripts/mpi.mjs build"', 2);
  process.exit((await runScenarios(name, chosen, values.ranks && Number(values.ranks))) === 0 ? 0 : 1);
} else if (command === 'hosts' && Object.hasOwn(launchers, name ?? '')) {
  requireLauncher(name);
  process.exit((await runOnHosts(name, chosenOf(hostScenarios, values.only))) === 0 ? 0 : 1);
} else {
  fail(`expected install, build, quick, or all or hosts with one of ${Object.keys(launchers).join(', ')}`, 2);
}
