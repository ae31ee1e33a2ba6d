/** The documentation says what the committed results say, and the script that checks this can fail. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** Runs the compiled script, which `npm run build ts` makes. */
function render(...args: string[]) {
  const script = join(root, 'bench', 'dist', 'render.js');
  return spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' });
}

it('pages and results agree', () => {
  const { stdout, stderr, status } = render('--check');
  expect([stdout, stderr, status]).toEqual([expect.stringContaining(' 0 differences'), '', 0]);
});

describe('on a copy of the pages', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'infcl-render-'));
    cpSync(join(root, 'README.md'), join(copy, 'README.md'));
    cpSync(join(root, 'docs'), join(copy, 'docs'), { recursive: true });
    cpSync(join(root, 'bench', 'results'), join(copy, 'bench', 'results'), { recursive: true });
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  const read = (file: string) => readFileSync(join(copy, file), 'utf8');
  function change(file: string, from: string, to: string) {
    const text = read(file);
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replace(from, to));
  }
  const run = (...args: string[]) => render(...args, '--root', copy);
  const check = () => run('--check');

  it.each([
    ['README.md', '[272 MiB', '[172 MiB', 'README.md says 172 where results say 272'],
    ['bench/results/tables.md', '12.8 (≥ 3)', '13.8 (≥ 3)', 'the tables are not those of bench/results'],
    ['docs/performance.md', '| 24.2 | 283 |', '| 24.3 | 283 |', 'says 24.3 where results say 24.2'],
    ['docs/performance-peers.svg', '88.8 ×', '98.8 ×', 'is not the chart of bench/results'],
    ['docs/tuning-notes.md', 'gave 2.04 and', 'gave 3.04 and', 'says 3.04 where results say 2.04'],
    ['docs/measuring.md', '≥ 1.8 ×', '≥ 1.9 ×', 'says 1.9 where results say 1.8'],
    ['docs/numerics.md', '1.5 to 2.4 times', '1.5 to 2.3 times', 'says 2.3 where results say 2.4'],
  ])('%s with %s changed to %s is found, and written back', (page, from, to, message) => {
    const before = read(page);
    change(page, from, to);
    const { stdout, status } = check();
    expect([stdout, status]).toEqual([expect.stringContaining(message), 1]);
    expect(read(page)).toContain(to); // a check writes nothing
    expect(run().status).toBe(0);
    expect(read(page)).toBe(before);
  });

  it('a result that changes is found in every page that cites the figure', () => {
    const file = 'bench/results/amd-epyc-2.json';
    const report = JSON.parse(read(file));
    const doubling = report.cases.find(({ name }: { name: string }) => name === 'doubling');
    doubling.rows.at(-1).cells['peak MiB'] = 300.4;
    writeFileSync(join(copy, file), JSON.stringify(report));
    const { stdout, status } = check();
    expect([stdout, status]).toEqual([expect.stringContaining('2 differences'), 1]);
    expect(stdout).toContain('README.md says 272 where results say 300');
  });

  it('a sentence that was reworded is named, with the file to change', () => {
    change('README.md', 'MiB beyond its inputs', 'MiB more than its inputs');
    const { stderr, status } = check();
    expect([stderr, status]).toEqual([expect.stringContaining('README.md has 0 sentences "one call'), 1]);
    expect(stderr).toContain('render-claims.ts');
  });

  it.each([
    ['`amd-epyc-2.json`', 'cites amd-epyc-2.json for figures that render-claims.ts does not have'],
    ['`amd-epyc-9.json`', 'names amd-epyc-9.json, which is not in bench/results'],
  ])('figures of %s that were typed by hand are a fault, also when figures are written', (file, message) => {
    change('docs/cpu.md', '## Memory', `By 7.3 times (${file}).\n\n## Memory`);
    for (const { stdout, status } of [check(), run()])
      expect([stdout, status]).toEqual([expect.stringContaining(message), 1]);
  });

  it('a quick run is refused', () => {
    change('bench/results/amd-epyc-2.json', '"quick": false', '"quick": true');
    const { stderr, status } = check();
    expect([stderr, status]).toEqual([expect.stringContaining('amd-epyc-2.json is of a quick run'), 1]);
  });
});
