/**
 * Writes the results of a bench run into docs/performance.md, between its two markers, so that no figure
 * there is typed by hand: node bench/dist/render.js [bench/results/<cpu>.json]. Refuses quick runs.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type BenchReport, type CaseReport, tableOf } from './report.js';
import { benchFolder, projectFolder } from './toolchain.js';

const begin = '<!-- results: written by bench/src/render.ts, do not edit -->';
const end = '<!-- end of results -->';

function caseMarkdown(report: CaseReport): string {
  const lines = [`#### ${report.title} (\`${report.name}\`)`, ''];
  if (report.rows.length > 0) {
    const [header, ...rows] = tableOf(report);
    lines.push(`| ${header.join(' | ')} |`, `|${header.map(() => ' --- ').join('|')}|`);
    for (const row of rows) lines.push(`| ${row.join(' | ')} |`);
    lines.push('');
  }
  for (const skipped of report.skipped) lines.push(`Not measured: ${skipped}.`, '');
  if (report.failed) lines.push(`Failed: ${report.failed}`, '');
  return lines.join('\n');
}

function reportMarkdown(name: string, { date, machine, cases }: BenchReport): string {
  const facts = Object.entries(machine).map(([key, value]) => `${key} ${value}`);
  const head = [
    `### ${machine.cpu}, ${machine.processors} processors: \`${name}\``,
    '',
    `${date.slice(0, 10)}; ${facts.join('; ')}.`,
  ];
  return [...head, '', ...cases.map(caseMarkdown)].join('\n');
}

function resultFiles(): string[] {
  if (process.argv[2]) return [resolve(process.argv[2])];
  const folder = join(benchFolder, 'results');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

function main(): void {
  const reports = resultFiles().map((file) => {
    const report = JSON.parse(readFileSync(file, 'utf8')) as BenchReport;
    if (report.quick) throw new Error(`${file} is of a quick run, whose figures mean nothing`);
    return reportMarkdown(basename(file), report);
  });
  if (reports.length === 0) throw new Error('no results yet: npm run bench:cpu');
  const page = join(projectFolder, 'docs', 'performance.md');
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} lacks the markers "${begin}" and "${end}"`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${reports.join('\n')}\n${text.slice(to)}`);
  console.log(`${page}: ${reports.length} machine(s)`);
}

main();
