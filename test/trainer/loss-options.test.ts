/**
 * Options in `loss` reach the real loss, and its gradients reach the encoders: compared with one direct call.
 */
import { backends, type ContrastiveOptions, contrastiveLossAndGrad, type MatrixLike } from '../../lib';
import { chunkedStep, type Encoder, type FeatureGrads, sumOfLosses } from '../../lib/trainer';
import { expectStepRefused } from './refuse-step';

const dim = 4;

function matrix(rows: number, seed: number): MatrixLike & { data: Float32Array } {
  return {
    data: Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(seed + i * i * 0.7)),
    shape: [rows, dim],
  };
}

/** A chunk is its own features; gradients are remembered under the chunk. */
function identity() {
  const grads = new Map<MatrixLike, FeatureGrads>();
  const encoder: Encoder<MatrixLike> = {
    encode: (chunk) => chunk,
    backward(chunk, featureGrads) {
      grads.set(chunk, featureGrads);
    },
  };
  return { encoder, gradsOf: (chunk: MatrixLike) => grads.get(chunk)!.data };
}

function stepOver(queryChunks: MatrixLike[], keyChunks: MatrixLike[], loss: ContrastiveOptions = {}) {
  const [q, k] = [identity(), identity()];
  const result = chunkedStep({
    queries: { encoder: q.encoder, chunks: () => queryChunks },
    keys: { encoder: k.encoder, chunks: () => keyChunks },
    loss,
  });
  return { result, queryGradsOf: q.gradsOf, keyGradsOf: k.gradsOf };
}

const join = (...parts: { data: Float32Array }[]): MatrixLike & { data: Float32Array } => {
  const data = Float32Array.from(parts.flatMap((part) => [...part.data]));
  return { data, shape: [data.length / dim, dim] };
};

const [q, k] = [matrix(6, 1), matrix(6, 2)];

describe('negatives', () => {
  test('as further chunks of the keys are trained like all keys', async () => {
    const negatives = matrix(12, 3);
    const loss = { objective: 'infonce', logitScale: 5 } as const;
    const { result, queryGradsOf, keyGradsOf } = stepOver([q], [k, negatives], loss);
    const direct = await contrastiveLossAndGrad(q, join(k, negatives), loss);
    expect((await result).loss).toBe(direct.loss);
    expect(queryGradsOf(q)).toEqual(direct.queryGrads);
    expect(keyGradsOf(k)).toEqual(direct.keyGrads.subarray(0, 6 * dim));
    expect(keyGradsOf(negatives)).toEqual(direct.keyGrads.subarray(6 * dim));
  });

  test('of each query, constant ones, count in the loss and in the gradients of the towers', async () => {
    const loss = {
      objective: 'infonce',
      hardNegatives: { keys: matrix(12, 3), perQuery: 2 },
      grad: { hardNegatives: false },
    } as const;
    const { result, queryGradsOf, keyGradsOf } = stepOver([q], [k], loss);
    const direct = await contrastiveLossAndGrad(q, k, loss);
    const without = await contrastiveLossAndGrad(q, k, { objective: 'infonce' });
    expect((await result).loss).toBe(direct.loss);
    expect(direct.loss).toBeGreaterThan(without.loss);
    expect(queryGradsOf(q)).toEqual(direct.queryGrads);
    expect(keyGradsOf(k)).toEqual(direct.keyGrads);
  });

  test('from a bank, skipped by backward, change nothing for the other keys', async () => {
    const bank = matrix(40, 4);
    const loss = { objective: 'infonce', logitScale: 5 } as const;
    const { result, keyGradsOf } = stepOver([q], [k, bank], loss);
    const direct = await contrastiveLossAndGrad(q, join(k, bank), { ...loss, grad: { keys: { rows: 6 } } });
    expect((await result).loss).toBe(direct.loss);
    const close = keyGradsOf(k).map((g, i) => Math.abs(g - direct.keyGrads[i]!));
    expect(Math.max(...close)).toBeLessThan(1e-6);
  });
});

describe('features of other models', () => {
  const frozen = {
    guide: { queries: matrix(6, 5), keys: matrix(6, 6) },
    teacher: { queries: matrix(6, 7), keys: matrix(6, 8), logitScale: 2, weight: 0.5 },
  };

  test.each(['guide', 'teacher'] as const)('%s: matrices of the whole batch reach the loss', async (name) => {
    const loss = { logitScale: 5, [name]: frozen[name] };
    const { result, queryGradsOf, keyGradsOf } = stepOver([q], [k], loss);
    const direct = await contrastiveLossAndGrad(q, k, loss);
    const without = await contrastiveLossAndGrad(q, k, { logitScale: 5 });
    expect((await result).loss).toBe(direct.loss);
    expect(direct.loss).not.toBe(without.loss);
    expect(queryGradsOf(q)).toEqual(direct.queryGrads);
    expect(keyGradsOf(k)).toEqual(direct.keyGrads);
  });

  test('serve each prefix of matryoshka and each term of a sum', async () => {
    const { guide, teacher } = frozen;
    const towers = () => ({
      queries: { encoder: identity().encoder, chunks: () => [q] },
      keys: { encoder: identity().encoder, chunks: () => [k] },
    });
    const masked = (await contrastiveLossAndGrad(q, k, { guide })).stats.maskedPairs;
    expect(masked).toBeGreaterThan(0);
    const matryoshka = { dims: [4, 2] };
    const prefixes = await chunkedStep({
      ...towers(),
      normalize: true,
      matryoshka,
      loss: { guide, teacher },
    });
    expect(prefixes.stats.maskedPairs).toBe(2 * masked);
    const terms = [{ guide }, { teacher, weight: 0.5 }] as const;
    const sum = await chunkedStep({ ...towers(), loss: sumOfLosses(terms) });
    const [one, other] = [
      await contrastiveLossAndGrad(q, k, { guide }),
      await contrastiveLossAndGrad(q, k, { teacher }),
    ];
    expect(sum.loss).toBe(one.loss + 0.5 * other.loss);
  });

  test('of another number of rows are refused once the rows are known', async () => {
    const { result } = stepOver([q], [k], { guide: { queries: matrix(5, 5), keys: matrix(6, 6) } });
    await expect(result).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });

  test('a guide of a tower of hard negatives', async () => {
    const [own, other] = [identity(), identity()];
    const negatives = matrix(12, 9);
    const guide = { ...frozen.guide, hardNegatives: matrix(12, 10), margin: 0.5 };
    const { loss } = await chunkedStep({
      queries: { encoder: own.encoder, chunks: () => [q] },
      keys: { encoder: other.encoder, chunks: () => [k] },
      hardNegatives: { encoder: identity().encoder, chunks: () => [negatives], perQuery: 2 },
      loss: { logitScale: 5, guide },
    });
    const hardNegatives = { keys: negatives, perQuery: 2 };
    expect(loss).toBe((await contrastiveLossAndGrad(q, k, { logitScale: 5, guide, hardNegatives })).loss);
  });

  test('a teacher beside a tower of hard negatives is refused before anything is encoded', () =>
    expectStepRefused(
      (good) => ({
        ...good,
        hardNegatives: { ...(good.keys as object), perQuery: 1 },
        loss: { teacher: frozen.teacher },
      }),
      { code: 'ERR_VALUE', message: 'no options.hardNegatives beside options.teacher' },
    ));
});

describe('outputs of the caller', () => {
  test('receive the gradients that the encoders see', async () => {
    const out = { queryGrads: new Float32Array(24), keyGrads: new Float32Array(24) };
    const { result, queryGradsOf, keyGradsOf } = stepOver([q], [k], { out });
    await result;
    const direct = await contrastiveLossAndGrad(q, k);
    expect(out.queryGrads).toEqual(direct.queryGrads);
    expect(out.keyGrads).toEqual(direct.keyGrads);
    expect(queryGradsOf(q).buffer).toBe(out.queryGrads.buffer);
    expect(keyGradsOf(k).buffer).toBe(out.keyGrads.buffer);
  });

  test('of another length are refused when the rows are known', async () => {
    const { result } = stepOver([q], [k], { out: { keyGrads: new Float32Array(5) } });
    await expect(result).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });
});

describe('signal and onProgress in loss', () => {
  test('the signal stops the whole step', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped');
    const { encoder } = identity();
    const encoded: MatrixLike[] = [];
    const encode = (chunk: MatrixLike) => {
      encoded.push(chunk);
      controller.abort(reason);
      return chunk;
    };
    const tower = { encoder: { ...encoder, encode }, chunks: () => [q, k] };
    const step = chunkedStep({ queries: tower, keys: tower, loss: { signal: controller.signal } });
    await expect(step).rejects.toBe(reason);
    expect(encoded).toEqual([q]);
  });

  test('one signal in both places is one signal', async () => {
    const { signal } = new AbortController();
    const tower = { encoder: identity().encoder, chunks: () => [q] };
    const step = chunkedStep({ queries: tower, keys: tower, signal, loss: { signal } });
    expect((await step).rows.queries).toBe(6);
  });

  test('onProgress hears of the loss', async () => {
    const seen: unknown[] = [];
    await stepOver([q], [k], { onProgress: (done) => void seen.push(done) }).result;
    expect(seen.at(-1)).toEqual({ fraction: 1, phase: 'backward' });
  });
});

describe('the temperature', () => {
  test('has a gradient that the chain rule turns into one of its logarithm', async () => {
    const at = (logScale: number) =>
      stepOver([q], [k], { objective: 'infonce', logitScale: Math.exp(logScale) }).result;
    const [logScale, h] = [Math.log(3), 1e-3];
    const numeric = ((await at(logScale + h)).loss - (await at(logScale - h)).loss) / (2 * h);
    const { logitScaleGrad } = await at(logScale);
    expect(Math.abs(numeric)).toBeGreaterThan(0.1);
    expect(3 * logitScaleGrad).toBeCloseTo(numeric, 4);
  });
});

test.each([1, 6, 7, 1e10])('a hint of %i rows where 6 arrive changes nothing', async (rows) => {
  const { encoder, gradsOf } = identity();
  const other = identity();
  const fractions: (number | undefined)[] = [];
  const result = await chunkedStep({
    queries: { encoder, chunks: () => [q], rows },
    keys: { encoder: other.encoder, chunks: () => [k], rows },
    onProgress: ({ fraction }) => fractions.push(fraction),
  });
  const direct = await contrastiveLossAndGrad(q, k);
  expect(result.loss).toBe(direct.loss);
  expect(gradsOf(q)).toEqual(direct.queryGrads);
  expect(fractions.every((fraction) => fraction! > 0 && fraction! <= 1)).toBe(true);
});

test('a device that is not there is refused before anything is encoded', () =>
  expectStepRefused((good) => ({ ...good, loss: { backend: 'cuda', device: 1000 } }), {
    code: backends()[1]!.available ? 'ERR_DEVICE' : 'ERR_BACKEND_UNAVAILABLE',
    message: '',
  }));
