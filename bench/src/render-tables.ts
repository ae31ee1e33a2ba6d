/** The tables of bench/results/tables.md: every case of every committed result as Markdown. */
import { type CaseReport, tableOf } from './report.js';
import type { CommittedResult } from './results.js';

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

function resultMarkdown({ file, report }: CommittedResult): string {
  const { date, commit, command, machine, cases } = report;
  const facts = Object.entries(machine).map(([key, value]) => `${key} ${value}`);
  const origin = [...(commit ? [`commit ${commit}`] : []), ...(command ? [`\`${command}\``] : [])];
  const head = [
    `### ${machine.cpu}, ${machine.processors} processors: \`${file}\``,
    '',
    `${[date.slice(0, 10), ...origin, ...facts].join('; ')}.`,
  ];
  return [...head, '', ...cases.map(caseMarkdown)].join('\n');
}

/** The page with new tables between its markers. */
export function fillTables(text: string, results: readonly CommittedResult[]): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`tables.md lacks the markers "${begin}" and "${end}"`);
  return `${text.slice(0, from + begin.length)}\n\n${results.map(resultMarkdown).join('\n')}\n${text.slice(to)}`;
}
