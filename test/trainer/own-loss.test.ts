/**
 * A loss of the caller's own in a step: gradients against finite differences, what the loss is told, and what the
 * step returns.
 */
import { contrastiveLossAndGrad, type MatrixLike } from '../../lib';
import type { OwnLossContext, StepFeatures, StepProgress } from '../../lib/trainer';
import { denseSquares, squares } from './squares';
import { expectClose, featureDim, toyFeatures } from './toy-encoder';
import { inputs, names, rows, toyStep, toys } from './toy-step';

/** A step whose loss is a function. */
const step = (loss: unknown, more: Parameters<typeof toyStep>[0] = {}) =>
  toyStep<Record<string, unknown> & { loss: number }>({ ...more, loss });

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
