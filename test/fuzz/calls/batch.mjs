/**
 * One batch of cases, in a process of its own: `node batch.mjs SEED FIRST COUNT`. Reports each case on
 * descriptor 3 as a line of JSON before and after it, so that the parent knows which case ended the process.
 *
 * Refuses to restart anything, or to end early where nothing was found: a process that does not end by itself
 * has left something running.
 */

import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { knownArguments } from './act.mjs';
import { Case } from './case.mjs';
import * as loss from './kinds-loss.mjs';
import * as other from './kinds-other.mjs';
import { differences, textOf } from './verdict.mjs';

const api = createRequire(import.meta.url)('../../../dist/index.js');
const [seed, first, count, deadlineSeconds] = process.argv.slice(2).map(Number);

const kinds = [
  [5, loss.valid],
  [12, loss.mutated],
  [1, loss.polluted],
  [4, loss.several],
  [1, loss.oneOutput],
  [1, loss.alias],
  [3, other.plan],
  [4, other.step],
  [2, other.device],
];

// Taken now: what a case puts on a prototype must not reach the report.
const { stringify } = JSON;
const report = (line) => writeSync(3, `${stringify(line)}\n`);

let current;
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => {
    const text = `${event}: ${textOf(error)}`;
    if (current) current.complain(text);
    else report({ complaints: [text], number: -1 });
  });
}

const known = api.contrastiveLossAndGradSync(...knownArguments);

function checkKnown(result) {
  const different = differences(known, result);
  if (different.length > 0) current.complain(`the known call has other bits: ${different.join(', ')}`);
}

async function run(number) {
  current = new Case(api, seed, number);
  report({ begin: number });
  const hang = setTimeout(() => {
    report({ number, hang: true, notes: current.notes });
    process.exit(3);
  }, deadlineSeconds * 1000);
  const kind = current.random.weighted(kinds);
  current.notes.push(kind.name);
  try {
    await kind(current, known);
    await current.end();
    checkKnown(api.contrastiveLossAndGradSync(...knownArguments));
  } catch (error) {
    current.complain(`the case, or the known call after it, failed: ${textOf(error)}`);
  }
  clearTimeout(hang);
  current.count(`cases: ${kind.name}`);
  const { complaints, notes, tally } = current;
  report({ number, tally, ...(complaints.length > 0 && { complaints, notes }) });
}

for (let number = first; number < first + count; number++) await run(number);
current.complaints = [];
checkKnown(await api.contrastiveLossAndGrad(...knownArguments));
// what the last case left behind gets its turn
await new Promise((resolve) => setTimeout(resolve, 100));
report({
  done: true,
  complaints: current.complaints,
  number: first + count - 1,
  notes: ['after the last case'],
});
current = undefined;
