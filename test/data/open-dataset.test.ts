/** openDataset: what files of each form become, compared with the rows from which the files were made. */

import { parse } from 'csv-parse/sync';
import { type DatasetOptions, openDataset } from '../../lib/data';
import { makeFile, makeJsonl, range } from './files';

async function contentOf(path: string, options?: DatasetOptions) {
  const dataset = await openDataset(path, options);
  const { queries, keys, hardNegatives, labels } = await dataset.read(range(dataset.rows));
  return { queries, keys, hardNegatives, labels: labels && [...labels] };
}

const pairs = { queries: ['one', 'two'], keys: ['1', '2'], hardNegatives: [], labels: undefined };
const triplets = { ...pairs, hardNegatives: ['7', '8'] };
const scored = { ...pairs, labels: [1, 0.5] };

describe.each<[string, string, string, DatasetOptions, unknown]>([
  ['pairs, header', 'tsv', 'anchor\tpositive\none\t1\ntwo\t2\n', { header: true }, pairs],
  ['pairs, no header', 'tsv', 'one\t1\ntwo\t2\n', { header: false }, pairs],
  ['no line feed at the end', 'tsv', 'one\t1\ntwo\t2', { header: false }, pairs],
  ['CRLF', 'tsv', 'a\tb\r\none\t1\r\ntwo\t2\r\n', { header: true }, pairs],
  ['byte order mark', 'tsv', '\ufeffa\tb\none\t1\ntwo\t2\n', { columns: ['a', 'b'] }, pairs],
  ['blank lines', 'tsv', '\n\na\tb\n\none\t1\n\r\n\ntwo\t2\n\n', { header: true }, pairs],
  ['the ending .TAB', 'TAB', 'one\t1\ntwo\t2\n', { header: false }, pairs],
  ['triplets', 'tsv', 'anchor\tpositive\tnegative\none\t1\t7\ntwo\t2\t8\n', { header: true }, triplets],
  ['columns by name', 'tsv', 'id\tk\tq\nx\t1\tone\ny\t2\ttwo\n', { columns: ['q', 'k'] }, pairs],
  ['columns by number', 'tsv', 'x\t1\tone\ny\t2\ttwo\n', { columns: [2, 1], header: false }, pairs],
  [
    'by number with a header',
    'tsv',
    'id\tk\tq\nx\t1\tone\ny\t2\ttwo\n',
    { columns: [2, 1], header: true },
    pairs,
  ],
  [
    'a label by its name',
    'tsv',
    'sentence_A\tsentence_B\tscore\none\t1\t1\ntwo\t2\t.5\n',
    { header: true },
    scored,
  ],
  ['a label first', 'tsv', 'label\ta\tb\n1.0\tone\t1\n5e-1\ttwo\t2\n', { header: true }, scored],
  ['a label by number', 'tsv', '1\tone\t1\n0.5\ttwo\t2\n', { header: false, label: 0 }, scored],
  ['a label by option', 'tsv', 'a\tb\tw\none\t1\t1\ntwo\t2\t0.5\n', { label: 'w' }, scored],
  ['no label', 'tsv', 'label\tb\none\t1\ntwo\t2\n', { header: true, label: false }, pairs],
  ['a label that is a text', 'tsv', 'label\tb\none\t1\ntwo\t2\n', { columns: ['label', 'b'] }, pairs],
  [
    'quotes as text',
    'tsv',
    '"one"\t1\n"two\t2\n',
    { header: false, quotes: false },
    { ...pairs, queries: ['"one"', '"two'] },
  ],
  [
    'quoted fields',
    'tsv',
    'a\tb\n"one"\t1\ntwo\t"2"\n',
    { header: true, quotes: true, parser: parse },
    pairs,
  ],
  ['csv', 'csv', 'a,b\none,1\n"two","2"\n', { header: true, parser: parse }, pairs],
  [
    'csv with CRLF and a mark',
    'csv',
    '\ufeffa,b\r\none,1\r\n\r\ntwo,2',
    { header: true, parser: parse },
    pairs,
  ],
  ['csv with labels', 'csv', 'a,b,label\none,1,1\ntwo,2,"0.5"\n', { header: true, parser: parse }, scored],
  [
    'csv with line feeds, commas and quotes in fields',
    'csv',
    '"o,\nn\r\n""e""",1\ntwo,"\n2\n"\n',
    { header: false, parser: parse },
    { ...pairs, queries: ['o,\nn\r\n"e"', 'two'], keys: ['1', '\n2\n'] },
  ],
  ['objects', 'jsonl', '{"a":"one","b":"1"}\n{"b":"2","a":"two"}\n', {}, pairs],
  ['objects, CRLF and blank lines', 'ndjson', '{"a":"one","b":"1"}\r\n\r\n{"a":"two","b":"2"}', {}, pairs],
  ['arrays', 'jsonl', '["one","1","7"]\n["two","2","8"]\n', {}, triplets],
  [
    'fields by name',
    'jsonl',
    '{"id":1,"q":"one","k":"1"}\n{"q":"two","k":"2"}\n',
    { columns: ['q', 'k'] },
    pairs,
  ],
  [
    'a number as label',
    'jsonl',
    '{"a":"one","b":"1","label":1}\n{"a":"two","b":"2","label":0.5}\n',
    {},
    scored,
  ],
  ['another ending', 'txt', 'one\t1\ntwo\t2\n', { format: 'tsv', header: false }, pairs],
])('%s', (_, ending, content, options, expected) => {
  it(`of .${ending} is read`, async () => {
    expect(await contentOf(makeFile(ending, content), options)).toEqual(expected);
  });
});

it('texts are not changed', async () => {
  const texts = [' a ', 'é', 'e\u0301', '\u00a0b', '😀', '\ufeffx', 'a\u2028b', '  "q" '];
  const path = makeFile('tsv', texts.map((text) => `${text}\t${text}!\n`).join(''));
  // the first row begins with no mark
  expect((await contentOf(path, { header: false })).queries).toEqual(texts);
  const json = makeJsonl(texts.map((text) => [`${text}\n\t"`, text]));
  expect((await contentOf(json)).queries).toEqual(texts.map((text) => `${text}\n\t"`));
});

it('tells about the data set', async () => {
  const path = makeFile('tsv', 'anchor\tpositive\tnegative_1\tnegative_2\tscore\na\tb\tc\td\t1\n');
  const dataset = await openDataset(path, { header: true });
  const { name, rows, perQuery, labelled, columns } = dataset;
  expect({ name, rows, perQuery, labelled, columns, path: dataset.path }).toEqual({
    name: path.split('/').pop(),
    rows: 1,
    perQuery: 2,
    labelled: true,
    columns: ['anchor', 'positive', 'negative_1', 'negative_2'],
    path,
  });
  const batch = await dataset.read([0, 0]);
  expect(batch.hardNegatives).toEqual(['c', 'd', 'c', 'd']);
  expect(batch.perQuery).toBe(2);
  expect(batch.dataset).toBe(name);
  expect([...batch.rows]).toEqual([0, 0]);
  const plain = await openDataset(makeFile('tsv', 'a\tb\n'), { header: false, name: 'mine' });
  expect([plain.name, plain.columns, plain.labelled, plain.perQuery]).toEqual(['mine', undefined, false, 0]);
});

describe('a file of several blocks', () => {
  /** Texts of one to many characters of one to four bytes, so that ends of blocks fall everywhere. */
  const text = (i: number) => ['a', 'é', '猫', '😀'][i % 4]!.repeat(1 + ((i * 7919) % 400)) + i;
  const rows = range(9000).map((i) => [text(i), text(i + 1), i % 3 === 0 ? text(i) : 'x\n"y",\tz\r\n']);
  const csvField = (field: string) => `"${field.replaceAll('"', '""')}"`;

  it.each<[string, () => string, DatasetOptions]>([
    ['jsonl', () => makeJsonl(rows), {}],
    [
      'csv',
      () => makeFile('csv', rows.map((row) => `${row.map(csvField).join(',')}\r\n`).join('')),
      { header: false, parser: parse },
    ],
  ])('%s: rows in any order are the rows that were written', async (_, make, options) => {
    const dataset = await openDataset(make(), options);
    expect(dataset.rows).toBe(rows.length);
    // every third row from the end, then all rows: near ones are read together, far ones alone
    const order = [
      ...range(rows.length)
        .filter((i) => i % 3 === 0)
        .reverse(),
      ...range(rows.length),
    ];
    const { queries, keys, hardNegatives } = await dataset.read(order);
    expect(queries).toEqual(order.map((i) => rows[i]![0]));
    expect(keys).toEqual(order.map((i) => rows[i]![1]));
    expect(hardNegatives).toEqual(order.map((i) => rows[i]![2]));
    const few = [8999, 0, 4000];
    expect((await dataset.read(few)).queries).toEqual(few.map((i) => rows[i]![0]));
  });
});

it('no rows are no work', async () => {
  const dataset = await openDataset(makeJsonl([['a', 'b']]));
  expect((await dataset.read([])).queries).toEqual([]);
});
