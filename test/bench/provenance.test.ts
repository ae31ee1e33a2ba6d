/** A result names its commit and its command, without folders of the machine that measured. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '..', '..');

it('paths of a command line lie below the project, or lose their folders', () => {
  const compiled = pathToFileURL(join(root, 'bench', 'dist', 'provenance.js')).href;
  const args = ['--only', 'torch', '--out', join(root, 'bench', 'results', 'a.json')];
  const source = `import { commandLine } from '${compiled}';
    console.log(commandLine(${JSON.stringify(args)}));
    console.log(commandLine(['--out', '/elsewhere/somebody/b.json']));
    console.log(commandLine(['--out=/elsewhere/somebody/c.json']));
    console.log(commandLine(['--out', '../../somebody/d.json']));
    console.log(commandLine([]));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  expect(stdout.trim().split('\n')).toEqual([
    'npm run bench:cpu -- --only torch --out bench/results/a.json',
    'npm run bench:cpu -- --out b.json',
    'npm run bench:cpu -- --out=c.json',
    'npm run bench:cpu -- --out d.json',
    'npm run bench:cpu',
  ]);
});

it('a run records both, and --out is relative to the folder in which the user typed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-provenance-'));
  try {
    const script = join(root, 'bench', 'dist', 'cpu.js');
    const args = [script, '--quick', '--only', 'checks', '--out', 'sub/report.json'];
    const env = { ...process.env, INIT_CWD: folder };
    const { status } = spawnSync(process.execPath, args, { cwd: join(root, 'bench'), env });
    expect(status).toBe(0);
    const report = JSON.parse(readFileSync(join(folder, 'sub', 'report.json'), 'utf8'));
    expect(report.command).toBe('npm run bench:cpu -- --quick --only checks --out sub/report.json');
    const { status: hasGit, stdout } = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(report.commit).toContain(hasGit === 0 ? stdout.trim() : 'unknown');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
