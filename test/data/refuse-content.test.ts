/** What is refused in the text of a file: other encodings, ragged rows, empty texts, open quotes, endless rows. */

import { parse } from 'csv-parse/sync';
import { openDataset } from '../../lib/data';
import { expectError } from '../lib/fake-binding';
import { makeFile, rejection } from './files';
import { csv, header, noHeader, testRefusals } from './refuse-table';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

testRefusals([
  [
    'bad UTF-8',
    'tsv',
    bytes('a\tb\nc\t', [0xff], '\n'),
    noHeader,
    2,
    'Expected UTF-8 but received other bytes: save',
  ],
  ['half a character at the end', 'tsv', bytes('a\tb\nc\td', [0xc3]), noHeader, 2, 'Expected UTF-8'],
  ['bad UTF-8 in CSV', 'csv', bytes('a,b\n"x\ny",', [0xc0, 0x80], '\n'), csv, 2, 'Expected UTF-8'],
  ['UTF-16 with a mark', 'tsv', Buffer.from('\ufeffa\tb\n', 'utf16le'), noHeader, 1, 'Expected UTF-8'],
  ['UTF-16 without a mark', 'tsv', Buffer.from('a\tb\n', 'utf16le'), noHeader, 1, 'a NUL, as UTF-16 has'],
  [
    'a row too few',
    'tsv',
    'a\tb\nc\n',
    noHeader,
    2,
    'Expected 2 columns, as in the first row, but received 1',
  ],
  [
    'a row too many',
    'tsv',
    'a\tb\n\nc\td\te\n',
    noHeader,
    3,
    'Expected 2 columns, as in the first row, but received 3',
  ],
  ['ragged CSV after fields of several lines', 'csv', 'a,"b\n\n"\nc\n', csv, 4, 'Expected 2 columns'],
  ['an empty text', 'tsv', 'a\tb\nc\t\n', noHeader, 2, 'Expected a text for column 1 but received ""'],
  ['a text of spaces', 'tsv', 'q\tk\na\tb\n\u3000 \td\n', header, 3, 'Expected a text for q but received'],
  ['an empty text in CSV', 'csv', 'a,b\n"",c\n', csv, 2, 'Expected a text for column 0 but received ""'],
  [
    'a quote at the begin of a TSV field',
    'tsv',
    'a\tb\nc\t"d"\n',
    noHeader,
    2,
    'Say quotes: true if the file has quoted fields',
  ],
  [
    'a lone carriage return',
    'tsv',
    'a\tb\rc\td\r',
    noHeader,
    1,
    'a lone carriage return: convert the line ends',
  ],
  ['a quote left open', 'csv', 'a,b\nc,"d\n\ne,f\n', csv, 2, 'a quote is left open to the end of the file'],
  [
    'a quote within a field',
    'csv',
    'a,b\nc,d"e"\n',
    csv,
    2,
    'A quote stands within a field that is not quoted',
  ],
  [
    'text after a quoted field',
    'csv',
    'a,b\n"c"d,e\n',
    csv,
    2,
    'Expected a delimiter after the quote that closes a field',
  ],
  ['a file without rows', 'tsv', '\n\n', noHeader, 0, 'Expected rows but the file has none'],
  ['an empty file', 'jsonl', '', {}, 0, 'Expected rows but the file has none'],
  [
    'a header alone',
    'csv',
    'a,b\n',
    { header: true, parser: parse },
    0,
    'Expected rows but the file has none',
  ],
]);

it('names the line far behind the first block', async () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => `"a ${i}\n","b"\n`);
  rows[50_000] = 'a\n';
  const error = (await rejection(openDataset(makeFile('csv', rows.join('')), csv))) as Error;
  expect(error.message).toMatch(/\.csv:100001: Expected 2 columns/);
});

it.each([
  ['csv', csv, 'a quote is left open here, or the file is no text'],
  ['tsv', noHeader, 'the file is no text'],
])('refuses a row of %s that does not end, before the memory is full', async (ending, options, message) => {
  const path = makeFile(
    ending,
    `a,b\n"${'x'.repeat(17 * 2 ** 20)}`.replace(',', ending === 'csv' ? ',' : '\t'),
  );
  const error = (await rejection(openDataset(path, options))) as Error;
  expect(error.message).toContain(
    `${path}:2: Expected rows of at most 16777216 bytes but this one is longer: ${message}`,
  );
});

describe('a parser that does not do its work', () => {
  const open = (parser: unknown) =>
    rejection(openDataset(makeFile('csv', 'a,b\nc,d\n'), { header: false, parser: parser as typeof parse }));

  it('too few rows, no rows, and errors of its own', async () => {
    expect(((await open(() => [['a', 'b']])) as Error).message).toMatch(
      /:1: The parser found 1 rows where the quotes of the file delimit 2$/,
    );
    expect(((await open(() => 'no')) as Error).message).toMatch(
      /Expected an array of arrays of strings from options.parser but received no of type string/,
    );
    const own = new Error('out of paper');
    const error = (await open(() => {
      throw own;
    })) as Error;
    expectError(error as never, {
      type: Error,
      code: 'ERR_DATA',
      message: /:1: The parser refused the row: out of paper$/,
    });
    expect(error.cause).toBe(own);
  });
});
