/**
 * A loss of the caller's own in a step, and sums of losses: gradients against finite differences, what the loss is
 * told, what the step returns, and every result that is refused.
 */
import { contrastiveLossAndGrad, type MatrixLike } from '../../lib';
import {
  chunkedStep,
  type LossTerm,
  type OwnLoss,
  type OwnLossContext,
  type StepFeatures,
  type StepProgress,
  sumOfLosses,
} from '../../lib/trainer';
import { type DenseOptions, denseLossAndGrad } from '../reference/dense';
import { slopesOf } from '../reference/slopes';
import { expectStepRefused } from './refuse-step';
import { cut, expectClose, featureDim, randomRows, ToyEncoder, toyFeatures } from './toy-encoder';

const rows = 11;
const inputs = {
  queries: randomRows(rows, 1),
  keys: randomRows(rows, 2),
  hardNegatives: randomRows(2 * rows, 3),
};
type Name = keyof typeof inputs;
const names: readonly Name[] = ['queries', 'keys', 'hardNegatives'];

const toys = () => ({
  queries: new ToyEncoder(1),
  keys: new ToyEncoder(2),
  hardNegatives: new ToyEncoder(3),
});

/** Two towers, or three with hard negatives. */
function step(
  loss: unknown,
  {
    towers = toys(),
    hard = false,
    ...more
  }: Record<string, unknown> & { towers?: ReturnType<typeof toys>; hard?: boolean } = {},
) {
  return chunkedStep({
    queries: { encoder: towers.queries, chunks: () => cut(inputs.queries, [4, 7]) },
    keys: { encoder: towers.keys, chunks: () => cut(inputs.keys, [9, 2]) },
    hardNegatives: hard
      ? { encoder: towers.hardNegatives, chunks: () => cut(inputs.hardNegatives, [15, 7]), perQuery: 2 }
      : undefined,
    loss: loss as OwnLoss,
    ...more,
  }) as Promise<Record<string, unknown> & { loss: number }>;
}

/** L = 1/M sum_i |q_i - k_i|^2, which no option describes. */
const squares = (queries: StepFeatures, keys: StepFeatures) => {
  const [q, k] = [queries.data as Float32Array, keys.data as Float32Array];
  const apart = q.map((x, i) => x - k[i]!);
  const [count] = queries.shape;
  return {
    loss: apart.reduce((sum, x) => sum + x * x, 0) / count,
    queryGrads: apart.map((x) => (2 * x) / count),
    keyGrads: apart.map((x) => (-2 * x) / count),
  };
};

function denseSquares() {
  const weights = [toys().queries.weights, toys().keys.weights];
  const loss = () => {
    const [q, k] = [toyFeatures(weights[0]!, inputs.queries), toyFeatures(weights[1]!, inputs.keys)];
    return q.reduce((sum, x, i) => sum + (x - k[i]!) ** 2, 0) / rows;
  };
  return { loss: loss(), slopes: slopesOf(weights, loss) };
}

describe('a loss by hand', () => {
  test.each([
    ['at once', squares],
    ['as a promise', async (q: StepFeatures, k: StepFeatures) => squares(q, k)],
  ])('%s: its gradients reach the encoders', async (_, loss) => {
    const towers = toys();
    const result = await step(loss, { towers });
    const dense = denseSquares();
    expect(result.loss).toBeCloseTo(dense.loss, 6);
    expectClose(towers.queries.grads, dense.slopes[0]!);
    expectClose(towers.keys.grads, dense.slopes[1]!);
    expect(Object.keys(result).sort()).toEqual(['cost', 'loss', 'rows']);
  });

  test('is told of features, of the towers that are trained, and of the signal', async () => {
    const { signal } = new AbortController();
    const seen: unknown[][] = [];
    const frozen = { encode: (x: Float32Array) => toys().keys.encode(x) };
    await step(
      (...args: [StepFeatures, StepFeatures, null, OwnLossContext]) => {
        seen.push(args);
        const { queryGrads, loss } = squares(args[0], args[1]);
        return { loss, queryGrads };
      },
      { signal, keys: { encoder: frozen, chunks: () => [inputs.keys] } },
    );
    expect(seen).toHaveLength(1);
    const [queries, keys, hardNegatives, context] = seen[0] as [
      StepFeatures,
      StepFeatures,
      null,
      OwnLossContext,
    ];
    expect([queries.shape, queries.dtype]).toEqual([[rows, featureDim], 'float32']);
    expectClose(queries.data, toyFeatures(toys().queries.weights, inputs.queries), 1e-6);
    expectClose(keys.data, toyFeatures(toys().keys.weights, inputs.keys), 1e-6);
    expect(hardNegatives).toBeNull();
    expect(context.grad).toEqual({ queries: true, keys: false, hardNegatives: false });
    expect(context.signal).toBe(signal);
  });

  test('returns numbers of its own, and reports progress', async () => {
    const seen: StepProgress[] = [];
    const result = await step(
      (q: StepFeatures, k: StepFeatures, _: null, { onProgress }: OwnLossContext) => {
        onProgress({ phase: 'forward', fraction: 1 });
        return { ...squares(q, k), spread: 3, notes: ['a'] };
      },
      { onProgress: (done: StepProgress) => seen.push(done) },
    );
    expect(result).toMatchObject({ spread: 3, notes: ['a'] });
    const fractions = seen.filter(({ phase }) => phase === 'loss').map(({ fraction }) => fraction);
    expect(fractions).toEqual([0.25, 1]);
  });

  test('its error reaches the caller unchanged, and no gradient the encoders', async () => {
    const towers = toys();
    const error = new Error('of the loss');
    const loss = async () => {
      throw error;
    };
    await expect(step(loss, { towers })).rejects.toBe(error);
    expect([...towers.queries.calls, ...towers.keys.calls].some((call) => call.startsWith('backward'))).toBe(
      false,
    );
  });

  test('a signal that aborts while it runs ends the step', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const towers = toys();
    const loss = (q: StepFeatures, k: StepFeatures) => {
      controller.abort(reason);
      return squares(q, k);
    };
    await expect(step(loss, { towers, signal: controller.signal })).rejects.toBe(reason);
    expect(towers.queries.calls.some((call) => call.startsWith('backward'))).toBe(false);
  });

  test('one call of the loss functions gives what options give', async () => {
    const [byOptions, byHand] = [toys(), toys()];
    const options = { objective: 'infonce', logitScale: 4 } as const;
    const expected = await step({ ...options }, { towers: byOptions, hard: true });
    const result = await step(
      (q: MatrixLike, k: MatrixLike, hard: MatrixLike, context: OwnLossContext) =>
        contrastiveLossAndGrad(q, k, { ...options, hardNegatives: { keys: hard, perQuery: 2 }, ...context }),
      { towers: byHand, hard: true },
    );
    const { cost, stats, ...numbers } = expected;
    expect(result).toMatchObject(numbers);
    expect((result.cost as { loss: { bytes: number } }).loss.bytes).toBe(
      (cost as { loss: { bytes: number } }).loss.bytes,
    );
    expect((stats as { flops: number }).flops).toBe((result.stats as { flops: number }).flops);
    for (const name of names) expect([...byHand[name].grads]).toEqual([...byOptions[name].grads]);
  });
});

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
      'return a copy',
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
      { code: 'ERR_ENCODER', message: 'all are frozen' },
    ));
});

describe('sumOfLosses', () => {
  const ids = Int32Array.from({ length: rows }, (_, i) => i % 7);
  const terms = [
    { weight: 0.75, logitScale: 5 },
    { weight: 2, objective: 'siglip', logitScale: 3, logitBias: -2 },
    { objective: 'infonce', logitScale: 2, queryIds: ids, keyIds: ids },
  ] as const satisfies readonly LossTerm[];

  /** The dense sum, and its slopes along the weights of the towers. */
  function dense(of: readonly (LossTerm & { weight?: number })[], hard: boolean) {
    const weights = names.map((name) => toys()[name].weights);
    const matrix = (name: Name) => {
      const data = toyFeatures(weights[names.indexOf(name)]!, inputs[name]);
      return { data, shape: [data.length / featureDim, featureDim] as const };
    };
    const losses = () =>
      of.map(({ weight, ...options }) => {
        const hardNegatives = hard &&
          options.objective !== 'siglip' && { keys: matrix('hardNegatives'), perQuery: 2 };
        const given = { ...options, ...(hardNegatives && { hardNegatives }) } as DenseOptions;
        return denseLossAndGrad(matrix('queries'), matrix('keys'), given).loss;
      });
    const total = () => losses().reduce((sum, loss, i) => sum + (of[i]!.weight ?? 1) * loss, 0);
    const used = hard ? weights : weights.slice(0, 2);
    return { loss: total(), losses: losses(), slopes: slopesOf(used, total) };
  }

  test.each([
    ['three terms', terms, false],
    ['three terms and hard negatives', terms, true],
    ['one term', terms.slice(0, 1), false],
    ['one term and hard negatives', terms.slice(2), true],
    ['a first term that takes no hard negatives', [terms[1], terms[0]], true],
  ])('%s: loss and gradients are those of the dense sum', async (_, of, hard) => {
    const towers = toys();
    const result = await step(sumOfLosses(of), { towers, hard });
    const expected = dense(of, hard);
    expect(Math.abs(result.loss - expected.loss) / expected.loss).toBeLessThan(1e-6);
    for (const [i, slopes] of expected.slopes.entries()) expectClose(towers[names[i]!].grads, slopes);
    const results = result.terms as { weight: number; loss: number; logitScaleGrad: number }[];
    expect(results.map(({ weight }) => weight)).toEqual(
      of.map((term) => (term as { weight?: number }).weight ?? 1),
    );
    for (const [i, { loss, logitScaleGrad }] of results.entries()) {
      expect(Math.abs(loss - expected.losses[i]!)).toBeLessThan(1e-5);
      expect(logitScaleGrad).not.toBe(0);
    }
    // each tower was encoded twice, whatever the number of terms
    expect(towers.queries.calls).toEqual(['encode 4', 'encode 7', 'backward 4', 'backward 7']);
  });

  test('a frozen tower gets no gradient, and the others theirs', async () => {
    const towers = toys();
    const encoder = { encode: (x: Float32Array) => towers.keys.encode(x) };
    await step(sumOfLosses(terms), { towers, keys: { encoder, chunks: () => [inputs.keys] } });
    expectClose(towers.queries.grads, dense(terms, false).slopes[0]!);
  });

  test('counts its scratch memory, and its progress runs once from 0 to 1', async () => {
    const seen: number[] = [];
    const result = await step(sumOfLosses(terms), {
      onProgress: ({ phase, fraction }: StepProgress) => phase === 'loss' && seen.push(fraction!),
    });
    const stats = (result.terms as { stats: { workspaceBytes: number } }[]).map(
      (term) => term.stats.workspaceBytes,
    );
    const gradients = 2 * rows * featureDim * 4;
    expect((result.cost as { loss: { bytes: number } }).loss.bytes).toBe(2 * gradients + Math.max(...stats));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(seen.filter((fraction) => fraction > 0.3 && fraction < 0.7).length).toBeGreaterThan(0);
  });

  test.each<[what: string, terms: unknown, code: string, message: string]>([
    ['no array', { logitScale: 2 }, 'ERR_TYPE', 'array of { weight, ...options } for terms'],
    ['an empty array', [], 'ERR_VALUE', 'at least one loss in terms'],
    ['a term that is no object', [5], 'ERR_TYPE', 'object for terms[0] but received 5'],
    ['a string for a weight', [{}, { weight: '1' }], 'ERR_TYPE', 'terms[1].weight'],
    ['an infinite weight', [{ weight: 1 / 0 }], 'ERR_VALUE', 'terms[0].weight'],
    ['a typo', [{ logitscale: 2 }], 'ERR_OPTION', 'did you mean logitScale?'],
    ['a bad option', [{ logitScale: -1 }], 'ERR_VALUE', 'logitScale'],
    [
      'an option of another objective',
      [{ objective: 'siglip', labelSmoothing: 0.1 }],
      'ERR_VALUE',
      'labelSmoothing',
    ],
    ...['grad', 'out', 'perRow', 'signal', 'onProgress', 'hardNegatives'].map(
      (name): [string, unknown, string, string] => [
        name,
        [{ [name]: {} }],
        'ERR_OPTION',
        `Unknown name ${name} in terms[0]`,
      ],
    ),
  ])('refuses %s when it is called', (_, given, code, message) => {
    expect(() => sumOfLosses(given as LossTerm[])).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('hard negatives that no term takes are refused', async () => {
    const run = step(sumOfLosses([terms[1]]), { hard: true });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_VALUE',
      message: expect.stringContaining('takes hard negatives'),
    });
  });
});
