/**
 * Holds the words of every source file and page against the glossary in docs/architecture.md: one word a thing. A word
 * that the glossary retired is an error, in identifiers, comments, texts, pages and file names. Parts of snake_case and
 * camelCase are words too, so `hardKeys`, `hard_keys` and "hard keys" are one.
 *
 *     node scripts/check-words.mjs [FOLDER]      # the repository by default
 *
 * Refuses words of its own: the glossary's last column is the list.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const rooms = ['lib', 'csrc', 'cuda', 'emulator', 'test', 'bench', 'examples', 'docs'];
const pages = ['README.md', 'CONTRIBUTING.md'];
const glossaryPage = 'docs/architecture.md';

/** Files in which a word is right. */
const allowances = [
  { word: 'cell', files: /^(bench\/src|test\/bench)\//, why: 'tables of a report have cells' },
  { word: 'cell', files: /^examples\/src\/report\//, why: 'tables of a report have cells' },
  { word: 'cell', files: /^emulator\/\w+_shadow\./, why: 'a shadow cell is a term of race detectors' },
  {
    word: 'cell',
    files: /^test\/(packaging\/verify-record|lib\/objective-words)/,
    why: 'tables of a page have cells',
  },
  { word: 'cell', files: /^test\/adapters\/tfjs-layers/, why: 'recurrent layers of tfjs have cells' },
  {
    word: 'leftOut',
    files: /^cuda\/kernels\/pairs\.cu$/,
    why: 'a product that is left out of a dot has no filter',
  },
  { files: /^test\/packaging\/words\.test\.ts$/, why: 'the test of this check' },
];

/** Words apart, in lower case: "row_blockCount" becomes "row block count". Other characters stay where they are. */
const wordsOf = (text) =>
  text
    .replace(/_/g, ' ')
    .replace(/([a-z\d])(?=[A-Z])/g, '$1 ')
    .toLowerCase();

/** Rows of the glossary: the word to use, the retired ones, and the folders in which they are retired. */
function readGlossary() {
  const page = readFileSync(join(root, glossaryPage), 'utf8');
  const section = page.split(/^## Glossary$/m)[1]?.split(/^## /m)[0] ?? '';
  return [...section.matchAll(/^\| (.+?) \| .+ \| (.*?) ?\|$/gm)].flatMap(([, use, not]) => {
    const [words, folders] = not
      .split(' in ')
      .map((part) => [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    return words.map((word) => ({
      word,
      use,
      folders,
      pattern: new RegExp(`\\b${wordsOf(word)}s?\\b`, 'g'),
    }));
  });
}

function filesBelow(dir) {
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    // compiled files repeat the words of their sources
    if (['node_modules', 'dist'].includes(entry.name) || entry.isSymbolicLink()) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** The lines of a file. Rows of the glossary name retired words, and are empty here. */
function linesOf(file) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  if (file !== glossaryPage) return lines;
  const [begin] = lines
    .map((line, index) => (line === '## Glossary' ? index : -1))
    .filter((index) => index >= 0);
  const end = lines.findIndex((line, index) => index > begin && line.startsWith('## '));
  return lines.map((line, index) => (index > begin && index < end && line.startsWith('|') ? '' : line));
}

const isIn = (file, folder) => file === folder || file.startsWith(`${folder}/`);
const isAllowed = (file, word) =>
  allowances.some((allowed) => allowed.files.test(file) && (allowed.word ?? word) === word);

function complaintsOf(file, glossary) {
  const retired = glossary.filter(
    ({ word, folders }) =>
      !isAllowed(file, word) && (!folders || folders.some((folder) => isIn(file, folder))),
  );
  const lines = [file, ...linesOf(file)].map(wordsOf);
  return lines.flatMap((line, number) =>
    retired
      .filter(({ pattern }) => line.search(pattern) >= 0)
      .map(
        ({ word, use }) => `${file}${number > 0 ? `:${number}` : ''}: says "${word}"; the word is "${use}"`,
      ),
  );
}

const glossary = readGlossary();
const files = [...pages.filter((page) => existsSync(join(root, page))), ...rooms.flatMap(filesBelow)].filter(
  (file) => /\.(ts|mjs|h|cpp|cu|cuh|py|sh|cmake|md)$/.test(file),
);
const errors = files.flatMap((file) => complaintsOf(file, glossary));
if (errors.length > 0 || glossary.length === 0 || files.every((file) => file.endsWith('.md'))) {
  console.error(errors.join('\n') || 'no glossary or no source files found');
  process.exit(1);
}
console.log(
  `words: ${files.length} files use none of the ${glossary.length} words that the glossary retired`,
);
