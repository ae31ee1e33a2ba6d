/** Wrong arguments of openDataset: refused before the file is opened, with what to do. */

import { parse } from 'csv-parse/sync';
import { openDataset } from '../../lib/data';
import { expectError, type Thrown } from '../lib/fake-binding';
import { freePath, rejection } from './files';
import { wrongOption, wrongType, wrongValue } from './wrong-arguments';

// no such file: an argument that got past its check would be ENOENT
const missing = freePath('none');

it.each<[string, unknown, unknown, Thrown]>([
  ['no path', undefined, {}, wrongType(/^Expected string for path but received undefined/)],
  ['an empty path', '', {}, wrongValue(/^Expected path of a file for path/)],
  ['options that are no object', `${missing}.tsv`, 5, wrongType(/^Expected object for options/)],
  [
    'an unknown option',
    `${missing}.tsv`,
    { headers: true },
    wrongOption(/^Unknown name headers in options; did you mean header\?$/),
  ],
  [
    'an unknown ending',
    `${missing}.txt`,
    {},
    wrongOption(
      /^Expected one of tsv, csv, jsonl, as the ending .txt of the path says nothing, for options.format/,
    ),
  ],
  ['a packed file', `${missing}.tsv.gz`, {}, wrongOption(/; unpack the file first$/)],
  [
    'an unknown format',
    missing,
    { format: 'json' },
    wrongValue(
      /^Expected one of tsv, csv, jsonl for options.format but received json of type string; did you mean jsonl\?$/,
    ),
  ],
  [
    'no header',
    `${missing}.tsv`,
    {},
    wrongOption(/^Expected options.header for tsv: true if the first row has the names/),
  ],
  [
    'no header for numbers',
    `${missing}.tsv`,
    { columns: [0, 1] },
    wrongOption(/^Expected options.header for tsv/),
  ],
  [
    'a header that is no boolean',
    `${missing}.tsv`,
    { header: 1 },
    wrongType(/^Expected boolean for options.header/),
  ],
  [
    'names without header',
    `${missing}.tsv`,
    { columns: ['a', 'b'], header: false },
    wrongOption(/as there is no header$/),
  ],
  [
    'a label by name without header',
    `${missing}.tsv`,
    { label: 'a', header: false },
    wrongOption(/as there is no header$/),
  ],
  [
    'a header for jsonl',
    `${missing}.jsonl`,
    { header: true },
    wrongOption(/^Expected no options.header for jsonl/),
  ],
  [
    'columns that are no array',
    `${missing}.jsonl`,
    { columns: 'a' },
    wrongType(/^Expected array of names or numbers for options.columns/),
  ],
  [
    'one column',
    `${missing}.jsonl`,
    { columns: ['a'] },
    wrongValue(/^Expected at least two options.columns, the query and its key, but received 1$/),
  ],
  [
    'a column of another type',
    `${missing}.jsonl`,
    { columns: ['a', {}] },
    wrongType(/^Expected string for options.columns\[1\]/),
  ],
  [
    'an empty name',
    `${missing}.jsonl`,
    { columns: ['a', ''] },
    wrongValue(/^Expected a text for options.columns\[1\]/),
  ],
  [
    'a negative number',
    `${missing}.tsv`,
    { columns: [0, -1], header: false },
    wrongValue(/^Expected non-negative integer for options.columns\[1\]/),
  ],
  ['names and numbers', `${missing}.tsv`, { columns: ['a', 1] }, wrongType(/to be all names or all numbers/)],
  [
    'a column twice',
    `${missing}.jsonl`,
    { columns: ['a', 'a'] },
    wrongValue(/^Expected different options.columns but received a twice$/),
  ],
  [
    'a label that is a column',
    `${missing}.jsonl`,
    { columns: ['a', 'b'], label: 'b' },
    wrongValue(/^Expected options.label that is none of options.columns/),
  ],
  [
    'a label of another type',
    `${missing}.jsonl`,
    { label: true },
    wrongType(/^Expected name or number of a column, or false, for options.label/),
  ],
  [
    'quotes for csv',
    `${missing}.csv`,
    { header: true, quotes: true, parser: parse },
    wrongOption(/^Expected no options.quotes for csv/),
  ],
  [
    'quotes that are no boolean',
    `${missing}.tsv`,
    { header: true, quotes: '"' },
    wrongType(/^Expected boolean for options.quotes/),
  ],
  [
    'csv without parser',
    `${missing}.csv`,
    { header: true },
    wrongOption(/npm install csv-parse, and give the function parse of csv-parse\/sync/),
  ],
  [
    'quoted tsv without parser',
    `${missing}.tsv`,
    { header: true, quotes: true },
    wrongOption(/npm install csv-parse/),
  ],
  [
    'a parser that is no function',
    `${missing}.csv`,
    { header: true, parser: {} },
    wrongType(/^Expected parse of csv-parse\/sync for options.parser/),
  ],
  [
    'a parser that nothing uses',
    `${missing}.tsv`,
    { header: true, parser: parse },
    wrongOption(/^Expected no options.parser for this file/),
  ],
  [
    'an empty data set name',
    `${missing}.jsonl`,
    { name: '' },
    wrongValue(/^Expected a text for options.name/),
  ],
  [
    'a signal that is none',
    `${missing}.jsonl`,
    { signal: {} },
    wrongType(/^Expected AbortSignal for options.signal/),
  ],
])('openDataset refuses %s', async (_, path, options, error) => {
  expectError(await rejection(openDataset(path as string, options as object)), error);
});
