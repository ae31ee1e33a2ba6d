/** Options of Matryoshka that a step refuses. */
import type { StepResult } from '../../lib/trainer';
import { expectStepRefused } from './refuse-step';
import { toyStep, toys } from './toy-step';

const logitScale = 5;
const step = (matryoshka: unknown, more: Parameters<typeof toyStep>[0] = {}) =>
  toyStep<StepResult>({ loss: { logitScale }, normalize: true, matryoshka, ...more });

describe('refused', () => {
  test.each<[what: string, matryoshka: unknown, code: string, message: string]>([
    ['a list', [4, 2], 'ERR_TYPE', 'object for options.matryoshka'],
    [
      'no dims',
      {},
      'ERR_TYPE',
      'non-empty array of numbers for options.matryoshka.dims but received undefined',
    ],
    ['empty dims', { dims: [] }, 'ERR_TYPE', 'options.matryoshka.dims'],
    ['half a dim', { dims: [1.5] }, 'ERR_VALUE', 'positive integer for options.matryoshka.dims[0]'],
    ['a dim of zero', { dims: [2, 0] }, 'ERR_VALUE', 'options.matryoshka.dims[1]'],
    [
      'a dim twice',
      { dims: [2, 3, 2] },
      'ERR_VALUE',
      'each of options.matryoshka.dims once but received 2 twice',
    ],
    ['a number for weights', { dims: [2], weights: 1 }, 'ERR_TYPE', 'options.matryoshka.weights'],
    [
      'too few weights',
      { dims: [3, 2], weights: [1] },
      'ERR_VALUE',
      '2 options.matryoshka.weights, one for each of dims, but received 1',
    ],
    ['a weight of zero', { dims: [3], weights: [0] }, 'ERR_VALUE', 'options.matryoshka.weights[0]'],
    ['a string for a weight', { dims: [3], weights: ['1'] }, 'ERR_TYPE', 'options.matryoshka.weights[0]'],
    [
      'more than there are',
      { dims: [3, 2], perStep: 3, seed: 1 },
      'ERR_VALUE',
      'positive integer up to 2 for options.matryoshka.perStep',
    ],
    [
      'a draw without a seed',
      { dims: [3, 2], perStep: 1 },
      'ERR_VALUE',
      'options.matryoshka.seed beside options.matryoshka.perStep',
    ],
    [
      'a seed without a draw',
      { dims: [3, 2], seed: 1 },
      'ERR_VALUE',
      'options.matryoshka.perStep beside options.matryoshka.seed',
    ],
    ['a negative seed', { dims: [3, 2], perStep: 1, seed: -1 }, 'ERR_VALUE', 'options.matryoshka.seed'],
    ['a typo', { dim: [3] }, 'ERR_OPTION', 'did you mean dims?'],
  ])('%s', (_, matryoshka, code, message) =>
    expectStepRefused((good) => ({ ...good, normalize: true, matryoshka }), { code, message }),
  );

  test.each<[what: string, added: object, of: string]>([
    ['no normalize', {}, 'queries'],
    ['a tower that is not normalised', { normalize: true, keys: { normalize: false } }, 'keys'],
  ])('%s', (_, { keys, ...added }: { keys?: object }, of) =>
    expectStepRefused(
      (good) => ({ ...good, ...added, keys: { ...good.keys, ...keys }, matryoshka: { dims: [2] } }),
      { code: 'ERR_VALUE', message: `whose prefixes have length 1, but ${of} is not normalised` },
    ),
  );

  test.each<[what: string, out: () => object, code: string, message: string]>([
    [
      'a short array',
      () => ({ keyGrads: new Float32Array(43) }),
      'ERR_SHAPE',
      '44 elements ([11, 4]) for options.loss.out.keyGrads but received 43',
    ],
    [
      'one array twice',
      () => {
        const all = new Float32Array(44);
        return { queryGrads: all, keyGrads: all };
      },
      'ERR_OVERLAP',
      'options.loss.out.queryGrads not to share memory with keyGrads',
    ],
  ])('%s for the gradients, before any backward', async (_, out, code, message) => {
    const towers = toys();
    const run = step({ dims: [2] }, { towers, loss: { logitScale, out: out() } });
    await expect(run).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(towers.queries.calls.some((call) => call.startsWith('backward'))).toBe(false);
  });

  test('a prefix longer than the features, before the loss', async () => {
    const towers = toys();
    await expect(step({ dims: [2, 5] }, { towers })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: 'Expected options.matryoshka.dims up to 4, the width of the features, but received 5',
    });
    expect(towers.queries.calls.some((call) => call.startsWith('backward'))).toBe(false);
  });
});
