/** Cells of results as series of numbers: which labels, which values, in which colour. */
import { colour } from 'infcl-examples/report/palette.js';
import type { ChartSpec, Quantity } from './page-specs.js';
import type { CaseReport, Row } from './report.js';
import type { CommittedResult } from './results.js';

/** One case in one result. */
export interface CaseResult {
  /** The name of the result's file, without its ending. */
  machine: string;
  report: CaseReport;
}

export interface Series {
  name: string;
  tint: string;
  /** A value for each label, or null where this result has none. */
  values: (number | null)[];
}

export interface Plot {
  labels: string[];
  series: Series[];
}

const machineTints = [colour.ours, colour.other, colour.third, colour.fifth, colour.sixth, colour.fourth];
const columnTints = [colour.ours, colour.other, colour.third, colour.fifth];

/**
 * One colour for a result on the whole page, by the name of its file. Runs with the most figures come first, so that
 * they differ the most. Beyond six results the colours begin again.
 */
export function tintsOf(results: readonly CommittedResult[]): Map<string, string> {
  const figures = ({ report }: CommittedResult) =>
    report.cases.reduce((sum, { rows }) => sum + rows.length, 0);
  const ordered = [...results].sort((a, b) => figures(b) - figures(a));
  return new Map(ordered.map(({ file }, i) => [machineName(file), machineTints[i % machineTints.length]!]));
}

export const machineName = (file: string) => file.replace(/\.json$/, '');

/** The label, with the number of threads where two rows differ by nothing else. */
function keyOf(row: Row, rows: readonly Row[]): string {
  const isAlone = rows.filter(({ label }) => label === row.label).length === 1;
  const { threads } = row.cells;
  if (isAlone || threads === undefined) return row.label;
  return `${row.label}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

function valuesOf({ report }: CaseResult, column: string, { unit, rows: wanted }: ChartSpec) {
  const scale = unit === '%' ? 100 : 1;
  const values = new Map<string, number>();
  for (const row of report.rows) {
    const value = row.cells[column];
    const match = wanted?.exec(row.label);
    if (wanted && !match) continue;
    if (typeof value === 'number' && Number.isFinite(value))
      values.set(match?.[1] ?? keyOf(row, report.rows), scale * value);
  }
  return values;
}

function plotOf(columns: { name: string; tint: string; values: Map<string, number> }[]): Plot {
  const filled = columns.filter(({ values }) => values.size > 0);
  const labels = [...new Set(filled.flatMap(({ values }) => [...values.keys()]))];
  return {
    labels,
    series: filled.map(({ name, tint, values }) => ({
      name,
      tint,
      values: labels.map((label) => values.get(label) ?? null),
    })),
  };
}

/** One column of several results. */
export function plotMachines(
  cases: readonly CaseResult[],
  column: string,
  spec: ChartSpec,
  tints: Map<string, string>,
): Plot {
  return plotOf(
    cases.map((one) => ({
      name: one.machine,
      tint: tints.get(one.machine)!,
      values: valuesOf(one, column, spec),
    })),
  );
}

/** Several columns of one result. */
export function plotColumns(
  one: CaseResult,
  columns: readonly { column: string; name: string }[],
  spec: ChartSpec,
): Plot {
  return plotOf(
    columns.map(({ column, name }, i) => ({
      name,
      tint: columnTints[i]!,
      values: valuesOf(one, column, spec),
    })),
  );
}

/** The number after B or D in a label, such as "B 4096, D 256". */
export function sizeIn(label: string, letter: 'B' | 'D'): number {
  const size = Number(new RegExp(`\\b${letter} (\\d+)`).exec(label)?.[1]);
  if (Number.isFinite(size)) return size;
  throw new Error(`the label "${label}" has no size ${letter}: a chart along ${letter} needs one`);
}

export function axisName({ what, unit }: Quantity): string {
  return `${what} (${unit})`;
}

/** Three digits that count, for ends of bars. */
export function valueText(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Three digits at most, for axes. */
export function tickText(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 10 });
}
