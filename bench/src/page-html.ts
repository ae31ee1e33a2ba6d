/** The page of results: one HTML file that needs nothing else, neither network nor script. */
import { type Html, html, trustedHtml } from 'infcl-examples/report/html.js';
import { style } from 'infcl-examples/report/palette.js';
import { caseSections } from './page-sections.js';
import { machineName, tintsOf } from './page-series.js';
import { pageStyle } from './page-style.js';
import { isMet } from './report.js';
import type { CommittedResult } from './results.js';

/** `commitOf` tells which commit brought a file, for results that name no commit themselves. */
export function renderPage(
  results: readonly CommittedResult[],
  commitOf: (path: string) => string | undefined,
): string {
  const tints = tintsOf(results);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>infcl: measurements</title>
<style>${trustedHtml(style + pageStyle)}</style>
</head>
<body>
<main>
<p class="eyebrow">infcl measurements</p>
<h1>Exact contrastive loss: time and memory, measured</h1>
<p class="lead">Every committed result of <code>npm run bench:cpu</code>. Contestants are compared within one run on one
machine. Seconds belong to the machine on which they were measured.</p>
${tiles(results)}
${caseSections(results, tints)}
<h2>Machines and runs</h2>
<p>One card for each file in <code>bench/results</code>. Charts name a run by its file.</p>
<div class="machines">${results.map((result) => runCard(result, commitOf))}</div>
<footer><p>Written by <code>npm run bench:page</code> from the files above. docs/measuring.md says how each case is measured.</p></footer>
</main>
</body>
</html>
`.text;
}

function tiles(results: readonly CommittedResult[]): Html {
  const cases = results.flatMap(({ report }) => report.cases);
  const rows = cases.flatMap((one) => one.rows);
  const targets = rows.flatMap((row) => row.targets ?? []);
  const dates = results.map(({ report }) => report.date.slice(0, 10)).sort();
  const tile = (value: string | number, text: string) =>
    html`<div class="tile"><b>${value}</b><span>${text}</span></div>`;
  return html`<div class="tiles">
${tile(results.length, `runs, the last one of ${dates.at(-1)!}`)}
${tile(new Set(cases.map(({ name }) => name)).size, 'cases')}
${tile(rows.length, 'rows of figures')}
${tile(`${targets.filter(isMet).length} of ${targets.length}`, 'targets met, over all runs')}
</div>`;
}

/** Where the figures come from: machine, day, commit, command. */
function runCard(
  { file, path, report }: CommittedResult,
  commitOf: (path: string) => string | undefined,
): Html {
  const { date, commit, command, machine, cases } = report;
  const brought = commitOf(path);
  const facts: [string, string | number][] = [
    ['date', `${date.slice(0, 16).replace('T', ' ')} UTC`],
    ['commit', commit ?? `not recorded${brought ? `; the file came with ${brought}` : ''}`],
    ['command', command ?? 'npm run bench:cpu, options not recorded'],
    ['cases', cases.map(({ name }) => name).join(', ')],
    ...Object.entries(machine),
  ];
  return html`<div class="card" id="run-${machineName(file)}"><h4>${file}</h4>
<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></div>`;
}
