/** Runs cases of the bench in their quick form, by the command that users type, and reads the report back. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface BenchRow {
  label: string;
  cells: Record<string, number | string>;
}

export interface BenchCase {
  name: string;
  rows: BenchRow[];
  skipped: string[];
  failed?: string;
}

export async function runBench(only: string): Promise<BenchCase> {
  const root = join(__dirname, '..', '..');
  const folder = mkdtempSync(join(tmpdir(), 'infcl-bench-'));
  const file = join(folder, 'report.json');
  try {
    const args = ['run', '--silent', 'bench:cpu', '--', '--quick', '--only', only, '--out', file];
    await promisify(execFile)('npm', args, { cwd: root });
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: BenchCase[] };
    return cases[0];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every figure of a comparison with a peer was measured, and both sides agree. */
export function expectAgreement({ label, cells }: BenchRow): void {
  const figures = ['ours s', 'peer s', 'times faster', 'ours MiB', 'peer MiB', 'peer MiB, first call'];
  for (const figure of figures)
    expect([label, figure, Number(cells[figure]) > 0]).toEqual([label, figure, true]);
  expect(Number(cells['difference, parts per million'])).toBeLessThanOrEqual(10);
}

/** The same for a loss, whose sums no two programs round alike: zero would mean infcl beside itself. */
export function expectMeasured(row: BenchRow): void {
  expectAgreement(row);
  expect(Number(row.cells['difference, parts per million'])).toBeGreaterThan(0);
}
