/** What is refused in JSON Lines: lines that are no JSON, other values than texts, and fields that differ. */

import { testRefusals } from './refuse-table';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

testRefusals([
  ['bad UTF-8 in JSON', 'jsonl', bytes('["a","b"]\n["', [0xe9], '","b"]\n'), {}, 2, 'Expected UTF-8'],
  ['a ragged array', 'jsonl', '["a","b"]\n["a","b","c"]\n', {}, 2, 'Expected 2 columns'],
  ['an empty text in JSON', 'jsonl', '["a","b"]\n["a",""]\n', {}, 2, 'Expected a text for column 1'],
  [
    'broken JSON',
    'jsonl',
    '["a","b"]\n["a","b"\n',
    {},
    2,
    'Expected one JSON value on the line but received',
  ],
  ['two values on a line', 'jsonl', '["a","b"] ["a","b"]\n', {}, 1, 'Expected one JSON value'],
  [
    'a text alone',
    'jsonl',
    '["a","b"]\n"a"\n',
    {},
    2,
    'Expected a JSON object or an array of strings but received a of type string',
  ],
  ['null', 'jsonl', 'null\n', {}, 1, 'Expected a JSON object or an array of strings but received null'],
  [
    'a number for a text',
    'jsonl',
    '["a","b"]\n["a",5]\n',
    {},
    2,
    'Expected a text for column 1 but received 5 of type number',
  ],
  [
    'a list for a text',
    'jsonl',
    '{"query":"a","pos":["b"]}\n',
    {},
    1,
    'Expected a text for pos but received an instance of Array',
  ],
  ['null for a text', 'jsonl', '{"a":"a","b":null}\n', {}, 1, 'Expected a text for b but received null'],
  ['half a surrogate pair', 'jsonl', '["a","\\ud83d"]\n', {}, 1, 'Expected well-formed text for column 1'],
  [
    'a missing field',
    'jsonl',
    '{"a":"a","b":"b"}\n{"a":"c"}\n',
    {},
    2,
    'Expected a field b but the fields are a',
  ],
  [
    'no field at all',
    'jsonl',
    '{"a":"a","b":"b"}\n{}\n',
    {},
    2,
    'Expected a field a but the fields are none',
  ],
  [
    'a field that others lack',
    'jsonl',
    '{"a":"a","b":"b"}\n{"a":"c","b":"d","e":"f"}\n',
    {},
    2,
    'but received e as well: name those to read in columns',
  ],
  [
    'an inherited field',
    'jsonl',
    '{"a":"a","toString":"b"}\n{"a":"c"}\n',
    {},
    2,
    'Expected a field toString',
  ],
  [
    'an array among objects',
    'jsonl',
    '{"a":"a","b":"b"}\n["c","d"]\n',
    {},
    2,
    'Expected an object, as in the first row, but received an array',
  ],
  [
    'an object among arrays',
    'jsonl',
    '["c","d"]\n{"a":"a","b":"b"}\n',
    {},
    2,
    'Expected an array, as in the first row, but received an object',
  ],
  [
    'a label that is true',
    'jsonl',
    '{"a":"a","b":"b","label":true}\n',
    {},
    1,
    'but received true of type boolean',
  ],
]);
