/**
 * The second floor of checks: all that is too slow for every change, in suites of at most 20 minutes.
 * `node scripts/verify.mjs --help` prints the usage. The suites are in verify/suites.mjs.
 *
 * Exit status: 0 where nothing failed, 1 where something did, 2 for a wrong command line. A skipped suite is reported
 * as skipped and does not change the exit status.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isSameCommit, readCheckout } from './verify/checkout.mjs';
import { endCommandsWithThisProcess } from './verify/process.mjs';
import { Progress } from './verify/progress.mjs';
import { readRows, record } from './verify/record.mjs';
import { longestSeconds, runSuite } from './verify/run-suite.mjs';

const here = dirname(fileURLToPath(import.meta.url));

const usage = `usage: node scripts/verify.mjs list | all | <suite>... | --by-commit [options]

  list           print the suites and what each one proves
  all            run every suite
  <suite>...     run these suites
  --by-commit    run one suite in its shorter form, chosen by the hash of the commit, as .ci/run does

  --fresh        forget what passed before at this commit, and run every part
  --record       write the results to docs/verified.md; needs a checkout without uncommitted changes
  --root DIR     the checkout to work on, by default the one that this script is in
  --suites FILE  a module that exports other suites, for tests of this script
  --help         print this text

A part that passed at this commit, without uncommitted changes, is not run again.`;

function refuse(text) {
  console.error(`verify: ${text}\n\n${usage}`);
  process.exit(2);
}

function readCommandLine() {
  try {
    return parseArgs({
      options: {
        'by-commit': { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        root: { type: 'string', default: join(here, '..') },
        suites: { type: 'string', default: join(here, 'verify', 'suites.mjs') },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return refuse(error.message);
  }
}

async function loadSuites(file) {
  let suites;
  try {
    ({ suites } = await import(pathToFileURL(resolve(file)).href));
  } catch (error) {
    refuse(`--suites ${file} cannot be loaded: ${error.message}`);
  }
  if (!Array.isArray(suites) || suites.length === 0) refuse(`${file} does not export a list of suites`);
  for (const { name, limit = longestSeconds } of suites) {
    if (!(limit > 0 && limit <= longestSeconds)) {
      refuse(`the limit of suite ${name} is ${limit} s, expected at most ${longestSeconds}`);
    }
  }
  return suites;
}

/** Every suite has its turn: the hash of a commit is as good as a random number. */
function suiteOfCommit(suites, commit) {
  return suites[Number.parseInt(commit.slice(0, 12), 16) % suites.length];
}

function choose(suites, words, values, checkout) {
  if (values['by-commit']) {
    if (words.length > 0)
      refuse(`--by-commit chooses the suite, so ${words.join(' ')} cannot be given with it`);
    if (values.record) refuse('--record needs whole suites, and --by-commit runs a shorter form');
    if (checkout.commit) return [suiteOfCommit(suites, checkout.commit)];
    console.log(
      `NOT CHECKED: the suite that belongs to this commit: no commit is known (${checkout.reason})`,
    );
    return [];
  }
  if (words.length === 0) refuse('name a suite, or all, or list');
  const names = suites.map((suite) => suite.name);
  const unknown = words.find((word) => word !== 'all' && !names.includes(word));
  if (unknown) refuse(`unknown suite ${unknown}, expected all, list or some of: ${names.join(', ')}`);
  return words.includes('all') ? suites : suites.filter((suite) => words.includes(suite.name));
}

/** A record that names a commit must be of that commit and no other files, and keep the rows of other suites. */
function refuseToRecord(root, { reason, changes }) {
  if (reason) refuse(`--record needs a commit to name: ${reason}`);
  if (changes.length > 0) {
    refuse(
      `--record needs a checkout without uncommitted changes; commit or stash first:\n${changes.join('\n')}`,
    );
  }
  try {
    readRows(root);
  } catch (error) {
    refuse(`--record: ${error.message}`);
  }
}

function openProgress(values, checkout, suite) {
  if (!checkout.commit) return null;
  const progress = new Progress(join(values.root, 'build-verify', 'passed'), suite.name, checkout.commit);
  if (values.fresh) progress.forget();
  return checkout.changes.length === 0 ? progress : null;
}

async function runAll(chosen, suites, values, checkout) {
  const summaries = [];
  for (const suite of chosen) {
    const progress = openProgress(values, checkout, suite);
    const context = { root: values.root, checkout, gate: values['by-commit'], progress };
    summaries.push(await runSuite(suite, context));
    if (!values.record) continue;
    if (!isSameCommit(values.root, checkout)) {
      console.error('verify: files changed during the run, so nothing is recorded');
      process.exit(1);
    }
    record(values.root, suites, summaries, checkout.commit);
  }
  return summaries;
}

function conclude(summaries) {
  console.log('');
  for (const { suite, state, results, seconds } of summaries) {
    const skipped = results.filter((result) => result.state === 'skipped').length;
    const note = state === 'passed' && skipped > 0 ? ` (${skipped} of ${results.length} parts skipped)` : '';
    const shown = state === 'failed' ? 'FAILED' : state;
    console.log(`verify: ${suite.name}: ${shown}${note}, ${seconds.toFixed(1)} s`);
  }
  return summaries.some(({ state }) => state === 'failed') ? 1 : 0;
}

const { values, positionals: words } = readCommandLine();
values.root = resolve(values.root);
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (!existsSync(values.root)) refuse(`--root ${values.root} is not a folder`);
const suites = await loadSuites(values.suites);
if (words.includes('list')) {
  if (words.length > 1 || values['by-commit']) refuse('list takes no other words');
  for (const { name, proves } of suites) console.log(`${name.padEnd(20)} ${proves}`);
  process.exit(0);
}
const checkout = readCheckout(values.root);
const chosen = choose(suites, words, values, checkout);
if (values.record) refuseToRecord(values.root, checkout);
if (checkout.changes?.length > 0) {
  console.log('verify: files differ from the commit, so no earlier result counts and none is kept');
}
endCommandsWithThisProcess();
process.exit(conclude(await runAll(chosen, suites, values, checkout)));
