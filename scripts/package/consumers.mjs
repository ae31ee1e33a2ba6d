/**
 * Installs the packed package into empty projects of users, one for each consumer, and runs programs there: the work of
 * the suite `consumers`. `node scripts/package/consumers.mjs --help` prints the usage.
 *
 * Exit status: 0 where all that could be run worked, 1 where one did not, 2 for a wrong command line, 77 where nothing
 * could be run.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rows as bundlers } from './consumers/bundlers.mjs';
import { rows as managers, sourceRows } from './consumers/managers.mjs';
import { rows as node } from './consumers/node.mjs';
import { Project } from './consumers/project.mjs';
import { rows as testRunners } from './consumers/test-runners.mjs';
import { rows as typescript } from './consumers/typescript.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const work = join(root, 'build-verify', 'consumers');
const groups = { node, typescript, bundlers, 'test-runners': testRunners, managers, source: sourceRows };

const usage = `usage: node scripts/package/consumers.mjs pack | list | GROUP [WORD]

  pack    stage and pack the package, which the groups install
  list    print the consumers as rows of the table in docs/installing.md
  GROUP   one of: ${Object.keys(groups).join(', ')}
  WORD    run only the consumers whose name contains the word`;

function refuse(text) {
  console.error(`consumers: ${text}\n\n${usage}`);
  process.exit(2);
}

const here = `${process.platform}-${process.arch}`;

/** The binaries of a release where prebuilds/ has one for this machine; else the addon of this checkout. */
function chooseBinaries() {
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  const name = process.platform === 'linux' ? `infcl.${isGlibc ? 'glibc' : 'musl'}.node` : 'infcl.node';
  const released = join(root, 'prebuilds');
  if (existsSync(join(released, here, name))) return { folder: released, limit: '10' };
  console.log(
    `NOT CHECKED: consumers: the binary of a release, since prebuilds/ has none for ${here}; the addon of this checkout stands for it`,
  );
  const folder = join(work, 'prebuilds');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, here), { recursive: true });
  cpSync(join(root, 'build', 'Release', 'infcl.node'), join(folder, here, name));
  return { folder, limit: '100' };
}

function runScript(file, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', file), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

function pack() {
  const { folder, limit } = chooseBinaries();
  const stage = join(work, 'stage');
  const into = join(work, 'tarball');
  rmSync(into, { recursive: true, force: true });
  runScript('stage.mjs', '--out', stage, '--prebuilds', folder);
  runScript(
    'package/pack-check.mjs',
    '--stage',
    stage,
    '--tested',
    folder,
    '--into',
    into,
    '--max-mb',
    limit,
  );
}

function packedFile() {
  const folder = join(work, 'tarball');
  const [file] = existsSync(folder) ? readdirSync(folder) : [];
  if (file === undefined)
    refuse('there is no packed package: run "node scripts/package/consumers.mjs pack" first');
  return join(folder, file);
}

/** One line for each consumer. Returns whether it worked; null where it could not be run. */
function runRow(row, tarball) {
  const what = [row.name, ...row.tools].join(', ');
  if (row.needs && row.needs.platform !== here) {
    console.log(`NOT CHECKED: consumers: ${what}: this tool is for ${row.needs.platform}`);
    return null;
  }
  const started = Date.now();
  const project = new Project(tarball);
  try {
    row.run(project);
    console.log(`ok after ${((Date.now() - started) / 1000).toFixed(1)} s: ${what}`);
    return true;
  } catch (error) {
    console.log(`FAILED: ${what}: ${error.message}`);
    return false;
  } finally {
    project.remove();
  }
}

function runGroup(rows, word) {
  const chosen = rows.filter(({ name, tools }) => `${name} ${tools}`.includes(word));
  if (chosen.length === 0) refuse(`no consumer has "${word}" in its name`);
  const tarball = packedFile();
  const results = chosen.map((row) => runRow(row, tarball));
  if (results.every((result) => result === null)) process.exitCode = 77;
  if (results.includes(false)) process.exitCode = 1;
}

const [command, word = '', ...more] = process.argv.slice(2);
if (command === '--help') console.log(usage);
else if (command === undefined || more.length > 0) refuse('name one group');
else if (command === 'pack') pack();
else if (command === 'list') {
  for (const { name, tools } of Object.values(groups).flat())
    console.log(`| ${name} | ${tools.join(', ')} |`);
} else if (Object.hasOwn(groups, command)) runGroup(groups[command], word);
else refuse(`unknown group "${command}"`);
