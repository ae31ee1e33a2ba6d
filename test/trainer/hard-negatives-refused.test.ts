/** Options of the tower of hard negatives that a step refuses, before anything is encoded. */
import { countingTower, expectStepRefused } from './refuse-step';

describe('refused', () => {
  const { tower } = countingTower();
  const hard = { keys: { data: new Float32Array(12), shape: [4, 3] }, perQuery: 2 };

  test.each<[what: string, hardNegatives: unknown, code: string, message: string]>([
    ['no object', 5, 'ERR_TYPE', 'Expected object for options.hardNegatives but received 5'],
    ['null', null, 'ERR_TYPE', 'options.hardNegatives'],
    ['no perQuery', tower, 'ERR_TYPE', 'options.hardNegatives.perQuery but received undefined'],
    ['no negative', { ...tower, perQuery: 0 }, 'ERR_VALUE', 'positive integer'],
    [
      'ids of floats',
      { ...tower, perQuery: 1, ids: new Float32Array(2) },
      'ERR_TYPE',
      'Int32Array for options.hardNegatives.ids',
    ],
    [
      'ids alone',
      { ...tower, perQuery: 1, ids: new Int32Array(2) },
      'ERR_VALUE',
      'options.queryIds and options.keyIds',
    ],
    [
      'two forms of rows',
      { ...tower, perQuery: 1, offsets: new Int32Array(3) },
      'ERR_VALUE',
      'options.hardNegatives.perQuery or options.hardNegatives.offsets, not both',
    ],
    [
      'offsets that fall',
      { ...tower, offsets: Int32Array.of(0, 2, 1) },
      'ERR_VALUE',
      'options.hardNegatives.offsets[2] but received 1',
    ],
    ['half a negative', { ...tower, perQuery: 1.5 }, 'ERR_VALUE', 'positive integer'],
    [
      'an unknown name',
      { ...tower, perQuery: 1, count: 2 },
      'ERR_OPTION',
      'Unknown name count in options.hardNegatives',
    ],
    ['features in place of a tower', hard, 'ERR_OPTION', 'Unknown name keys in options.hardNegatives'],
    ['no encoder', { chunks: () => [], perQuery: 1 }, 'ERR_ENCODER', 'options.hardNegatives.encoder'],
    ['no chunks', { ...tower, perQuery: 1, chunks: undefined }, 'ERR_CHUNKS', 'options.hardNegatives.chunks'],
    ['frozen', { ...tower, perQuery: 1, frozen: true }, 'ERR_OPTION', 'grad: { hardNegatives: false }'],
  ])('%s', (_, hardNegatives, code, message) =>
    expectStepRefused((good) => ({ ...good, hardNegatives }), { code, message }),
  );

  test.each<[what: string, loss: object, code: string, message: string]>([
    ['two kinds of hard negatives', { hardNegatives: hard }, 'ERR_VALUE', 'not both'],
    [
      'ntxent',
      { objective: 'ntxent' },
      'ERR_VALUE',
      "Expected no options.hardNegatives for objective 'ntxent'",
    ],
    ['siglip', { objective: 'siglip' }, 'ERR_VALUE', 'it belongs to clip, infonce'],
    [
      'an output of the frozen tower',
      { grad: { hardNegatives: false }, out: { hardNegativeGrads: new Float32Array(6) } },
      'ERR_VALUE',
      'trains no hardNegatives tower',
    ],
  ])('beside the tower: %s', (_, loss, code, message) =>
    expectStepRefused((good) => ({ ...good, hardNegatives: { ...good.keys, perQuery: 1 }, loss }), {
      code,
      message,
    }),
  );

  test('a gradient without a tower, or without a backward method', async () => {
    const loss = { grad: { hardNegatives: true } };
    await expectStepRefused((good) => ({ ...good, loss }), {
      code: 'ERR_ENCODER',
      message: 'Expected a tower options.hardNegatives, as options.loss.grad.hardNegatives is true',
    });
    const { encode } = tower.encoder;
    await expectStepRefused(
      (good) => ({ ...good, hardNegatives: { ...tower, encoder: { encode }, perQuery: 1 }, loss }),
      { code: 'ERR_ENCODER', message: 'Expected a backward method on options.hardNegatives.encoder' },
    );
  });
});
