/**
 * Checks the pages of the documentation: a link leads to a file and a heading, a page is reached from README.md, and
 * a sentence has 25 words at most. scripts/check-words.mjs has the words that the glossary retired.
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
import { anchorsOf, linksOf, readingOf, sentencesOf, wordsOf } from './docs/markdown.mjs';

const longest = 25;
const wordsPerMinute = 200;

/** Written by programs: scripts/verify.mjs and bench/src/render.ts. */
const generated = ['docs/verified.md', 'bench/results/tables.md'];
/** Pages that README.md need not link: the page that leads to them does. */
const inner = ['emulator/README.md', 'bench/results/README.md', 'bench/results/tables.md'];
/** Checked for links only: its lines are names of changes, not sentences for a stranger. */
const changelog = 'CHANGELOG.md';

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

function unreachedPages() {
  if (!texts.has('README.md')) return [];
  const reached = linksOf(textOf('README.md')).map(({ target }) => target.split('#')[0]);
  return pages
    .filter((page) => page !== 'README.md' && !inner.includes(page) && !reached.includes(page))
    .map((page) => `README.md: has no link to ${page}`);
}

const hasSentences = (page) => page !== changelog && !generated.includes(page);
const longSentences = (page) =>
  sentencesOf(textOf(page)).filter((sentence) => wordsOf(sentence.text).length > longest);

function complaintsOf(page) {
  const long = hasSentences(page) ? longSentences(page) : [];
  return [
    ...deadLinks(page),
    ...long.map(
      ({ line, text }) =>
        `${page}:${line}: a sentence of ${wordsOf(text).length} words, and ${longest} are the most: "${text}"`,
    ),
  ];
}

function list() {
  console.log(`${'page'.padEnd(29)} words  prose minutes, sentences too long (words: without code; prose: without tables too)`);
  for (const page of pages) {
    const words = wordsOf(readingOf(textOf(page))).length;
    const prose = sentencesOf(textOf(page)).reduce((sum, { text }) => sum + wordsOf(text).length, 0);
    const minutes = Math.max(1, Math.round(words / wordsPerMinute));
    const long = hasSentences(page) ? longSentences(page).length : 'not checked';
    console.log([page.padEnd(28), ...[words, prose, minutes, long].map((x) => String(x).padStart(6))].join(' '));
  }
}

if (values.list) list();
else {
  const complaints = [...pages.flatMap(complaintsOf), ...unreachedPages()];
  if (complaints.length > 0 || pages.length === 0) {
    console.error(complaints.join('\n') || `no pages found in ${root}`);
    process.exit(1);
  }
  console.log(`docs: the links of ${pages.length} pages lead somewhere, and no sentence is too long`);
}
