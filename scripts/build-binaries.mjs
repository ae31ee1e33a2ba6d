/**
 * Builds the binaries that the package ships: `node scripts/build-binaries.mjs [TARGET ...]`. Without a target, all
 * targets whose compilers are here are built, and the others are listed with what they need. Each binary must pass the
 * gates of its target (binaries/gates.mjs) before the file is put into `prebuilds/`.
 *
 * Exit status: 0 where every chosen target was built, 1 where one was not, 2 for a wrong command line.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError } from './binaries/command.mjs';
import { loadTarget, targetNames } from './binaries/targets.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const usage = `usage: node scripts/build-binaries.mjs [TARGET ...]

  TARGET   one of: ${targetNames.join(', ')}
           without a target: all whose compilers are on this machine

  --list   print the targets, and what this machine lacks for each one
  --help   print this text

The binaries are written to prebuilds/, and what is between to build-binaries/.`;

function refuse(text) {
  console.error(`build-binaries: ${text}\n\n${usage}`);
  process.exit(2);
}

/** The targets that the command line names, none twice. */
function readTargets(words) {
  const unknown = words.find((word) => !targetNames.includes(word));
  if (unknown?.startsWith('-')) refuse(`unknown option ${unknown}`);
  if (unknown !== undefined) refuse(`unknown target "${unknown}"`);
  return [...new Set(words)];
}

/** Every target needs the headers of Node-API, which `npm install` brings. */
function requireHeaders() {
  const require = createRequire(join(root, 'package.json'));
  try {
    for (const name of ['node-addon-api', 'node-api-headers']) require.resolve(`${name}/package.json`);
  } catch {
    console.error('build-binaries: the headers of Node-API are missing: run "npm ci --ignore-scripts" first');
    process.exit(1);
  }
}

async function buildTarget(target) {
  const work = join(root, 'build-binaries', target.name);
  const output = join(root, target.output);
  const unchecked = join(work, 'unchecked.node');
  console.log(`\n== ${target.name}`);
  rmSync(output, { force: true });
  mkdirSync(work, { recursive: true });
  await target.build({ root, work, output: unchecked });
  const complaints = target.check(unchecked, root);
  if (complaints.length > 0) {
    const lines = complaints.map((line) => `  - ${line}`).join('\n');
    throw new BuildError(
      `the binary did not pass the gates of ${target.name}:\n${lines}\nThe file: ${unchecked}`,
    );
  }
  mkdirSync(dirname(output), { recursive: true });
  renameSync(unchecked, output);
  console.log(`-- ${target.output}: ${statSync(output).size.toLocaleString('en')} bytes, all gates passed`);
}

async function buildAll(targets) {
  const failed = [];
  for (const target of targets) {
    try {
      await buildTarget(target);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      console.error(`build-binaries: ${target.name}: ${error.message}`);
      failed.push(target.name);
    }
  }
  return failed;
}

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(usage);
  process.exit(0);
}
const wantsList = words.includes('--list');
const named = readTargets(words.filter((word) => word !== '--list'));
if (wantsList && named.length > 0) refuse('--list takes no targets');

const targets = await Promise.all((named.length > 0 ? named : targetNames).map(loadTarget));
const lacking = new Map(
  targets.map((target) => [target, target.missing()]).filter(([, lines]) => lines.length > 0),
);
if (wantsList) {
  for (const target of targets) {
    const built = existsSync(join(root, target.output)) ? 'built' : 'not built';
    console.log(
      `${target.name.padEnd(18)} ${built.padEnd(10)} ${lacking.get(target)?.join('; ') ?? ''}`.trimEnd(),
    );
  }
  process.exit(0);
}
for (const [target, lines] of lacking) {
  console.error(`NOT BUILT: ${target.name}: this machine lacks ${lines.join('; ')}`);
}
if (lacking.size > 0 && (named.length > 0 || lacking.size === targets.length)) process.exit(1);
requireHeaders();
const failed = await buildAll(targets.filter((target) => !lacking.has(target)));
process.exit(failed.length > 0 ? 1 : 0);
