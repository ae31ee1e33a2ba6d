/**
 * Lists that options cannot have are refused before native work starts: excluded pairs, lists of positives, and the
 * offsets of hard negatives. Problems have three queries and three keys.
 */
import { matrix } from './fake-binding';
import { badName, badShape, badType, badValue, detached, notYet, refuses } from './refusal-table';

const ints = (...values: number[]) => Int32Array.from(values);

function detachedInts(length: number): Int32Array {
  const values = new Int32Array(length);
  structuredClone(values, { transfer: [values.buffer] });
  return values;
}

const each = { offsets: ints(0, 1, 2, 3), keys: ints(0, 1, 2) };

/** What is wrong with lists alone, under either option. */
const wrongLists = (name: 'excludePairs' | 'labels', rest: object = {}) => {
  const given = (lists: unknown) => ({ ...rest, [name]: lists });
  return [
    badName(
      'a typo',
      given({ offsets: each.offsets, values: each.keys }),
      `Unknown name values in options.${name}`,
    ),
    badType(
      'no keys',
      given({ offsets: each.offsets }),
      `Int32Array for options.${name}.keys but received undefined`,
    ),
    badType(
      'offsets of floats',
      given({ ...each, offsets: new Float32Array(4) }),
      `Int32Array for options.${name}.offsets`,
    ),
    badType(
      'a plain array of keys',
      given({ ...each, keys: [0, 1, 2] }),
      'Int32Array.from(keys, Number) makes one',
    ),
    badShape(
      'too few offsets',
      given({ offsets: ints(0, 1, 3), keys: each.keys }),
      `Expected 4 options.${name}.offsets, one per query and the end of the last, but received 3`,
    ),
    badShape(
      'no offsets',
      given({ offsets: ints(), keys: ints() }),
      `Expected at least 2 options.${name}.offsets`,
    ),
    badValue(
      'a first offset',
      given({ offsets: ints(1, 1, 2, 3), keys: each.keys }),
      `Expected 0 for options.${name}.offsets[0] but received 1`,
    ),
    badValue(
      'an offset that falls',
      given({ offsets: ints(0, 2, 1, 3), keys: each.keys }),
      `Expected at least 2, the offset before, for options.${name}.offsets[2] but received 1`,
    ),
    badValue(
      'an end before that of the keys',
      given({ offsets: ints(0, 1, 1, 2), keys: each.keys }),
      `Expected 3, the number of options.${name}.keys, for options.${name}.offsets[3] but received 2`,
    ),
    badValue('an end beyond', given({ offsets: ints(0, 1, 2, 4), keys: each.keys }), 'but received 4'),
    badValue(
      'a key beyond the keys',
      given({ ...each, keys: ints(0, 3, 2) }),
      `Expected key index from 0 to 2 for options.${name}.keys[1] but received 3`,
    ),
    badValue(
      'a key below',
      given({ ...each, keys: ints(0, -1, 2) }),
      `options.${name}.keys[1] but received -1`,
    ),
    badValue(
      'a key twice',
      given({ offsets: ints(0, 1, 4, 5), keys: ints(1, 2, 0, 2, 1) }),
      `Expected each key once for query 1 in options.${name}.keys but received key 2 twice`,
    ),
    detached('detached keys', given({ ...each, keys: detachedInts(3) }), `options.${name}.keys`),
    notYet(
      'on a CUDA device',
      { ...given(each), backend: 'cuda' },
      "for backend 'cuda': use backend: 'cpu', with features on the host",
    ),
  ];
};

refuses('excludePairs', [
  badType('a plain array', { excludePairs: [[0], [1], [2]] }, 'object for options.excludePairs'),
  badType('a typed array', { excludePairs: ints(0, 1, 2) }, 'object for options.excludePairs'),
  ...wrongLists('excludePairs', { objective: 'siglip' }),
]);

refuses('labels as lists, infonce', [
  ...wrongLists('labels', { objective: 'infonce' }),
  badValue(
    'a query without a positive',
    { objective: 'infonce', labels: { offsets: ints(0, 1, 1, 2), keys: ints(0, 1) } },
    'Expected a key of query 1 in options.labels but received an empty list; options.queryWeights of 0 leave a row out',
  ),
  badValue(
    'a query of some weight without a positive',
    {
      objective: 'infonce',
      labels: { offsets: ints(0, 1, 1, 1), keys: ints(0) },
      queryWeights: Float32Array.of(1, 0, 2),
    },
    'Expected a key of query 2',
  ),
  badValue(
    'with directions',
    { objective: 'infonce', directions: ['queryToKey'], labels: each },
    'no options.labels with options.directions',
  ),
  badValue(
    'with smoothing',
    { objective: 'infonce', labels: each, labelSmoothing: 0.1 },
    "no options.labelSmoothing beside lists in options.labels (objective 'infonce')",
  ),
  badValue(
    'with a margin',
    { objective: 'infonce', labels: each, falseNegativeMargin: 0 },
    'no options.falseNegativeMargin beside lists in options.labels',
  ),
]);

refuses('labels, clip', [
  ...wrongLists('labels'),
  badValue(
    'of one key each',
    { labels: ints(0, 1, 2) },
    "lists { offsets, keys } (objective 'clip') for options.labels but received an instance of Int32Array; " +
      "objective 'infonce' takes one key for each query",
  ),
  badValue(
    'without a positive',
    { labels: { offsets: ints(0, 1, 1, 2), keys: ints(0, 1) } },
    'Expected a key of query 1 in options.labels but received an empty list; leave the query out of the batch',
  ),
  badValue(
    'with weights',
    { labels: each, queryWeights: Float32Array.of(1, 1, 1) },
    "no options.queryWeights beside lists in options.labels (objective 'clip') but received some: a key is an anchor too",
  ),
  badValue('with a margin', { labels: each, falseNegativeMargin: 0 }, 'it measures from one positive'),
  badValue('with smoothing', { labels: each, labelSmoothing: 0 }, 'it takes from the target of one positive'),
]);

refuses('labels, supcon', [
  badType(
    'as lists',
    { objective: 'supcon', labels: each },
    'Int32Array for options.labels but received an instance of Object',
  ),
]);

const keys = matrix(3, 4);
const threeIds = { queryIds: ints(0, 1, 2), keyIds: ints(0, 1, 2) };

refuses('hardNegatives with offsets', [
  badValue(
    'and perQuery',
    { hardNegatives: { keys, perQuery: 1, offsets: each.offsets } },
    'options.hardNegatives.perQuery or options.hardNegatives.offsets, not both',
  ),
  badType(
    'of floats',
    { hardNegatives: { keys, offsets: new Float32Array(4) } },
    'options.hardNegatives.offsets',
  ),
  badShape(
    'too few',
    { hardNegatives: { keys, offsets: ints(0, 1, 3) } },
    '4 options.hardNegatives.offsets, one per query and the end of the last, but received 3',
  ),
  badValue(
    'from 1',
    { hardNegatives: { keys, offsets: ints(1, 1, 2, 3) } },
    '0 for options.hardNegatives.offsets[0]',
  ),
  badValue(
    'that fall',
    { hardNegatives: { keys, offsets: ints(0, 2, 1, 3) } },
    'at least 2, the offset before, for options.hardNegatives.offsets[2] but received 1',
  ),
  badShape(
    'that end before the rows',
    { hardNegatives: { keys, offsets: ints(0, 1, 1, 2) } },
    '[2, 4] (the last of offsets, dim) for options.hardNegatives.keys but received [3, 4]',
  ),
  badShape(
    'and too few ids',
    { ...threeIds, hardNegatives: { keys, offsets: ints(0, 3, 3, 3), ids: ints(1) } },
    '3 options.hardNegatives.ids, one per hard negative, but received 1',
  ),
  detached(
    'detached',
    { hardNegatives: { keys, offsets: detachedInts(4) } },
    'options.hardNegatives.offsets',
  ),
  notYet(
    'on a CUDA device',
    { backend: 'cuda', hardNegatives: { keys, offsets: each.offsets } },
    "options.hardNegatives.offsets is not in this version of infcl for backend 'cuda': use backend: 'cpu'",
  ),
]);
