/** Results of a caller's own loss that are refused, each before any gradient reaches an encoder. */
import type { StepFeatures } from '../../lib/trainer';
import { expectStepRefused } from './refuse-step';
import { denseSquares, squares } from './squares';
import { expectClose, featureDim } from './toy-encoder';
import { inputs, names, rows, toyStep, toys } from './toy-step';

/** A step whose loss is a function. */
const step = (loss: unknown, more: Parameters<typeof toyStep>[0] = {}) =>
  toyStep<Record<string, unknown> & { loss: number }>({ ...more, loss });

describe('a result that is refused, before any backward', () => {
  const good = (q: StepFeatures, k: StepFeatures) => squares(q, k);
  const shared = new Float32Array(2 * rows * featureDim);

  test.each<
    [what: string, change: (q: StepFeatures, k: StepFeatures) => unknown, code: string, message: string]
  >([
    ['nothing', () => undefined, 'ERR_TYPE', 'object { loss, queryGrads, keyGrads } for options.loss()'],
    ['null', () => null, 'ERR_TYPE', 'received null'],
    ['a number', () => 5, 'ERR_TYPE', 'received 5'],
    ['an array', () => [], 'ERR_TYPE', 'an instance of Array'],
    ['a typed array', () => new Float32Array(2), 'ERR_TYPE', 'an instance of Float32Array'],
    ['no loss', (q, k) => ({ ...good(q, k), loss: undefined }), 'ERR_TYPE', 'number for options.loss().loss'],
    [
      'a loss of NaN',
      (q, k) => ({ ...good(q, k), loss: Number.NaN }),
      'ERR_NOT_FINITE',
      'finite number for options.loss().loss',
    ],
    ['an infinite loss', (q, k) => ({ ...good(q, k), loss: -1 / 0 }), 'ERR_NOT_FINITE', 'received -Infinity'],
    [
      'no gradient',
      (q, k) => ({ ...good(q, k), keyGrads: undefined }),
      'ERR_TYPE',
      'Float32Array for options.loss().keyGrads',
    ],
    [
      'a gradient in float64',
      (q, k) => ({ ...good(q, k), queryGrads: new Float64Array(44) }),
      'ERR_TYPE',
      'queryGrads',
    ],
    ['a matrix for a gradient', (q, k) => ({ ...good(q, k), queryGrads: q }), 'ERR_TYPE', 'queryGrads'],
    [
      'too few numbers',
      (q, k) => ({ ...good(q, k), queryGrads: new Float32Array(43) }),
      'ERR_SHAPE',
      '44 elements ([11, 4]) for options.loss().queryGrads but received 43',
    ],
    [
      'NaN',
      (q, k) => ({ ...good(q, k), keyGrads: good(q, k).keyGrads.fill(Number.NaN, 9, 10) }),
      'ERR_NOT_FINITE',
      'row 2, column 1 of options.loss().keyGrads',
    ],
    [
      'infinity',
      (q, k) => ({ ...good(q, k), queryGrads: new Float32Array(44).fill(1 / 0) }),
      'ERR_NOT_FINITE',
      'row 0, column 0 of options.loss().queryGrads',
    ],
    [
      'one array twice',
      (q, k) => {
        const { queryGrads } = good(q, k);
        return { loss: 1, queryGrads, keyGrads: queryGrads };
      },
      'ERR_OVERLAP',
      'options.loss().queryGrads not to share memory with keyGrads',
    ],
    [
      'overlapping arrays',
      () => ({ loss: 1, queryGrads: shared.subarray(0, 44), keyGrads: shared.subarray(43, 87) }),
      'ERR_OVERLAP',
      'use separate arrays',
    ],
    [
      'the features',
      (q, k) => ({ ...good(q, k), keyGrads: q.data }),
      'ERR_OVERLAP',
      'the features of queries',
    ],
    [
      'results per row',
      (q, k) => ({ ...good(q, k), rows: {} }),
      'ERR_OPTION',
      'Expected no options.loss().rows',
    ],
    ['a cost', (q, k) => ({ ...good(q, k), cost: 1 }), 'ERR_OPTION', 'Expected no options.loss().cost'],
    [
      'half a byte',
      (q, k) => ({ ...good(q, k), scratchBytes: 0.5 }),
      'ERR_VALUE',
      'options.loss().scratchBytes',
    ],
  ])('%s', async (_, loss, code, message) => {
    const towers = toys();
    await expect(step(loss, { towers })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    const calls = names.flatMap((name) => towers[name].calls);
    expect(calls.some((call) => call.startsWith('encode'))).toBe(true);
    expect(calls.some((call) => call.startsWith('backward'))).toBe(false);
  });

  test('arrays beside each other in one buffer are fine', async () => {
    const beside = (q: StepFeatures, k: StepFeatures) => {
      const { loss, queryGrads, keyGrads } = good(q, k);
      shared.set(queryGrads);
      shared.set(keyGrads, 44);
      return { loss, queryGrads: shared.subarray(0, 44), keyGrads: shared.subarray(44) };
    };
    const [a, b] = [toys(), toys()];
    await step(good, { towers: a });
    await step(beside, { towers: b });
    expect([...b.keys.grads]).toEqual([...a.keys.grads]);
  });

  test('a gradient of a frozen tower is ignored', async () => {
    const towers = toys();
    const encoder = { encode: (x: Float32Array) => towers.keys.encode(x) };
    await step((q: StepFeatures, k: StepFeatures) => ({ ...good(q, k), keyGrads: 'none' }), {
      towers,
      keys: { encoder, chunks: () => [inputs.keys] },
    });
    expectClose(towers.queries.grads, denseSquares().slopes[0]!);
  });
});

describe('beside a loss of one’s own', () => {
  const loss = () => ({ loss: 1 });
  test.each<[what: string, added: object, code: string, message: string]>([
    [
      'matryoshka',
      { loss, normalize: true, matryoshka: { dims: [2] } },
      'ERR_VALUE',
      'cut the features in that loss',
    ],
    ['a class for a loss', { loss: 'clip' }, 'ERR_TYPE', 'object for options.loss'],
  ])('%s is refused', (_, added, code, message) =>
    expectStepRefused((step) => ({ ...step, ...added }), { code, message }),
  );

  test('ids of hard negatives are refused', () =>
    expectStepRefused(
      (good) => ({ ...good, loss, hardNegatives: { ...good.keys, perQuery: 1, ids: new Int32Array(2) } }),
      { code: 'ERR_VALUE', message: 'use the ids in that loss' },
    ));

  test('frozen towers are refused', () =>
    expectStepRefused(
      ({ queries }) => {
        const tower = { ...queries, encoder: { encode: queries.encoder.encode } };
        return { queries: tower, keys: tower, loss };
      },
      { code: 'ERR_ENCODER', message: /all are frozen .*encodeFeatures\(tower\)/ },
    ));
});
