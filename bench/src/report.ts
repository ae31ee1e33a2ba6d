/**
 * The parts of a bench run, and their form on a terminal. Results are data: the same rows go to the JSON
 * file and, through render.ts, to bench/results/tables.md. A target is a limit beside a measured value, never
 * a result.
 */

export interface Target {
  what: string;
  value: number;
  limit: number;
  direction: 'atMost' | 'atLeast';
}

export interface Row {
  label: string;
  /** Column name to value, in display order; numbers are kept as measured. */
  cells: Record<string, number | string>;
  targets?: Target[];
}

export interface CaseReport {
  name: string;
  title: string;
  rows: Row[];
  /** A measurement that was not made, and its remedy. */
  skipped: string[];
  failed?: string;
}

export interface BenchReport {
  date: string;
  /** The measured commit and the command line. Files of runs before November 30, 2026 have neither. */
  commit?: string;
  command?: string;
  quick: boolean;
  machine: Record<string, string | number>;
  cases: CaseReport[];
}

export function isMet({ value, limit, direction }: Target): boolean {
  return direction === 'atMost' ? value <= limit : value >= limit;
}

export function targetText(target: Target): string {
  const sign = target.direction === 'atMost' ? '≤' : '≥';
  return `${target.what} ${formatCell(target.value)} (${sign} ${target.limit}) ${isMet(target) ? 'met' : 'NOT MET'}`;
}

export function formatCell(value: number | string | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 3 : 5;
  return value.toFixed(digits);
}

/** First line: column names. Every cell as text. */
export function tableOf({ rows }: CaseReport): string[][] {
  const targets = rows.some((row) => row.targets?.length);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.cells)))];
  return [
    ['', ...columns, targets ? 'targets' : ''],
    ...rows.map((row) => [
      row.label,
      ...columns.map((column) => formatCell(row.cells[column])),
      (row.targets ?? []).map(targetText).join('; '),
    ]),
  ];
}

export function printCase(report: CaseReport): void {
  console.log(`\n${report.title}  [${report.name}]`);
  if (report.rows.length > 0) {
    const table = tableOf(report);
    const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
    for (const line of table)
      console.log(
        `  ${line
          .map((cell, at) => cell.padEnd(widths[at]))
          .join('  ')
          .trimEnd()}`,
      );
  }
  for (const skipped of report.skipped) console.log(`  skipped: ${skipped}`);
  if (report.failed) console.log(`  FAILED: ${report.failed}`);
}
