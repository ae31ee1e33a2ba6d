/**
 * Checks the pages of the documentation: a link leads to a file and a heading, a page is reached from README.md, a
 * sentence has 25 words at most, a page is not longer than its kind allows, a picture has colours for dark pages too, and
 * the first lines of a page say how many minutes it takes, at 200 words a minute.
 * scripts/check-words.mjs has the words that the glossary retired.
 *
 *     node scripts/check-docs.mjs [FOLDER]      # the repository by default
 *     node scripts/check-docs.mjs --list        # words and minutes of each page, and sentences that are too long
 *
 * Refuses to judge code, tables and headings: a sentence is prose. Pages that programs write may have long sentences.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { anchorsOf, linksOf, sentencesOf, wordsOf } from './docs/markdown.mjs';

const longest = 25;
const wordsPerMinute = 200;

/**
 * Words of prose that a page may have, by its kind. A page that is not in a list is a guide, so a new page is short
 * until somebody says here why it is not.
 */
const kinds = [
  { name: 'the first page', longest: 550, pages: ['README.md'] },
  { name: 'the page of performance', longest: 800, pages: ['docs/performance.md'] },
  { name: 'a reference', longest: 2200, pages: ['docs/api.md', 'docs/troubleshooting.md'] },
  {
    name: 'a study', // for sceptics and maintainers, who read for the details
    longest: 3000,
    pages: [
      ...[
        'algorithm',
        'architecture',
        'building',
        'cpu',
        'cuda',
        'gpu',
        'measuring',
        'numerics',
        'reliability',
      ],
      ...['threads', 'tuning-notes'],
    ].map((name) => `docs/${name}.md`),
  },
];
const guide = { name: 'a guide', longest: 900 };

/** Written by programs: scripts/verify.mjs and bench/src/render.ts. */
const generated = ['docs/verified.md', 'bench/results/tables.md'];
/** Pages outside of docs/ that other pages link. */
const inner = ['emulator/README.md', 'bench/results/README.md', 'bench/results/tables.md'];
/** Checked for links only: its lines are names of changes, not sentences for a stranger. */
const changelog = 'CHANGELOG.md';
/** Too short, or too well known in their form, to say their minutes. */
const withoutMinutes = ['README.md', 'SECURITY.md', changelog, ...generated];
const numerals =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false } },
});
const root = resolve(positionals[0] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));

const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).sort() : [];
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', changelog],
  ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ...inner,
].filter((page) => existsSync(join(root, page)));

const texts = new Map(pages.map((page) => [page, readFileSync(join(root, page), 'utf8')]));
const textOf = (page) => texts.get(page) ?? readFileSync(join(root, page), 'utf8');
const isLocal = (target) => !/^\w+:/.test(target);

/** Why a link leads nowhere, or null. */
function faultOf(page, target) {
  const [path, anchor] = target.split('#');
  const file = path ? posix.join(posix.dirname(page), path) : page;
  if (!existsSync(join(root, file))) return `there is no ${file}`;
  if (!anchor || !file.endsWith('.md') || anchorsOf(textOf(file)).includes(anchor)) return null;
  return `${file} has no such heading`;
}

function deadLinks(page) {
  return linksOf(textOf(page))
    .filter(({ target }) => isLocal(target))
    .map(({ line, target }) => ({ line, target, fault: faultOf(page, target) }))
    .filter(({ fault }) => fault)
    .map(({ line, target, fault }) => `${page}:${line}: the link ${target} leads nowhere: ${fault}`);
}

/** Pictures without colours for readers whose pages are dark: black letters are invisible there. */
function darkPictures(page) {
  return linksOf(textOf(page))
    .map(({ line, target }) => ({ line, target, file: posix.join(posix.dirname(page), target) }))
    .filter(({ target, file }) => isLocal(target) && file.endsWith('.svg') && existsSync(join(root, file)))
    .filter(({ file }) => !readFileSync(join(root, file), 'utf8').includes('prefers-color-scheme: dark'))
    .map(({ line, target }) => `${page}:${line}: the picture ${target} has no colours for dark pages`);
}

/** Pages to which no chain of links leads from README.md. */
function unreachedPages() {
  const reached = new Set(pages.filter((page) => page === 'README.md'));
  for (const page of reached) {
    for (const { target } of linksOf(textOf(page))) {
      const file = posix.join(posix.dirname(page), target.split('#')[0]);
      if (isLocal(target) && texts.has(file)) reached.add(file);
    }
  }
  return pages
    .filter((page) => !reached.has(page))
    .map((page) => `${page}: no links lead here from README.md`);
}

const hasSentences = (page) => page !== changelog && !generated.includes(page);
const longSentences = (page) =>
  sentencesOf(textOf(page)).filter((sentence) => wordsOf(sentence.text).length > longest);

const wordCount = (page) => wordsOf(textOf(page)).length;
const minutesOf = (page) => Math.max(1, Math.round(wordCount(page) / wordsPerMinute));

/** Whether the minutes before the first section are about those that the page takes. */
function wrongMinutes(page) {
  if (withoutMinutes.includes(page)) return [];
  const opening = textOf(page).split(/^## /m)[0];
  const said = [...opening.matchAll(/\b([a-z]+|\d+)\s+minutes?\b/gi)].map(([, word]) =>
    /^\d/.test(word) ? Number(word) : numerals.split(' ').indexOf(word.toLowerCase()),
  );
  const expected = minutesOf(page);
  const tolerance = Math.max(2, expected / 4);
  if (said.some((minutes) => minutes > 0 && Math.abs(minutes - expected) <= tolerance)) return [];
  const found = said.length > 0 ? `they say ${said.join(' and ')}` : 'they say none';
  return [`${page}: takes some ${expected} minutes, which its first lines must say; ${found}`];
}

const proseOf = (page) => sentencesOf(textOf(page)).reduce((sum, { text }) => sum + wordsOf(text).length, 0);

/** Whether a page has more words of prose than its kind allows. */
function tooLong(page) {
  const kind = kinds.find(({ pages }) => pages.includes(page)) ?? guide;
  const words = proseOf(page);
  if (!hasSentences(page) || words <= kind.longest) return [];
  return [
    `${page}: ${words} words of prose, and ${kind.longest} are the most for ${kind.name}: shorten or divide the page`,
  ];
}

function complaintsOf(page) {
  const long = hasSentences(page) ? longSentences(page) : [];
  return [
    ...deadLinks(page),
    ...darkPictures(page),
    ...wrongMinutes(page),
    ...tooLong(page),
    ...long.map(
      ({ line, text }) =>
        `${page}:${line}: a sentence of ${wordsOf(text).length} words, and ${longest} are the most: "${text}"`,
    ),
  ];
}

/** Words with code, words of prose alone, minutes, and sentences that are too long. */
function list() {
  const row = (name, ...cells) =>
    console.log([name.padEnd(28), ...cells.map((cell) => String(cell).padStart(7))].join(' '));
  row('page', 'words', 'prose', 'minutes', 'too long');
  for (const page of pages) {
    const long = hasSentences(page) ? longSentences(page).length : 'not checked';
    row(page, wordCount(page), proseOf(page), minutesOf(page), long);
  }
}

if (values.list) list();
else {
  const complaints = [...pages.flatMap(complaintsOf), ...unreachedPages()];
  if (complaints.length > 0 || pages.length === 0) {
    console.error(complaints.join('\n') || `no pages found in ${root}`);
    process.exit(1);
  }
  console.log(
    `docs: ${pages.length} pages have no dead link, a fitting length, and no sentence of more than ${longest} words`,
  );
}
