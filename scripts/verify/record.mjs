/**
 * Writes docs/verified.md: a row for each suite, with the last recorded run. Rows of suites that were not run stay as
 * they are.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const columns = [
  'suite',
  'what it proves',
  'commit',
  'date',
  'passed',
  'skipped, and why',
  'seconds',
  'machine',
];

const introduction = `# What was verified, and when

Some checks of infcl take too long to run for every change. Each row of this table is one group of such checks, called a suite,
with the last recorded run of the suite.

\`node scripts/verify.mjs all --record\` runs all suites and writes this page; [building.md](building.md#the-two-floors-of-checks)
says how to run one of them.

"Passed" means that every part of the suite passed, except those that the next column lists. No row is about a GPU: nothing was
measured on a GPU.
`;

/** Cells of a table are separated by bars and ended by lines. */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

function machine() {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() || 'unknown processor'}`;
}

const list = (results, state) =>
  results
    .filter((result) => result.state === state)
    .map(({ name, why }) => `${name}: ${why}`)
    .join('; ');

const passedCell = {
  passed: () => 'yes',
  skipped: () => 'nothing was run',
  failed: (results) => `**no**: ${list(results, 'failed')}`,
};

function row({ suite, state, results, seconds, ended }, commit) {
  return [
    suite.name,
    suite.proves,
    commit.slice(0, 12),
    ended.slice(0, 10),
    passedCell[state](results),
    list(results, 'skipped') || 'nothing',
    seconds.toFixed(0),
    machine(),
  ].map(cell);
}

const pageOf = (root) => join(root, 'docs', 'verified.md');

/** Rows by the name of their suite. Throws where the page has a table of another shape. */
export function readRows(root) {
  const file = pageOf(root);
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return new Map();
    throw error;
  }
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(/ \| /))
    .filter((cells) => cells[0] !== columns[0] && cells[0] !== '---');
  const odd = rows.find((cells) => cells.length !== columns.length);
  if (odd)
    throw new Error(`${file}: the row of ${odd[0]} has ${odd.length} cells, not ${columns.length}: mend it`);
  return new Map(rows.map((cells) => [cells[0], cells]));
}

const line = (cells) => `| ${cells.join(' | ')} |\n`;

/** `summaries`: what runSuite returned; `suites`: all there are, in the order of the page. */
export function record(root, suites, summaries, commit) {
  const rows = readRows(root);
  for (const summary of summaries) rows.set(summary.suite.name, row(summary, commit));
  const notRun = ({ name, proves }) => [name, cell(proves), '', '', 'not run yet', '', '', ''];
  const known = suites.map((suite) => rows.get(suite.name) ?? notRun(suite));
  const names = new Set(suites.map((suite) => suite.name));
  const others = [...rows.values()].filter(([name]) => !names.has(name));
  const table = [columns, columns.map(() => '---'), ...known, ...others].map(line).join('');
  writeFileSync(pageOf(root), `${introduction}\n${table}`);
}
