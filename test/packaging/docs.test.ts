/** The check of pages (scripts/check-docs.mjs) on made-up folders: what it refuses, where, and what it lets pass. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const script = join(root, 'scripts', 'check-docs.mjs');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, lines: stderr.trim() === '' ? [] : stderr.trim().split('\n') };
}

/** Runs the check on a folder with these pages. */
function check(pages: Record<string, string>, ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-docs-'));
  try {
    for (const [name, text] of Object.entries(pages)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return run(folder, ...args);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each text as a page `docs/INDEX.md` that README.md links, checked by one process: the complaints of each page. */
function checkTable(texts: readonly string[], others: Record<string, string> = {}) {
  const names = texts.map((_, index) => `docs/${index}.md`);
  const { lines } = check({
    'README.md': names.map((name) => `[a](${name})\n`).join(''),
    ...Object.fromEntries(texts.map((text, index) => [names[index], text])),
    ...others,
  });
  return names.map((name) => lines.filter((line) => line.startsWith(`${name}:`)));
}

const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(' ');

it('the pages of this repository pass', () => {
  expect(run()).toMatchObject({ lines: [], status: 0 });
});

describe('sentences', () => {
  const table = [
    ['25 words', `${words(25)}.`, []],
    ['26 words', `${words(26)}.`, [1]],
    ['the line of a sentence in a paragraph', `One.\nTwo. ${words(20)}\n${words(6)}.\nFour.`, [2]],
    ['two sentences', `${words(20)}. ${words(20)}?`, []],
    ['a sentence in quotes and brackets', `(${words(20)}.) ${words(20)}`, []],
    ['an abbreviation', `${words(20)} et al. ${words(10)}`, [1]],
    ['a number with a point', `${words(20)} 0.5 ${words(10)}`, [1]],
    ['code is one word', `${words(24)} \`a b c. d\`.`, []],
    ['signs are no words', `${words(20)} · − = + × → ${words(5)}.`, []],
    ['the text of a link counts', `${words(20)} [${words(6)}](#).`, [1]],
    ['the target of a link does not', `${words(20)} [${words(5)}](#).`, []],
    ['the text of a picture is a sentence', `![${words(26)}.](a.svg)`, [1]],
    [
      'a list of links with dots is none',
      Array(9)
        .fill(`[${words(5)}](#)`)
        .join(' ·\n'),
      [],
    ],
    ['items of a list', `* ${words(20)}\n* ${words(20)}\n  ${words(6)}`, [2]],
    ['items with numbers', `1. ${words(20)}\n2. ${words(26)}`, [2]],
    ['an indented line of an item', `* ${words(20)}\n    ${words(6)}`, [1]],
    ['a table', `| ${words(30)} |\n| --- |\n| ${words(30)} |`, []],
    ['a heading', `## ${words(30)}`, []],
    ['a fence', `\`\`\`js\n${words(30)}\n\n${words(30)}\n\`\`\`\n\n${words(26)}`, [7]],
    ['indented code', `Text:\n\n    ${words(30)}\n    ${words(30)}\n\n${words(26)}`, [6]],
    ['what a program wrote', `<!-- results: begin -->\n${words(30)}\n<!-- end -->\n${words(26)}`, [4]],
  ] as const;
  let complaints: string[][];
  beforeAll(() => {
    complaints = checkTable(table.map(([, text]) => text.replaceAll('(#)', '(../README.md)')));
  });

  it.each(table.map(([name, , lines], index) => [name, index, lines] as const))('%s', (_, index, lines) => {
    const long = complaints[index]!.filter((line) => line.includes('a sentence of'));
    expect(long.map((line) => Number(line.split(':')[1]))).toEqual(lines);
  });

  it('the sentence is in the message, with its words', () => {
    const { lines } = check({ 'README.md': `Short. Is this ${words(24)} *long*?\n` });
    expect(lines).toEqual([
      `README.md:1: a sentence of 27 words, and 25 are the most: "Is this ${words(24)} long?"`,
    ]);
  });

  it('pages of programs and the changelog may have long ones', () => {
    const long = `${words(30)}.\n`;
    const readme = '[a](CHANGELOG.md) [b](docs/verified.md)\n';
    const pages = { 'README.md': readme, 'CHANGELOG.md': long, 'docs/verified.md': long };
    expect(check(pages)).toMatchObject({ lines: [], status: 0 });
  });
});

describe('links', () => {
  const headings = '## Order\n\n[p](page.md)\n\n## Order\n\n## `code`, *and* [more](page.md): 2\n';
  const others = {
    'docs/page.md': '# Page\n\nIt takes one minute.\n\n## Part\n',
    'docs/picture.svg': '<svg><style>@media (prefers-color-scheme: dark) {}</style></svg>',
  };
  const table = [
    ['a page', '[a](page.md)', null],
    ['a heading of a page', '[a](page.md#part)', null],
    ['a page of another folder', '[a](../README.md)', null],
    ['a heading of the same page', '[a](#one-page)', null],
    ['the second heading of that name', '[a](#order-1)', null],
    ['a third one', '[a](#order-2)', 'PAGE has no such heading'],
    ['a heading with code, emphasis, a link and signs', '[a](#code-and-more-2)', null],
    ['a picture', '![a](picture.svg)', null],
    ['an address', '[a](https://example.com/docs/gone.md)', null],
    ['a page that is gone', '[a](gone.md)', 'there is no docs/gone.md'],
    ['a picture that is gone', '![a](gone.svg)', 'there is no docs/gone.svg'],
    ['a heading that is gone', '[a](page.md#gone)', 'docs/page.md has no such heading'],
    ['a link over two lines', '[a\nb](gone.md)', 'there is no docs/gone.md'],
    ['a link in a table', '| [a](gone.md) |\n| --- |', 'there is no docs/gone.md'],
    ['a link within code', '`[a](gone.md)`', null],
    ['a link within a fence', '```\n[a](gone.md)\n```', null],
  ] as const;
  let complaints: string[][];
  beforeAll(() => {
    const pages = table.map(([, text]) => `# One page\n\nOne minute.\n\n${text}\n\n${headings}`);
    complaints = checkTable(pages, others);
  });

  it.each(table.map(([name, text, fault], index) => [name, index, text, fault] as const))(
    '%s',
    (_, index, text, fault) => {
      const target = /\]\((\S+)\)/.exec(text)![1];
      const line = text.includes('\nb]') ? 6 : 5;
      const page = `docs/${index}.md`;
      const complaint = `${page}:${line}: the link ${target} leads nowhere: ${fault?.replace('PAGE', page)}`;
      expect(complaints[index]).toEqual(fault ? [complaint] : []);
    },
  );

  it('a page that no chain of links reaches is named, one that a chain reaches is not', () => {
    const { lines } = check({
      'README.md': '[a](docs/a.md)\n',
      'docs/a.md': 'One minute [b](b.md)\n',
      'docs/b.md': 'One minute\n',
      'docs/c.md': 'One minute [c](c.md)\n',
    });
    expect(lines).toEqual(['docs/c.md: no links lead here from README.md']);
  });
});

describe('minutes', () => {
  // a table counts for the minutes, and not for the length of the prose
  const rest = `\n\n## B\n\n${Array(100)
    .fill(`| ${words(20)} |`)
    .join('\n')}\n`;
  const table = [
    ['right', 'It takes ten minutes.', null],
    ['in digits', 'It takes 10 minutes.', null],
    ['about right', 'It takes eight minutes.', null],
    ['one of two', 'It takes ten minutes; two minutes are enough to begin.', null],
    ['too few', 'It takes six minutes.', 'they say 6'],
    ['too many', 'It takes 14 minutes.', 'they say 14'],
    ['none', 'It takes long.', 'they say none'],
    ['too late', 'Read on.\n\n## Part\n\nIt takes ten minutes.', 'they say none'],
  ] as const;
  let complaints: string[][];
  beforeAll(() => {
    complaints = checkTable(table.map(([, opening]) => `# A\n\n${opening}${rest}`));
  });

  it.each(table.map(([name, , found], index) => [name, index, found] as const))('%s', (_, index, found) => {
    const complaint = `docs/${index}.md: takes some 10 minutes, which its first lines must say; ${found}`;
    expect(complaints[index]).toEqual(found ? [complaint] : []);
  });
});

it('a picture needs colours for dark pages', () => {
  const picture = (style: string) => `<svg><style>${style}</style></svg>`;
  const pages = {
    'README.md': 'A picture.\n![a](docs/light.svg) ![b](docs/both.svg)\n',
    'docs/light.svg': picture('text { fill: #000000; }'),
    'docs/both.svg': picture('@media (prefers-color-scheme: dark) { text { fill: #ffffff; } }'),
  };
  expect(check(pages).lines).toEqual([
    'README.md:2: the picture docs/light.svg has no colours for dark pages',
  ]);
});

describe('length', () => {
  const prose = (count: number) =>
    Array.from({ length: count / 10 }, () => `${words(10)}.`)
      .concat(count % 10 === 0 ? [] : `${words(count % 10)}.`)
      .join('\n');
  const opening = (count: number) => `It takes ${Math.round(count / 200)} minutes.\n`; // four words of their own
  const page = (count: number) => `${opening(count)}\n${prose(count - 4)}\n`;
  const complaint = (path: string, count: number, most: number, kind: string) =>
    `${path}: ${count} words of prose, and ${most} are the most for ${kind}: shorten or divide the page`;

  it.each([
    ['docs/guide.md', 900, 'a guide'],
    ['docs/performance.md', 800, 'the page of performance'],
    ['docs/api.md', 2200, 'a reference'],
    ['docs/numerics.md', 3000, 'a study'],
  ])('%s has %i words at most', (path, most, kind) => {
    const readme = `[a](${path})\n`;
    expect(check({ 'README.md': readme, [path]: page(most) })).toMatchObject({ lines: [], status: 0 });
    const { lines } = check({ 'README.md': readme, [path]: page(most + 1) });
    expect(lines).toEqual([complaint(path, most + 1, most, kind)]);
  });

  it('the first page has 550 at most', () => {
    expect(check({ 'README.md': prose(550) }).lines).toEqual([]);
    expect(check({ 'README.md': prose(551) }).lines).toEqual([
      complaint('README.md', 551, 550, 'the first page'),
    ]);
  });

  it('code, tables and headings do not count', () => {
    const text = `## ${words(100)}\n\n| ${words(500)} |\n| --- |\n\n\`\`\`js\n${words(500)}\n\`\`\`\n`;
    expect(check({ 'README.md': text }).lines).toEqual([]);
  });
});

it('lists words and minutes of each page', () => {
  const { stdout, status } = check({ 'README.md': `${words(26)}.\n\n    ${words(374)}\n` }, '--list');
  expect(status).toBe(0);
  expect(stdout.split('\n')[1]).toMatch(/^README\.md +400 +26 +2 +1$/);
});

it('does not pass where there are no pages', () => {
  expect(check({ 'a.txt': '' })).toMatchObject({
    status: 1,
    lines: [expect.stringContaining('no pages found')],
  });
});
