/** The sections of the page: one for each group of cases, with charts and, under each chart, the tables. */
import { type Html, html, table } from 'infcl-examples/report/html.js';
import { colour } from 'infcl-examples/report/palette.js';
import { barChart, lineChart } from './page-charts.js';
import { type CaseResult, machineName, type Plot, plotColumns, plotMachines } from './page-series.js';
import { type ChartSpec, groups, type LinesSpec, specs, type VersusSpec } from './page-specs.js';
import { type CaseReport, tableOf } from './report.js';
import type { CommittedResult } from './results.js';

/** Results by the name of their case, in the order of the files. */
function casesByName(results: readonly CommittedResult[]): Map<string, CaseResult[]> {
  const cases = new Map<string, CaseResult[]>();
  for (const { file, report } of results)
    for (const one of report.cases) {
      const found = cases.get(one.name) ?? [];
      cases.set(one.name, [...found, { machine: machineName(file), report: one }]);
    }
  return cases;
}

/** All cases of all results. A case that no group names comes last, so that nothing is missing. */
export function caseSections(results: readonly CommittedResult[], tints: Map<string, string>): Html {
  const cases = casesByName(results);
  const named = new Set(groups.flatMap((group) => group.cases));
  const others = [...cases.keys()].filter((name) => !named.has(name));
  const all =
    others.length > 0
      ? [...groups, { title: 'Other cases', text: 'Cases without a chart.', cases: others }]
      : groups;
  const sections = all.map(({ title, text, cases: names }) => {
    const found = names.filter((name) => cases.has(name));
    if (found.length === 0) return html``;
    return html`<h2>${title}</h2>
<p>${text}</p>
${found.map((name) => caseSection(name, cases.get(name)!, tints))}
${notMeasured(names.filter((name) => !cases.has(name)))}`;
  });
  return html`${sections}`;
}

/** Cases of the bench that no committed result has. */
function notMeasured(names: readonly string[]): Html {
  if (names.length === 0) return html``;
  return html`<p class="note">Not measured yet: ${names.join(', ')}. No committed result has ${names.length === 1 ? 'this case' : 'these cases'}.</p>`;
}

function caseSection(name: string, cases: CaseResult[], tints: Map<string, string>): Html {
  const charts = (specs[name] ?? []).flatMap((spec) => chartsOf(spec, cases, tints));
  // a lone chart has the whole width, where its labels need fewer lines
  const wide = charts.filter(({ isWhole }) => isWhole).map(({ markup }) => markup);
  const narrow = charts.filter(({ isWhole }) => !isWhole).map(({ markup }) => markup);
  return html`<section id="case-${name}">
<h3 class="case">${cases.at(-1)!.report.title} <code>${name}</code></h3>
${wide}
${narrow.length > 0 ? html`<div class="pair">${narrow}</div>` : ''}
${tables(cases, charts.length === 0)}
</section>`;
}

interface PlacedChart {
  markup: Html;
  isWhole: boolean;
}

const card = (title: string, inner: Html) => html`<div class="card"><h4>${title}</h4>${inner}</div>`;
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);

function chartsOf(spec: ChartSpec, cases: CaseResult[], tints: Map<string, string>): PlacedChart[] {
  if (spec.kind === 'versus') return cases.flatMap((one) => versusChart(spec, one));
  const plot = plotMachines(cases, spec.column, spec, tints);
  if (plot.labels.length === 0) return [];
  if (spec.kind === 'lines')
    return [
      { markup: card(capital(spec.what), lineChart(withBeside(plot, spec, cases), spec)), isWhole: false },
    ];
  return [{ markup: card(capital(spec.what), barChart(plot, spec, true)), isWhole: true }];
}

function versusChart(spec: VersusSpec, one: CaseResult): PlacedChart[] {
  const plot = plotColumns(one, spec.columns, spec);
  if (plot.labels.length === 0) return [];
  return [{ markup: card(`${one.machine}: ${spec.what}`, barChart(plot, spec, false)), isWhole: false }];
}

/** The line that is the same on every machine, taken from the result that has most of it. */
function withBeside(plot: Plot, spec: LinesSpec, cases: CaseResult[]): Plot {
  if (!spec.beside) return plot;
  const found = cases.flatMap((one) =>
    plotColumns(one, [spec.beside!], spec).series.map((series) => ({ one, series })),
  );
  const [most] = found.sort((a, b) => b.series.values.length - a.series.values.length);
  if (!most) return plot;
  const own = plotColumns(most.one, [spec.beside], spec);
  const values = plot.labels.map((label) => own.series[0]!.values[own.labels.indexOf(label)] ?? null);
  return { ...plot, series: [...plot.series, { ...own.series[0]!, tint: colour.muted, values }] };
}

function tables(cases: CaseResult[], isOpen: boolean): Html {
  const all = cases.map(({ machine, report }) => html`<h4>${machine}</h4>${caseTable(report)}`);
  return html`<details${isOpen ? html` open` : ''}><summary>All figures as ${cases.length === 1 ? 'a table' : 'tables'}</summary>${all}</details>`;
}

function caseTable(report: CaseReport): Html {
  const notes = [
    ...report.skipped.map((reason) => `Not measured: ${reason}.`),
    ...(report.failed ? [`Failed: ${report.failed}`] : []),
  ].map((text) => html`<p class="note">${text}</p>`);
  if (report.rows.length === 0) return html`${notes}`;
  // the last column is that of targets, which some cases lack
  const [header, ...rows] = tableOf(report).map((row, _, [titles]) =>
    titles!.at(-1) ? row : row.slice(0, -1),
  );
  const isNumeric = (column: number) => rows.every((row) => /^[\d.e+-]*$/.test(row[column]!));
  const columns = header!.map((title, i) => ({ title, numeric: i > 0 && isNumeric(i) }));
  return html`${table(
    columns,
    rows.map((cells) => ({ cells })),
  )}${notes}`;
}
