/** Reads the committed results, and finds single figures in them by file, case, row and column. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchReport, Row } from './report.js';

export interface CommittedResult {
  /** The name of the file, without its folder. */
  file: string;
  /** The file from the root of the project. */
  path: string;
  report: BenchReport;
}

/** All results in `bench/results` below `root`, by name. A quick run is an error: its figures mean nothing. */
export function readResults(root: string): CommittedResult[] {
  const folder = join(root, 'bench', 'results');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`${folder} has no results: run npm run bench:cpu`);
  return files.sort().map((file) => {
    const report = JSON.parse(readFileSync(join(folder, file), 'utf8')) as BenchReport;
    if (!Array.isArray(report.cases))
      throw new Error(`${file} has no cases: is it a file of npm run bench:cpu?`);
    if (report.quick) throw new Error(`${file} is of a quick run, whose figures mean nothing: remove it`);
    return { file, path: `bench/results/${file}`, report };
  });
}

/** A row by its label, and by further values of its columns where several rows have this label. */
export interface RowName {
  file: string;
  name: string;
  label: string;
  where?: Record<string, number | string>;
}

export function findRow(results: readonly CommittedResult[], { file, name, label, where }: RowName): Row {
  const rows = rowsOf(results, file, name).filter(
    (row) =>
      row.label === label && Object.entries(where ?? {}).every(([key, value]) => row.cells[key] === value),
  );
  if (rows.length === 1) return rows[0]!;
  const found = rows.length === 0 ? 'no row' : `${rows.length} rows`;
  throw new Error(`${file}, case ${name} has ${found} "${label}" ${JSON.stringify(where ?? {})}`);
}

/** All rows of a case. */
export function rowsOf(results: readonly CommittedResult[], file: string, name: string): Row[] {
  const result = results.find((one) => one.file === file);
  if (!result) throw new Error(`bench/results has no ${file}`);
  const report = result.report.cases.find((one) => one.name === name);
  if (!report) throw new Error(`${file} has no case ${name}`);
  return report.rows;
}

export function numberOf(row: Row, column: string): number {
  const value = row.cells[column];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(
    `row "${row.label}" has no number in column "${column}": it has ${Object.keys(row.cells).join(', ')}`,
  );
}
