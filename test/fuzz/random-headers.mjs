/**
 * Random files of features, whole and damaged: `npm run test:headers -- --minutes 60 [--seed N]`. A whole file must be
 * read as it was made. A damaged one must be read within its bounds or refused, in bounded time and memory. A failure is
 * printed with its seed and case; `--seed N --only CASE` runs that case alone. Exit code 0 only where nothing was found.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { Random } from './calls/random.mjs';
import { damage, wholeFile } from './headers/files.mjs';
import { judge } from './headers/verdict.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    cases: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const seed = readNumber('seed', values.seed ?? String(Date.now() % 1e6));
const minutes = readNumber('minutes', values.minutes ?? (values.cases === undefined ? '1' : 'Infinity'));
const cases = readNumber('cases', values.cases ?? 'Infinity');
const mostFailures = 50;

const tally = new Map();
let failures = 0;
let inputs = 0;

function readNumber(name, text) {
  const number = Number(text);
  if (number >= 0) return number;
  console.error(`random-headers: expected a number for --${name} but received ${text}`);
  process.exit(2);
}

function count(name) {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}

function fail(number, what, bytes) {
  failures += 1;
  const start = bytes.subarray(0, 600).toString('latin1');
  console.log(`FAILED --seed ${seed} --only ${number}: ${what}\n  ${JSON.stringify(start)}`);
}

/** One whole file, and it again with one to three kinds of damage, more with each step. */
async function runCase(number) {
  const random = new Random(seed, number);
  const whole = wholeFile(random);
  const { layout, complaints } = await judge(whole.bytes, whole.tensor);
  inputs += 1;
  count('whole');
  if (!isDeepStrictEqual(layout, whole.expected)) {
    complaints.push(
      `a whole file was read as ${JSON.stringify(layout)} and not ${JSON.stringify(whole.expected)}`,
    );
  }
  for (const complaint of complaints) fail(number, complaint, whole.bytes);
  let { bytes } = whole;
  for (let step = random.integer(1, 3); step > 0; step--) {
    if (bytes.length < 8) return;
    bytes = damage(random, { bytes, format: whole.format });
    const verdict = await judge(bytes, whole.tensor);
    inputs += 1;
    count(verdict.reason);
    for (const complaint of verdict.complaints) fail(number, complaint, bytes);
  }
}

async function runAll() {
  if (values.only !== undefined) return runCase(readNumber('only', values.only));
  const end = performance.now() + minutes * 60_000;
  for (let number = 0; number < cases && failures < mostFailures && performance.now() < end; number++) {
    await runCase(number);
  }
}

console.log(`random-headers: seed ${seed}`);
const begin = performance.now();
await runAll();
for (const [name, number] of [...tally].sort((a, b) => b[1] - a[1]))
  console.log(`  ${String(number).padStart(9)} ${name}`);
const seconds = Math.round((performance.now() - begin) / 1000);
console.log(`random-headers: ${inputs} files in ${seconds} s, ${failures} failures`);
process.exitCode = failures > 0 || inputs === 0 ? 1 : 0;
