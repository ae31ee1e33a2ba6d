/** The page of results: every committed result is there, every chart has figures and units, and nothing is fetched. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'infcl-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  name: string;
  title: string;
  rows: { label: string; cells: Record<string, number | string>; targets?: object[] }[];
  skipped: string[];
  failed?: string;
}

interface Report {
  date: string;
  commit?: string;
  command?: string;
  quick: boolean;
  machine: Record<string, string | number>;
  cases: Case[];
}

/** Runs the compiled script, which `npm run build ts` makes. */
function makePage(...args: string[]) {
  const out = join(folder, 'deep', 'page.html');
  const script = join(root, 'bench', 'dist', 'page.js');
  const { status, stderr } = spawnSync(process.execPath, [script, '--out', out, ...args], {
    encoding: 'utf8',
  });
  return { status, stderr, page: status === 0 ? readFileSync(out, 'utf8') : '' };
}

/** A copy of the project that has one result. */
function copyWith(report: Report, text = JSON.stringify(report)): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  mkdirSync(join(copy, 'bench', 'results'), { recursive: true });
  writeFileSync(join(copy, 'bench', 'results', 'some-machine.json'), text);
  return copy;
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const sectionOf = (page: string, name: string) =>
  page.split(`<section id="case-${name}">`)[1]?.split('</section>')[0] ?? '';
const charts = (markup: string) => markup.match(/<svg role="img".*?<\/svg>/gs) ?? [];

describe('of the committed results', () => {
  const results = readdirSync(join(root, 'bench', 'results'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      file,
      report: JSON.parse(readFileSync(join(root, 'bench', 'results', file), 'utf8')) as Report,
    }));
  const { page, status } = makePage();

  it('is written', () => {
    expect(status).toBe(0);
    expect(results.length).toBeGreaterThan(0);
  });

  it.each(results)('$file has a card, its cases and its labels', ({ file, report }) => {
    const card = page.split(`id="run-${file.replace('.json', '')}"`)[1]!.split('</dl>')[0]!;
    expect(card).toContain(report.date.slice(0, 10));
    for (const value of Object.values(report.machine)) expect(card).toContain(`<dd>${value}</dd>`);
    expect(card).toMatch(/<dt>commit<\/dt><dd>\S/);
    expect(card).toMatch(/<dt>command<\/dt><dd>npm run bench:cpu/);
    for (const one of report.cases) {
      const section = sectionOf(page, one.name);
      expect(section).toContain(`<h4>${file.replace('.json', '')}</h4>`);
      for (const { label } of one.rows) expect(section).toContain(`<td>${escaped(label)}</td>`);
      for (const reason of one.skipped) expect(section).toContain(escaped(reason));
    }
  });

  it('has a chart for every case that has rows', () => {
    const names = results.flatMap(({ report }) => report.cases.filter(({ rows }) => rows.length > 0));
    for (const { name } of names)
      expect([name, charts(sectionOf(page, name)).length > 0]).toEqual([name, true]);
  });

  it('every chart names its axis with a unit, and draws a figure', () => {
    const all = charts(page);
    expect(all.length).toBeGreaterThan(20);
    for (const chart of all) {
      const [, label] = /aria-label="([^"]+)"/.exec(chart)!;
      expect(label).toMatch(/ \((s|MiB|%|times|ratio)\)$/);
      // the name of the axis stands in the picture too
      expect(chart).toContain(`>${label}</text>`);
      expect(chart).toMatch(/fill="var\(--(ours|other|third|fourth|fifth|sixth)\)"|stroke="var\(--ours\)"/);
    }
  });

  it('has no figure that is none, and no colour of one theme only', () => {
    for (const chart of charts(page)) expect(chart).not.toMatch(/NaN|undefined|Infinity|null/);
    expect(page).not.toMatch(/>(NaN|undefined|-?Infinity|null|\[object)/);
    expect(page).not.toMatch(/#0a0b0\d|:hover|rgba\(/);
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('fetches nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(\s*['"]?http|src=/i);
  });
});

describe('of a result made for the test', () => {
  const report: Report = {
    date: '2026-01-02T03:04:05.000Z',
    commit: 'abc123',
    command: 'npm run bench:cpu -- --only torch',
    quick: false,
    machine: { cpu: '<b>cpu', processors: 2 },
    cases: [
      {
        name: 'torch',
        title: 'PyTorch & others',
        rows: [{ label: 'B 8, D 4', cells: { 'ours s': 1.5, 'torch s': 3, 'times faster': 2 } }],
        skipped: ['B 16 <needs> memory'],
      },
      {
        name: 'later',
        title: 'A later case',
        rows: [{ label: 'x', cells: { y: 7.25 } }],
        skipped: [],
        failed: 'it broke',
      },
    ],
  };

  it('shows commit and command, escapes texts, and says which cases are missing', () => {
    const { page } = makePage('--root', copyWith(report));
    expect(page).toContain('<dd>abc123</dd>');
    expect(page).toContain('<dd>npm run bench:cpu -- --only torch</dd>');
    expect(page).toContain('&lt;b&gt;cpu');
    expect(page).toContain('PyTorch &amp; others');
    expect(page).toContain('B 16 &lt;needs&gt; memory');
    expect(page).toContain('Not measured yet: onnx, tfjs, jax, floor, parts.');
  });

  it('a case that the page does not know is a table that is open', () => {
    const { page } = makePage('--root', copyWith(report));
    expect(page).toContain('Other cases');
    const section = sectionOf(page, 'later');
    expect(charts(section)).toHaveLength(0);
    expect(section).toMatch(/<details open>.*<td class="n">7.250<\/td>.*Failed: it broke/s);
  });

  it('charts of ONNX Runtime show the fastest form, by its shape; tables show all forms', () => {
    const cells = { 'ours s': 1, 'peer s': 2, 'times faster': 2 };
    const rows = ['softmax', 'query blocks', 'the fastest as it comes: softmax'].map((form) => ({
      label: `B 8, D 4, ${form}`,
      cells,
    }));
    const onnx = { name: 'onnx', title: 'ONNX Runtime', rows, skipped: [] };
    const section = sectionOf(makePage('--root', copyWith({ ...report, cases: [onnx] })).page, 'onnx');
    const drawn = charts(section);
    expect(drawn).toHaveLength(4); // times and seconds, each for a wide page and for a phone
    for (const chart of drawn) {
      expect(chart.match(/>B 8, D 4<\/text>/g)).toHaveLength(1);
      expect(chart).not.toContain('softmax');
    }
    for (const { label } of rows) expect(section).toContain(`<td>${label}</td>`);
  });

  it.each([
    ['a quick run', JSON.stringify({ ...report, quick: true }), 'some-machine.json is of a quick run'],
    ['a file of something else', '{}', 'some-machine.json has no cases'],
  ])('%s is refused', (_, text, message) => {
    const { status, stderr } = makePage('--root', copyWith(report, text));
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  it('a folder without results says what to run', () => {
    const copy = mkdtempSync(join(folder, 'empty-'));
    mkdirSync(join(copy, 'bench', 'results'), { recursive: true });
    const { status, stderr } = makePage('--root', copy);
    expect([status, stderr]).toEqual([1, expect.stringContaining('run npm run bench:cpu')]);
  });
});
