/**
 * Prints a line "NOT CHECKED: ..." for each test that a report lists as skipped, with the reason where the report has
 * one: `node scripts/verify/not-checked.mjs ctest|jest <report>`, where the report is of `ctest --output-junit` or of
 * `jest --json --outputFile`. A report that is missing or lists no test is an error: else "nothing skipped" could mean
 * "nothing read".
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

function fail(text, status) {
  console.error(`not-checked: ${text}`);
  process.exit(status);
}

const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const decode = (text) => text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name) => entities[name]);

/** The line in which the test itself says why, else ctest's word for the rule that the test was skipped by. */
function ctestReason(body) {
  const output = decode(/<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '').trim();
  const said = /NOT RUN: (.*(?:\n.+)*)/.exec(output)?.[1] ?? output.split('\n').at(-1);
  return (said || decode(/<skipped message="([^"]*)"/.exec(body)?.[1] ?? 'no reason given')).replaceAll(
    /\s+/g,
    ' ',
  );
}

function readCtest(text) {
  const cases = [
    ...text.matchAll(/<testcase name="([^"]*)"[^>]*? status="(\w+)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
  ];
  const skipped = cases
    .filter(([, , status]) => status !== 'run' && status !== 'fail')
    .map(([, name, , body]) => `native test ${decode(name)}: ${ctestReason(body ?? '')}`);
  return { tests: cases.length, skipped };
}

function readJest(text) {
  const files = JSON.parse(text).testResults;
  const cases = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: relative(process.cwd(), name) })),
  );
  const skipped = cases
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ file, fullName }) => `jest test in ${file}: ${fullName}`);
  return { tests: cases.length, skipped };
}

const readers = { ctest: readCtest, jest: readJest };
const [kind, file, ...more] = process.argv.slice(2);
if (!Object.hasOwn(readers, kind ?? '') || file === undefined || more.length > 0) {
  fail('usage: node scripts/verify/not-checked.mjs ctest|jest <report>', 2);
}
let report;
try {
  report = readers[kind](readFileSync(file, 'utf8'));
} catch (error) {
  fail(`${file} is no report of ${kind} (${error.message})`, 1);
}
if (report.tests === 0) fail(`${file} lists no tests: ${kind} ran none, or writes another form of report`, 1);
for (const line of report.skipped) console.log(`NOT CHECKED: ${line}`);
