/**
 * Random calls of the public API, hostile objects included: `npm run test:calls -- --minutes 60 [--seed N]`. Runs batches
 * of cases in child processes and sums up. A failure is printed with its seed and case; `--seed N --only CASE` runs that
 * case alone. Exit code 0 only where nothing was found. INFCL_ISA chooses an instruction set, as for every call.
 *
 * Refuses to judge a result: calls/ does. What is judged here is how a child ended.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const batch = fileURLToPath(new URL('calls/batch.mjs', import.meta.url));
const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    cases: { type: 'string' },
    batch: { type: 'string', default: '250' },
    // how many are enough
    failures: { type: 'string', default: '50' },
    // in seconds, of one case and of the end of a child after its last case
    deadline: { type: 'string', default: '60' },
  },
});
const seed = readNumber('seed', values.seed ?? String(Date.now() % 1e6));
const minutes = readNumber('minutes', values.minutes ?? (values.cases === undefined ? '1' : 'Infinity'));
const cases = readNumber('cases', values.cases ?? 'Infinity');
const mostFailures = readNumber('failures', values.failures);
const batchSize = readNumber('batch', values.batch);
const deadlineSeconds = readNumber('deadline', values.deadline);

function readNumber(name, text) {
  const number = Number(text);
  if (number >= 0) return number;
  console.error(`random-calls: expected a number for --${name} but received ${text}`);
  process.exit(2);
}

const totals = {};
let failures = 0;

function fail(number, what, notes = []) {
  failures += 1;
  console.log(`FAILED --seed ${seed} --only ${number}: ${what}\n  (${notes.join('; ')})`);
}

/** Runs cases from `first` on; returns the number of the first case that has not been run. */
async function runBatch(first, count) {
  const child = spawn(process.execPath, [batch, seed, first, count, deadlineSeconds].map(String), {
    stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
  });
  const state = { at: first - 1, ended: first - 1, done: false, silent: undefined, hung: false };
  const kill = () => {
    state.hung = true;
    child.kill('SIGKILL');
  };
  const wait = () => {
    clearTimeout(state.silent);
    // the child itself sees a promise that never settles first; this is for a loop that never ends
    state.silent = setTimeout(kill, 1.5 * deadlineSeconds * 1000);
  };
  wait();
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  createInterface({ input: child.stdio[3] }).on('line', (line) => {
    wait();
    take(state, JSON.parse(line));
  });
  const [code, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)));
  clearTimeout(state.silent);
  judgeEnd(state, code, signal, said);
  return state.done ? first + count : Math.max(first, state.at + 1);
}

/** One line of a child. */
function take(state, line) {
  if (line.begin !== undefined) state.at = line.begin;
  if (line.done) state.done = true;
  if (line.hang) {
    state.hung = true;
    fail(line.number, `not settled after ${deadlineSeconds} s`, line.notes);
  }
  for (const [name, count] of Object.entries(line.tally ?? {})) totals[name] = (totals[name] ?? 0) + count;
  for (const complaint of line.complaints ?? []) fail(line.number, complaint, line.notes);
  if (line.tally) state.ended = line.number;
}

function judgeEnd(state, code, signal, said) {
  if (said !== '') fail(state.at, `on stderr: ${said.slice(0, 2000)}`);
  if (signal === 'SIGKILL' && state.hung) {
    fail(state.at, state.done ? 'the process did not end after its last case' : 'the event loop stood still');
  } else if (signal !== null) {
    fail(state.at, `the process ended by ${signal}`);
  } else if (code !== 0 && !state.hung) {
    fail(state.at, `the process ended with exit code ${code}`);
  } else if (!state.done && !state.hung) {
    fail(state.at, 'the process ended before its case had settled');
  }
}

async function runAll() {
  if (values.only !== undefined) return runBatch(readNumber('only', values.only), 1);
  const end = performance.now() + minutes * 60_000;
  let number = 0;
  while (number < cases && failures < mostFailures && performance.now() < end) {
    number = await runBatch(number, Math.min(batchSize, cases - number));
  }
  return number;
}

console.log(`random-calls: seed ${seed}, instruction set ${process.env.INFCL_ISA ?? 'the best there is'}`);
const ran = await runAll();
for (const name of Object.keys(totals).sort()) console.log(`  ${name.padEnd(28)} ${totals[name]}`);
console.log(`random-calls: ${values.only === undefined ? `${ran} cases, ` : ''}${failures} failures`);
process.exitCode = failures > 0 || (totals.fulfilled ?? 0) + (values.only ? 1 : 0) === 0 ? 1 : 0;
