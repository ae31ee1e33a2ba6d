/**
 * Values that options of positives, masks, directions and weights cannot have are refused before native work
 * starts. Which objective honours which of them is in refuse-outputs.test.ts.
 */
import { matrix } from './fake-binding';
import { badName, badShape, badType, badValue, detached, refuses } from './refusal-table';

function detachedIds(): Int32Array {
  const ids = new Int32Array(3);
  structuredClone(ids, { transfer: [ids.buffer] });
  return ids;
}

refuses('labels', [
  badType(
    'a plain array',
    { objective: 'infonce', labels: [0, 1, 2] },
    'options.labels but received an instance of Array; Int32Array.from(labels, Number) makes one',
  ),
  badType(
    'bigints',
    { objective: 'infonce', labels: new BigInt64Array(3) },
    'options.labels but received an instance of BigInt64Array; Int32Array.from(labels, Number) makes one',
  ),
  badType(
    'a tensor of integers',
    { objective: 'infonce', labels: { type: 'int64', data: new BigInt64Array(3) } },
    'received an instance of Object; Int32Array.from(labels.data, Number) makes one',
  ),
  badValue(
    'the mark of an ignored row',
    { objective: 'infonce', labels: Int32Array.of(0, -100, 2) },
    'options.labels[1] but received -100 of type number; options.queryWeights of 0 leave a row out',
  ),
  badType(
    'unsigned',
    { objective: 'infonce', labels: new Uint32Array(3) },
    'received an instance of Uint32Array',
  ),
  badShape(
    'too few',
    { objective: 'infonce', labels: new Int32Array(2) },
    '3 options.labels, one per query, but received 2',
  ),
  badShape(
    'too many classes',
    { objective: 'supcon', labels: new Int32Array(4) },
    '3 options.labels, one per query, but received 4',
  ),
  badValue(
    'negative',
    { objective: 'infonce', labels: Int32Array.of(0, -1, 2) },
    'key index from 0 to 2 for options.labels[1] but received -1',
  ),
  badValue(
    'beyond the keys',
    { objective: 'infonce', labels: Int32Array.of(0, 1, 3) },
    'options.labels[2] but received 3',
  ),
  badType(
    'none for supcon',
    { objective: 'supcon' },
    "Int32Array of classes (objective 'supcon') for options.labels but received undefined",
  ),
  {
    keys: null,
    ...badType('none for supcon of queries alone', { objective: 'supcon' }, 'options.labels'),
  },
  detached('detached', { objective: 'infonce', labels: detachedIds() }, 'options.labels'),
]);

refuses('ids', [
  badValue(
    'of queries only',
    { queryIds: new Int32Array(3) },
    'options.queryIds and options.keyIds together but keyIds is missing',
  ),
  badValue('of keys only', { keyIds: new Int32Array(3) }, 'together but queryIds is missing'),
  badShape(
    'too few',
    { queryIds: new Int32Array(2), keyIds: new Int32Array(3) },
    '3 options.queryIds, one per query, but received 2',
  ),
  badShape(
    'too many',
    { queryIds: new Int32Array(3), keyIds: new Int32Array(4) },
    '3 options.keyIds, one per key, but received 4',
  ),
  badType(
    'floats',
    { queryIds: new Float32Array(3), keyIds: new Int32Array(3) },
    'Int32Array for options.queryIds',
  ),
  detached('detached', { queryIds: new Int32Array(3), keyIds: detachedIds() }, 'options.keyIds'),
]);

refuses('falseNegativeMargin', [
  badValue(
    'Infinity',
    { falseNegativeMargin: Number.POSITIVE_INFINITY },
    'finite number for options.falseNegativeMargin',
  ),
  badType('a boolean', { falseNegativeMargin: true }, 'but received true of type boolean'),
]);

const threeIds = { queryIds: new Int32Array(3), keyIds: new Int32Array(3) };

refuses('hardNegatives', [
  badType('a bare matrix', { hardNegatives: new Float32Array(12) }, 'object for options.hardNegatives'),
  badName(
    'a typo',
    { hardNegatives: { keys: matrix(3, 4), perquery: 1 } },
    'Unknown name perquery in options.hardNegatives; did you mean perQuery?',
  ),
  badType(
    'no count',
    { hardNegatives: { keys: matrix(3, 4) } },
    'positive integer for options.hardNegatives.perQuery but received undefined',
  ),
  badValue(
    'none per query',
    { hardNegatives: { keys: matrix(3, 4), perQuery: 0 } },
    'perQuery but received 0',
  ),
  badShape(
    'too few',
    { hardNegatives: { keys: matrix(5, 4), perQuery: 2 } },
    '[6, 4] (perQuery * queries, dim) for options.hardNegatives.keys but received [5, 4]',
  ),
  badShape('of another dim', { hardNegatives: { keys: matrix(3, 5), perQuery: 1 } }, 'but received [3, 5]'),
  badValue(
    'with ids that nothing is compared with',
    { hardNegatives: { keys: matrix(3, 4), perQuery: 1, ids: new Int32Array(3) } },
    'options.queryIds and options.keyIds beside options.hardNegatives.ids but received none',
  ),
  badType(
    'with ids that are floats',
    { ...threeIds, hardNegatives: { keys: matrix(3, 4), perQuery: 1, ids: new Float32Array(3) } },
    'Int32Array for options.hardNegatives.ids',
  ),
  badShape(
    'with too few ids',
    { ...threeIds, hardNegatives: { keys: matrix(6, 4), perQuery: 2, ids: new Int32Array(3) } },
    '6 options.hardNegatives.ids, one per hard negative, but received 3',
  ),
  detached(
    'with detached ids',
    { ...threeIds, hardNegatives: { keys: matrix(3, 4), perQuery: 1, ids: detachedIds() } },
    'options.hardNegatives.ids',
  ),
]);

refuses('directions', [
  badType(
    'a string',
    { directions: 'queryToKey' },
    'non-empty array for options.directions but received queryToKey',
  ),
  badType('empty', { directions: [] }, 'non-empty array for options.directions'),
  badValue(
    'a typo',
    { directions: ['queryToKey', 'queryToQuary'] },
    'for options.directions[1] but received queryToQuary of type string; did you mean queryToQuery?',
  ),
  badValue(
    'without the positive',
    { directions: ['keyToQuery'] },
    "'queryToKey' among options.directions: its similarity is the positive",
  ),
  badValue(
    'with labels',
    { directions: ['queryToKey'], labels: new Int32Array(3) },
    'no options.labels with options.directions',
  ),
  {
    keys: matrix(5, 4),
    ...badShape(
      'with a bank of keys',
      { directions: ['queryToKey', 'keyToQuery'] },
      'as many keys as queries (3) for these options.directions but received 5',
    ),
  },
  badValue(
    'a partition without them',
    { objective: 'infonce', partition: 'joint' },
    'options.directions beside options.partition',
  ),
  badValue(
    'an unknown partition',
    { directions: ['queryToKey'], partition: 'both' },
    'one of joint, perDirection for options.partition',
  ),
]);

refuses('labelSmoothing', [
  badValue(
    'one',
    { labelSmoothing: 1 },
    'number from 0 to below 1 for options.labelSmoothing but received 1',
  ),
  badValue('negative', { labelSmoothing: -0.1 }, 'but received -0.1'),
  badValue('NaN', { labelSmoothing: Number.NaN }, 'but received NaN'),
  badType('a string', { labelSmoothing: '0.1' }, 'options.labelSmoothing but received 0.1 of type string'),
  badValue(
    'beside hardness',
    { labelSmoothing: 0.1, hardness: { strength: 1, on: 'inBatch' } },
    'options.labelSmoothing or options.hardness, not both',
  ),
]);

refuses('queryWeights', [
  badType('float64', { queryWeights: new Float64Array(3) }, 'Float32Array for options.queryWeights'),
  badShape(
    'too few',
    { queryWeights: Float32Array.of(1, 1) },
    '3 options.queryWeights, one per query, but received 2',
  ),
  badValue(
    'negative',
    { queryWeights: Float32Array.of(1, -1, 1) },
    'non-negative finite number for options.queryWeights[1] but received -1',
  ),
  badValue(
    'NaN',
    { queryWeights: Float32Array.of(1, 1, Number.NaN) },
    'options.queryWeights[2] but received NaN',
  ),
  badValue('all zero', { queryWeights: new Float32Array(3) }, 'a positive weight among options.queryWeights'),
]);

refuses('hardness', [
  badType('a number', { hardness: 9 }, 'object for options.hardness but received 9'),
  badValue(
    'negative',
    { hardness: { strength: -1, on: 'all' } },
    'positive number up to 1e+30 for options.hardness.strength',
  ),
  badValue('too strong', { hardness: { strength: 1.1e30, on: 'all' } }, 'but received 1.1e+30'),
  badType(
    'on nothing',
    { hardness: { strength: 1 } },
    'one of inBatch, hard, all for options.hardness.on but received undefined',
  ),
  badValue(
    'on what is not',
    { hardness: { strength: 1, on: 'easy' } },
    'for options.hardness.on but received easy',
  ),
  badValue(
    'on hard negatives, without any',
    { hardness: { strength: 1, on: 'hard' } },
    "options.hardNegatives for options.hardness.on 'hard'",
  ),
  badName('a typo', { hardness: { strenght: 1, on: 'all' } }, 'did you mean strength?'),
]);
