/**
 * The parts of a page that checks ask for: blocks of prose, sentences, links and the anchors of headings. Knows the
 * Markdown that this documentation uses: fences, indented code, tables, lists, and generated regions between the
 * comments `<!-- results: … -->` and `<!-- end -->`. Refuses to be a parser for everything else.
 */

const isFence = (line) => /^\s*```/.test(line);
const isHeading = (line) => /^#{1,6} /.test(line);
const isTable = (line) => /^\s*\|/.test(line);
const item = /^\s*(?:[*-]|\d+\.) +/;

/** Lines of a page outside of fences, each with its number and whether it is prose. */
function* linesOf(text) {
  let [fenced, generated, indented, blank, listed] = [false, false, false, true, false];
  for (const [index, line] of text.split('\n').entries()) {
    const number = index + 1;
    if (isFence(line)) {
      fenced = !fenced;
      yield { number, line: '', prose: false };
      continue;
    }
    if (fenced) {
      yield { number, line: '', prose: false };
      continue;
    }
    if (/^<!-- results:/.test(line)) generated = true;
    if (/^<!-- end/.test(line)) generated = false;
    if (line.trim() === '') {
      blank = true;
      yield { number, line: '', prose: false };
      continue;
    }
    // four spaces after an empty line are code, outside of lists
    indented = /^ {4}/.test(line) && !listed && (blank || indented);
    listed = item.test(line) || (listed && /^\s/.test(line)) || (listed && !blank);
    blank = false;
    const other = generated || indented || isTable(line) || isHeading(line) || /^<!--/.test(line);
    yield { number, line, prose: !other, heading: isHeading(line), code: indented || generated };
  }
}

/** The text of a page without its code, line by line. */
const withoutCode = (text) => [...linesOf(text)].map(({ line, code }) => (code ? '' : line)).join('\n');

/** Paragraphs and items of lists: pieces of text with the numbers of their lines. */
function blocksOf(text) {
  const blocks = [];
  let block = null;
  for (const { number, line, prose } of linesOf(text)) {
    if (!prose) {
      block = null;
      continue;
    }
    if (!block || item.test(line)) {
      block = { pieces: [] };
      blocks.push(block);
    }
    block.pieces.push({ number, text: line.replace(item, '').trim() });
  }
  return blocks;
}

/**
 * Prose without marks: a piece of code is one word, a link is its text, a picture is a sentence of its own, and so is
 * each link of a list with dots between.
 */
const plain = (text) =>
  text
    .replace(/(`+)[^`]+?\1/g, 'code')
    .replace(/!\[([^\]]*?)\.?\]\([^)]*\)/g, '$1.')
    .replace(/\) ·(?=\s+\[)/g, ').')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|__|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])/g, '');

/** A full stop after these ends no sentence. */
const abbreviation = /\b(?:e\.g|i\.e|et al|vs|cf|resp|approx|No|Fig|Sec)\.$/;
const end = /[.!?][)"'’”]*(?=\s)/g;

/** Words are what carries a letter or a digit: dashes and signs of formulas between spaces count for nothing. */
export const wordsOf = (text) => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));

/** The sentences of a page, each with the line it begins in. */
export function sentencesOf(text) {
  return blocksOf(text).flatMap(({ pieces }) => {
    const whole = pieces.map((piece) => piece.text).join('\n');
    const source = plain(whole);
    const sentences = [];
    let from = 0;
    const close = (to) => {
      const sentence = source.slice(from, to);
      const skipped = source.slice(0, from).split('\n').length - 1;
      const leading = /^\s*/.exec(sentence)[0].split('\n').length - 1;
      const line = pieces[Math.min(skipped + leading, pieces.length - 1)].number;
      if (wordsOf(sentence).length > 0) sentences.push({ line, text: sentence.trim().replace(/\s+/g, ' ') });
      from = to;
    };
    for (const match of source.matchAll(end)) {
      const to = match.index + match[0].length;
      if (!abbreviation.test(source.slice(from, match.index + 1))) close(to);
    }
    close(source.length);
    return sentences;
  });
}

/** Links and pictures of a page, outside of code. A link may span two lines. */
export function linksOf(text) {
  // code of one line has brackets of its own
  const source = withoutCode(text).replace(/(`+)[^`\n]+?\1/g, (code) => 'x'.repeat(code.length));
  return [...source.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(({ 0: whole, 1: target, index }) => ({
    line: source.slice(0, index + whole.length).split('\n').length,
    target,
  }));
}

/** The names by which GitHub links to the headings of a page: the second "Order" is `order-1`. */
export function anchorsOf(text) {
  const seen = new Map();
  return [...linesOf(text)]
    .filter(({ heading }) => heading)
    .map(({ line }) => {
      const words = line.replace(/^#+ +/, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
      const name = words
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      return count === 0 ? name : `${name}-${count}`;
    });
}
