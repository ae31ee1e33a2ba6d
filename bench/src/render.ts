/**
 * npm run render --workspace bench: writes the committed results into the documentation, as tables, charts and figures
 * within sentences, so that none is typed by hand. With --check it writes nothing, and exits with 1 where a page or
 * a chart says something else than the results. --root names another copy of the project, for tests.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chartFiles } from './render-charts.js';
import { claims } from './render-claims.js';
import { type Claim, fillFigures, placesOf } from './render-figures.js';
import { fillTables } from './render-tables.js';
import { type CommittedResult, readResults } from './results.js';
import { projectFolder } from './toolchain.js';

/** Pages whose figures come from results. A page without claims is here for the names of result files. */
const pages = [
  'README.md',
  'docs/performance.md',
  'docs/comparison.md',
  'docs/measuring.md',
  'docs/tuning-notes.md',
  'docs/cpu.md',
  'docs/numerics.md',
  'docs/trainer.md',
  'bench/results/tables.md',
];
const pageOfTables = 'bench/results/tables.md';

interface Expected {
  text: string;
  /** What the page says otherwise, which writing `text` mends. */
  differences: string[];
  /** What only a person can mend. */
  faults: string[];
}

function expectedPage(page: string, before: string, results: readonly CommittedResult[]): Expected {
  const own = claims(results).filter((claim) => claim.page === page);
  const filled = fillFigures(before, own);
  const differences = filled.differences.map(
    ({ found, expected, sentence }) =>
      `${page} says ${found} where results say ${expected}, in "${sentence}"`,
  );
  const faults = filesWithoutClaims(page, filled.text, results, own);
  if (page !== pageOfTables) return { text: filled.text, differences, faults };
  const text = fillTables(filled.text, results);
  if (text !== filled.text) differences.push(`${page}: the tables are not those of bench/results`);
  return { text, differences, faults };
}

/**
 * Paragraphs that cite a result file must have figures that the script writes: otherwise the figures beside the name
 * were typed by hand. Names of files that do not exist are errors too.
 */
function filesWithoutClaims(
  page: string,
  text: string,
  results: readonly CommittedResult[],
  own: readonly Claim[],
): string[] {
  const places = placesOf(text, own);
  const prose = text.split('<!-- results:')[0]!;
  const complaints: string[] = [];
  // a table belongs to the paragraph above it
  for (const { 0: paragraph, index } of prose.matchAll(/(?:[^\n]|\n(?!\n)|\n\n(?=\|))+/g)) {
    for (const [, file] of paragraph.matchAll(/`([a-z0-9-]+\.json)`/g)) {
      if (!results.some((result) => result.file === file))
        complaints.push(`${page} names ${file}, which is not in bench/results`);
      const isCovered = places.some(({ from }) => from >= index && from < index + paragraph.length);
      if (!isCovered)
        complaints.push(`${page} cites ${file} for figures that render-claims.ts does not have`);
    }
  }
  return complaints;
}

function main(): void {
  const { values } = parseArgs({
    options: { check: { type: 'boolean', default: false }, root: { type: 'string', default: projectFolder } },
  });
  const root = resolve(process.env.INIT_CWD ?? process.cwd(), values.root);
  const results = readResults(root);
  let [differing, faulty] = [0, 0];
  for (const page of pages) {
    const path = join(root, page);
    const before = readFileSync(path, 'utf8');
    const { text, differences, faults } = expectedPage(page, before, results);
    for (const line of [...differences, ...faults]) console.log(line);
    if (!values.check && text !== before) writeFileSync(path, text);
    differing += differences.length;
    faulty += faults.length;
  }
  for (const { path, svg } of chartFiles(results)) {
    const file = join(root, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === svg) continue;
    console.log(`${path} is not the chart of bench/results`);
    if (!values.check) writeFileSync(file, svg);
    differing += 1;
  }
  const done = values.check ? '' : ' (now written)';
  console.log(
    `${results.length} results: ${differing} differences${done}, ${faulty} other faults in the pages`,
  );
  if (values.check && differing > 0) console.log('To write the figures: npm run render --workspace bench');
  if (faulty > 0 || (values.check && differing > 0)) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
