/** The check of words (scripts/check-words.mjs) on made-up folders: what it refuses, where, and what it lets pass. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const architecture = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');

/** Runs the check on a folder with these files and the glossary of this repository. */
function check(files: Record<string, string>, page = architecture) {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-words-'));
  try {
    for (const [name, text] of Object.entries({ 'docs/architecture.md': page, ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const args = [join(root, 'scripts', 'check-words.mjs'), folder];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { status, lines: stderr.trim().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each([
  [
    'a comment',
    'csrc/core/a.h',
    'int a;\n// the cell before\n',
    'csrc/core/a.h:2: says "cell"; the word is "tile"',
  ],
  ['the plural', 'lib/a.ts', '// Cells.\n', 'lib/a.ts:1: says "cell"; the word is "tile"'],
  ['a part of snake_case', 'cuda/a.cu', 'int lap_args;\n', 'cuda/a.cu:1: says "lap"; the word is "pass"'],
  [
    'parts of camelCase',
    'lib/a.ts',
    'const d = hardKeyGrads;\n',
    'lib/a.ts:1: says "hardKey"; the word is "hard negatives"',
  ],
  ['two parts', 'lib/a.ts', 'f(hardKeys);\n', 'lib/a.ts:1: says "hardKey"; the word is "hard negatives"'],
  [
    'the same as words',
    'test/a.ts',
    '// hard keys\n',
    'test/a.ts:1: says "hardKey"; the word is "hard negatives"',
  ],
  ['a class', 'cuda/a.h', 'class BlockGrid;\n', 'cuda/a.h:1: says "BlockGrid"; the word is "grid"'],
  [
    'the name of a file',
    'csrc/cpu/kept_cells.h',
    '\n',
    'csrc/cpu/kept_cells.h: says "cell"; the word is "tile"',
  ],
  [
    'a word of one room',
    'csrc/cpu/kernels/a.h',
    'int keys;\n',
    'csrc/cpu/kernels/a.h:1: says "key"; the word is "row, column"',
  ],
  ['a room where the word is right', 'csrc/core/a.h', 'int keys;\n', null],
  ['a keyword', 'csrc/core/a.h', ' private:\n  int x;\n', null],
  ['a word in another', 'csrc/core/a.h', '// overlap, cellar, sharding\n', null],
  ['an allowance', 'bench/src/report.ts', 'const cells = [];\n', null],
  ['a page', 'docs/a.md', '# A\n\nA cell.\n', 'docs/a.md:3: says "cell"; the word is "tile"'],
  ['the first page', 'README.md', 'A lap.\n', 'README.md:1: says "lap"; the word is "pass"'],
])('%s', (_, file, text, complaint) => {
  const { status, lines } = check({ [file]: text });
  expect(lines).toEqual([complaint ?? '']);
  expect(status).toBe(complaint ? 1 : 0);
});

it('tells every place', () => {
  const { lines } = check({
    'lib/a.ts': '// a cell\n\n// a cell of a row block\n',
    'cuda/b.h': '// a lap\n',
  });
  expect(lines).toHaveLength(4);
});

it('does not pass where there is no glossary, or nothing to check', () => {
  expect(check({ 'lib/a.ts': '// a cell\n' }, '# Architecture\n').status).toBe(1);
  expect(check({}).status).toBe(1);
});

it('reads the page of the glossary too, but for the rows of the glossary', () => {
  const page = `${architecture}\nA lap of cells.\n`;
  const { lines } = check({ 'lib/a.ts': '\n' }, page);
  const line = page.split('\n').length - 1;
  expect(lines.map((text) => text.split(';')[0])).toEqual([
    `docs/architecture.md:${line}: says "cell"`,
    `docs/architecture.md:${line}: says "lap"`,
  ]);
});

it('the glossary retires the words that once stood for others', () => {
  const section = architecture.split('## Glossary')[1]!.split('\n## ')[0]!;
  const retired = section.split('\n').flatMap((row) => row.split('|')[3]?.match(/`[^`]+`/g) ?? []);
  for (const word of [
    'cell',
    'lap',
    'row block',
    'register tile',
    'shard',
    'residual',
    'hardKey',
    'Schedule',
  ])
    expect(retired).toContain(`\`${word}\``);
});
