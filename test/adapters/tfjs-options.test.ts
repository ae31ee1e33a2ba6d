/** What `contrastiveLoss` and `tfjsEncoder` of infcl/tfjs refuse, before any work and without a tensor left. */

import { contrastiveLoss, tfjsEncoder } from '../../lib/adapters/tfjs';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { kept, matrix, tf, useBackend, variable } from './tfjs-host';

beforeAll(() => useBackend('cpu'));

const x = () => matrix(4, 3, 1);
const loss = (queries: unknown, keys: unknown, options?: unknown) => () =>
  contrastiveLoss(tf, queries as tf.Tensor, keys as tf.Tensor, options as object);
const encoder = (options: unknown) => () => tfjsEncoder(options as Parameters<typeof tfjsEncoder>[0]);
const good = () => ({ tf, model: { apply: x, variables: [variable(x)] } });
const symbolic = () => tf.input({ shape: [3] });

const classes: Record<string, ErrorConstructor> = { ...classOf, ERR_DISPOSED: TypeError };
type Row = [what: string, call: () => () => unknown, code: string, message: string];

const ofLoss: Row[] = [
  [
    'no module',
    () => () => contrastiveLoss(undefined as never, x(), x()),
    'ERR_TYPE',
    'Expected object for tf',
  ],
  [
    'a part of the module',
    () => () => contrastiveLoss(tf.layers as never, x(), x()),
    'ERR_TYPE',
    'import * as tf',
  ],
  [
    'a module whose engine counts no gradients',
    () => () => contrastiveLoss({ ...tf, engine: () => ({}) } as never, x(), x()),
    'ERR_TYPE',
    'tf.engine()',
  ],
  ['queries that are no tensor', () => loss([[1]], x()), 'ERR_TYPE', 'Expected tf.Tensor for queries'],
  ['keys that are missing', () => loss(x(), undefined), 'ERR_TYPE', 'Expected tf.Tensor for keys'],
  ['a matrix of infcl', () => loss({ data: new Float32Array(3), shape: [1, 3] }, x()), 'ERR_TYPE', 'queries'],
  ['a symbolic tensor', () => loss(symbolic(), x()), 'ERR_TYPE', 'a symbolic tensor has no values yet'],
  ['integers', () => loss(tf.ones([4, 3], 'int32'), x()), 'ERR_DTYPE', "tf.cast(x, 'float32')"],
  ['three dimensions', () => loss(x(), tf.ones([4, 3, 1])), 'ERR_SHAPE', 'shape [4, 3, 1]'],
  [
    'a disposed tensor',
    () => {
      const gone = x();
      gone.dispose();
      return loss(gone, x());
    },
    'ERR_DISPOSED',
    'received a disposed one',
  ],
  ['other widths', () => loss(x(), matrix(4, 2, 1)), 'ERR_SHAPE', 'equal dim'],
  ['no keys for clip', () => loss(x(), null), 'ERR_TYPE', 'for keys'],
  ['results per row', () => loss(x(), x(), { perRow: true }), 'ERR_OPTION', 'no options.perRow'],
  ['output arrays', () => loss(x(), x(), { out: {} }), 'ERR_OPTION', 'no options.out'],
  ['a typo', () => loss(x(), x(), { logitscale: 1 }), 'ERR_OPTION', 'did you mean logitScale?'],
  ['a group that is none', () => loss(x(), x(), { group: {} }), 'ERR_TYPE', 'options.group'],
  ['options that are no object', () => loss(x(), x(), 3), 'ERR_TYPE', 'options'],
  [
    'a scale of several elements',
    () => loss(x(), x(), { logitScale: tf.ones([2]) }),
    'ERR_SHAPE',
    'one element',
  ],
  [
    'a scale of integers',
    () => loss(x(), x(), { logitScale: tf.scalar(1, 'int32') }),
    'ERR_DTYPE',
    'logitScale',
  ],
  ['a scale of 0', () => loss(x(), x(), { logitScale: tf.scalar(0) }), 'ERR_VALUE', 'options.logitScale'],
  ['a scale that is an object', () => loss(x(), x(), { logitScale: {} }), 'ERR_TYPE', 'options.logitScale'],
  ['a bias for clip', () => loss(x(), x(), { logitBias: tf.scalar(1) }), 'ERR_VALUE', 'siglip'],
  [
    'labels of another type',
    () => loss(x(), x(), { objective: 'infonce', labels: tf.ones([4]) }),
    'ERR_DTYPE',
    'tensor of int32 for options.labels',
  ],
  [
    'weights of another type',
    () => loss(x(), x(), { queryWeights: tf.ones([4], 'int32') }),
    'ERR_DTYPE',
    'float32',
  ],
  [
    'too few weights',
    () => loss(x(), x(), { queryWeights: tf.ones([3]) }),
    'ERR_SHAPE',
    '4 options.queryWeights',
  ],
  [
    'hard negatives of another shape',
    () => loss(x(), x(), { hardNegatives: { keys: x(), perQuery: 2 } }),
    'ERR_SHAPE',
    'options.hardNegatives.keys',
  ],
  [
    'hard negatives of no number',
    () => loss(x(), x(), { hardNegatives: { keys: x() } }),
    'ERR_TYPE',
    'options.hardNegatives.perQuery',
  ],
  [
    'hard negatives that are nothing',
    () => loss(x(), x(), { hardNegatives: { keys: null, perQuery: 1 } }),
    'ERR_TYPE',
    'options.hardNegatives.keys',
  ],
];

const ofEncoder: Row[] = [
  ['nothing', () => encoder(undefined), 'ERR_TYPE', 'Expected object for options'],
  ['a typo', () => encoder({ ...good(), forzen: true }), 'ERR_OPTION', 'did you mean frozen?'],
  ['a part of the module', () => encoder({ ...good(), tf: tf.layers }), 'ERR_TYPE', 'options.tf.clone'],
  ['no model', () => encoder({ tf }), 'ERR_TYPE', 'Expected object for options.model'],
  ['no function', () => encoder({ tf, model: {} }), 'ERR_TYPE', 'options.model.apply'],
  [
    'no variables',
    () => encoder({ tf, model: { apply: x } }),
    'ERR_TYPE',
    'a tf.LayersModel, or { apply, variables }',
  ],
  [
    'a tensor among the variables',
    () => encoder({ tf, model: { apply: x, variables: [x()] } }),
    'ERR_TYPE',
    'options.model.variables[0]',
  ],
  ['half a seed', () => encoder({ ...good(), seed: 0.5 }), 'ERR_VALUE', 'options.seed'],
  ['a string as seed', () => encoder({ ...good(), seed: '1' }), 'ERR_TYPE', 'options.seed'],
  ['a string for training', () => encoder({ ...good(), training: 'yes' }), 'ERR_TYPE', 'options.training'],
  ['a string for frozen', () => encoder({ ...good(), frozen: 'yes' }), 'ERR_TYPE', 'options.frozen'],
];

describe.each([
  ['contrastiveLoss', ofLoss],
  ['tfjsEncoder', ofEncoder],
])('%s refuses', (_, rows) => {
  test.each(rows)('%s', (_what, make, code, message) => {
    const call = make();
    tf.tidy(() => {
      const before = kept();
      expectError(thrownBy(call), { type: classes[code] ?? RangeError, code, message });
      if (rows === ofLoss) return;
      expect(kept()).toEqual(before);
    });
  });
});

test('contrastiveLoss refuses the same within a gradient', () => {
  const [q, k] = [x(), x()];
  const options = {
    hardNegatives: { keys: { data: q.dataSync(), shape: [4, 3] }, perQuery: 1 },
    grad: { hardNegatives: true },
  };
  const { code, message } = thrownBy(() =>
    tf.grad((a: tf.Tensor) => contrastiveLoss(tf, a, k, options as object))(q),
  );
  expect(code).toBe('ERR_VALUE');
  expect(message).toContain('options.hardNegatives.keys');
  tf.dispose([q, k]);
});

test.each<[what: string, apply: () => unknown, code: string, message: string]>([
  ['nothing', () => undefined, 'ERR_ENCODER', 'a tf.Tensor [rows, dim]'],
  ['a promise', async () => x(), 'ERR_ENCODER', 'apply must not be async'],
  [
    'a promise that rejects',
    () => Promise.reject(new Error('nobody sees this')),
    'ERR_ENCODER',
    'not be async',
  ],
  ['two tensors', () => [x(), x()], 'ERR_ENCODER', 'a tf.Tensor [rows, dim]'],
  ['one dimension', () => tf.ones([3]), 'ERR_SHAPE', '[rows, dim]'],
  ['integers', () => tf.ones([4, 3], 'int32'), 'ERR_DTYPE', 'float32'],
])('a result of apply that is %s is refused, and leaves no tensor', async (what, apply, code, message) => {
  const variables = [variable(x)];
  const made = tfjsEncoder({ tf, model: { apply: apply as () => tf.Tensor, variables } });
  const before = kept();
  await expect(made.encode(undefined)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  const grads = { data: new Float32Array(12), shape: [4, 3], dtype: 'float32' } as const;
  expect(thrownBy(() => void made.backward!(undefined, grads)).code).toBe(code);
  // what an async apply makes is out of reach
  if (what !== 'a promise') expect(kept()).toEqual(before);
  tf.dispose(variables);
});

test('each option is read once', async () => {
  const reads: string[] = [];
  const watched = (values: object) => {
    const target = {};
    for (const [name, value] of Object.entries(values)) {
      const get = () => {
        reads.push(name);
        return value;
      };
      Object.defineProperty(target, name, { enumerable: true, get });
    }
    return target;
  };
  const model = watched(good().model);
  const made = encoder(watched({ tf, model, seed: 1, training: true, frozen: false }))();
  for (let i = 0; i < 2; i++) await made.encode('chunk');
  expect(reads.sort()).toEqual(['apply', 'frozen', 'model', 'seed', 'tf', 'training', 'variables'].sort());

  reads.length = 0;
  const [q, k] = [x(), x()];
  const hardNegatives = watched({ keys: matrix(4, 3, 2), perQuery: 1 });
  const grad = watched({ queries: true, keys: true, hardNegatives: true });
  const options = watched({ objective: 'clip', logitScale: tf.scalar(2), hardNegatives, grad });
  tf.tidy(() => tf.grads((a, b) => contrastiveLoss(tf, a!, b!, options as object))([q, k]));
  expect(reads.sort()).toEqual(
    [
      'objective',
      'logitScale',
      'hardNegatives',
      'grad',
      'keys',
      'keys',
      'perQuery',
      'queries',
      'hardNegatives',
    ].sort(),
  );
});

test('a random state that no encoder gave is refused', () => {
  const made = encoder(good())();
  made.restoreRandomState!(3);
  for (const state of [undefined, '3', -1, 0.5]) {
    const { code } = thrownBy(() => made.restoreRandomState!(state));
    expect(code).toBe(typeof state === 'number' ? 'ERR_VALUE' : 'ERR_TYPE');
  }
  expect(made.randomState!()).toBe(3);
});
