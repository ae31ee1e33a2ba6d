/** lib/api-report.txt, the public surface as a text: it is up to date, and a change of the surface is told. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

function apiReport(folder: string, ...args: string[]) {
  return spawnSync(process.execPath, [join(folder, 'scripts', 'api-report.mjs'), ...args], {
    encoding: 'utf8',
  });
}

it('is up to date', () => {
  expect(apiReport(root)).toMatchObject({ status: 0, stderr: '' });
});

it('has every exported name', () => {
  const report = readFileSync(join(root, 'lib', 'api-report.txt'), 'utf8');
  const types = readFileSync(join(root, 'lib', 'index.ts'), 'utf8');
  const names = [...types.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) =>
    list!.split(',').map((name) => name.replace('type ', '').trim()),
  );
  expect(names.length).toBeGreaterThan(40);
  for (const name of names.filter((word) => word !== '')) expect(report).toMatch(new RegExp(`\\b${name}\\b`));
});

describe('a copy of the declarations', () => {
  let copy: string;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'infcl-api-'));
    mkdirSync(join(copy, 'lib'));
    mkdirSync(join(copy, 'scripts'));
    for (const name of ['dist', 'lib/api-report.txt', 'scripts/api-report.mjs', 'package.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('whose option got another type', () => {
    const file = join(copy, 'dist', 'loss', 'options.d.ts');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('perQuery: number;');
    writeFileSync(file, text.replace('perQuery: number;', 'perQuery: bigint;'));
    const { status, stderr } = apiReport(copy);
    expect(stderr).toMatch(
      // the type is mentioned by more than one entry
      /the public surface has changed:\n(- +perQuery: number;\n)+(\+ +perQuery: bigint;\n)+If that is meant/,
    );
    expect(status).toBe(1);
  });

  it('without declarations', () => {
    rmSync(join(copy, 'dist'), { recursive: true });
    const { status, stderr } = apiReport(copy);
    expect(stderr).toContain('run "npm run build:ts" first');
    expect(status).toBe(1);
  });
});

it.each([[['--nonsense']], [['--write', 'more']]])('%j is a wrong command line', (args) => {
  const { status, stderr } = apiReport(root, ...args);
  expect(stderr).toContain('usage: ');
  expect(status).toBe(2);
});
