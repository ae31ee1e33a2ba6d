/** Gradients that cannot be had and arrays that cannot hold them are refused before native work starts. */
import { expectRefused, fakeNative, matrix } from './fake-binding';
import { badName, badShape, badType, badValue, overlapping, type Refusal, refuses } from './refusal-table';

const array = (length = 12) => new Float32Array(length);
const shared = array(30);
const gradientOnly = true;

const grad: Refusal[] = [
  badType('a boolean', { grad: false }, 'object for options.grad but received false'),
  badType('a number', { grad: { queries: 1 } }, 'boolean for options.grad.queries but received 1'),
  badName('a typo', { grad: { key: true } }, 'Unknown name key in options.grad; did you mean keys?'),
  badType(
    'a count of keys',
    { grad: { keys: 2 } },
    'boolean or { rows } for options.grad.keys but received 2',
  ),
  badType('no count', { grad: { keys: {} } }, 'positive integer for options.grad.keys.rows'),
  badValue('no rows', { grad: { keys: { rows: 0 } } }, 'options.grad.keys.rows but received 0'),
  badValue(
    'too many rows',
    { grad: { keys: { rows: 4 } } },
    'positive integer up to 3 for options.grad.keys.rows but received 4',
  ),
  badValue(
    'part of the anchors',
    { objective: 'ntxent', grad: { keys: { rows: 2 } } },
    'a gradient of all keys or none where keys are compared with each other',
  ),
  badValue(
    'part of keys that are compared',
    { directions: ['queryToKey', 'keyToKey'], grad: { keys: { rows: 2 } } },
    'a gradient of all keys or none where keys are compared with each other',
  ),
];

const out: Refusal[] = [
  badType('an array', { out: array() }, 'object for options.out'),
  badName('a typo', { out: { queryGrad: array() } }, 'did you mean queryGrads?'),
  badType(
    'float64',
    { out: { queryGrads: new Float64Array(12) } },
    'Float32Array for options.out.queryGrads',
  ),
  badShape(
    'too short',
    { out: { queryGrads: array(11) } },
    '12 elements ([3, 4]) for options.out.queryGrads but received 11',
  ),
  badShape(
    'too long',
    { out: { keyGrads: array(13) } },
    '12 elements ([3, 4]) for options.out.keyGrads but received 13',
  ),
  badShape(
    'of all keys where some are a bank',
    { grad: { keys: { rows: 2 } }, out: { keyGrads: array() } },
    '8 elements ([2, 4]) for options.out.keyGrads but received 12',
  ),
  badValue(
    'for a frozen side',
    { grad: { keys: false }, out: { keyGrads: array() } },
    'Expected no options.out.keyGrads: this call has no such gradient',
  ),
  badValue(
    'for hard negatives that are not there',
    { out: { hardNegativeGrads: array() } },
    'Expected no options.out.hardNegativeGrads',
  ),
  overlapping(
    'sharing memory',
    { out: { queryGrads: shared.subarray(0, 12), keyGrads: shared.subarray(11, 23) } },
    'options.out.queryGrads not to share memory with options.out.keyGrads',
  ),
];

refuses('grad', grad, gradientOnly);
refuses('out', out, gradientOnly);

it('a loss without gradient ignores both', () => {
  for (const { options } of [...grad, ...out]) {
    const { functions, requests } = fakeNative();
    functions.contrastiveLossSync(matrix(3, 4), matrix(3, 4), options as object);
    expect(requests[0]).toMatchObject({
      gradient: false,
      queryGrads: null,
      keyGrads: null,
      hardNegativeGrads: null,
    });
  }
});

it.each(['queryGrads', 'keyGrads', 'hardNegativeGrads'])('out.%s over an input', async (name) => {
  const [queries, keys, hardNegatives] = [matrix(3, 4), matrix(3, 4), matrix(3, 4)];
  const inputs = { queries, keys, 'options.hardNegatives.keys': hardNegatives };
  for (const [input, { data }] of Object.entries(inputs)) {
    await expectRefused(
      {
        queries,
        keys,
        options: { hardNegatives: { keys: hardNegatives, perQuery: 1 }, out: { [name]: data } },
      },
      {
        type: RangeError,
        code: 'ERR_OVERLAP',
        message: `options.out.${name} not to share memory with ${input}.data`,
      },
      gradientOnly,
    );
  }
});

it('arrays that touch are fine, and so are inputs that overlap', () => {
  const { functions, requests } = fakeNative();
  const both = matrix(3, 4);
  const given = { queryGrads: shared.subarray(0, 12), keyGrads: shared.subarray(12, 24) };
  functions.contrastiveLossAndGradSync(both, both, { out: given });
  expect(requests[0]!.queryGrads).toBe(given.queryGrads);
  expect(requests[0]!.keyGrads).toBe(given.keyGrads);
});
