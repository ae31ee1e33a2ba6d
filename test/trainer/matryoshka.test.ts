/**
 * Losses on prefixes of the features: against finite differences of the dense sum over normalised prefixes. Also
 * the draw of dims.
 */
import { chunkedStep, type StepProgress, type StepResult } from '../../lib/trainer';
import { denseLossAndGrad } from '../reference/dense';
import { slopesOf, unitRows } from '../reference/slopes';
import { expectClose, featureDim, ToyEncoder } from './toy-encoder';
import {
  denseFeatures,
  inputs,
  matrixOf,
  type Name,
  names,
  perQuery,
  rows,
  toyStep,
  toys,
  toyWeights,
} from './toy-step';

const logitScale = 5;
const step = (matryoshka: unknown, more: Parameters<typeof toyStep>[0] = {}) =>
  toyStep<StepResult>({ loss: { logitScale }, normalize: true, matryoshka, ...more });

type Prefixes = readonly (readonly [dim: number, weight: number])[];

/** The dense sum over prefixes, and its slopes along the weights of the towers. */
function dense(prefixes: Prefixes, hard: boolean) {
  const weights = toyWeights();
  const matrix = (name: Name, dim: number) =>
    matrixOf(unitRows(denseFeatures(weights, name), featureDim, dim), dim);
  const results = () =>
    prefixes.map(([dim]) =>
      denseLossAndGrad(matrix('queries', dim), matrix('keys', dim), {
        logitScale,
        ...(hard && { hardNegatives: { keys: matrix('hardNegatives', dim), perQuery } }),
      }),
    );
  const total = () => results().reduce((sum, { loss }, i) => sum + prefixes[i]![1] * loss, 0);
  return { loss: total(), results: results(), slopes: slopesOf(hard ? weights : weights.slice(0, 2), total) };
}

test.each<[what: string, matryoshka: object, hard: boolean, prefixes: Prefixes]>([
  [
    'the whole width and two prefixes',
    { dims: [4, 3, 2] },
    false,
    [
      [4, 1],
      [3, 1],
      [2, 1],
    ],
  ],
  [
    'in any order, with weights',
    { dims: [2, 4], weights: [0.5, 2] },
    false,
    [
      [4, 2],
      [2, 0.5],
    ],
  ],
  [
    'without the whole width',
    { dims: [3, 2], weights: [1, 0.25] },
    false,
    [
      [3, 1],
      [2, 0.25],
    ],
  ],
  [
    'with hard negatives',
    { dims: [4, 2], weights: [1, 3] },
    true,
    [
      [4, 1],
      [2, 3],
    ],
  ],
])('%s: loss and gradients are those of the dense sum', async (_, matryoshka, hard, prefixes) => {
  const towers = toys();
  const result = await step(matryoshka, { towers, hard });
  const expected = dense(prefixes, hard);
  expect(Math.abs(result.loss - expected.loss)).toBeLessThan(1e-5);
  for (const [i, slopes] of expected.slopes.entries()) expectClose(towers[names[i]!].grads, slopes);
  const scaleGrad = expected.results.reduce(
    (sum, { logitScaleGrad }, i) => sum + prefixes[i]![1] * logitScaleGrad,
    0,
  );
  expect(Math.abs(result.logitScaleGrad - scaleGrad)).toBeLessThan(1e-5);
  expect(result.prefixes!.map(({ dim, weight }) => [dim, weight])).toEqual(prefixes);
  for (const [i, { loss, accuracy }] of result.prefixes!.entries()) {
    expect(Math.abs(loss - expected.results[i]!.loss)).toBeLessThan(1e-5);
    expect(accuracy).toBe(expected.results[i]!.accuracy);
  }
  expect(result.accuracy).toBe(expected.results[0]!.accuracy);
  // one encode for all prefixes
  expect(towers.queries.calls).toEqual(['encode 4', 'encode 7', 'backward 4', 'backward 7']);
});

test('the whole width alone is the normalised step, bit for bit', async () => {
  const [plain, nested] = [toys(), toys()];
  const a = await step(undefined, { towers: plain });
  const b = await step({ dims: [featureDim] }, { towers: nested });
  expect([b.loss, b.logitScaleGrad, b.accuracy]).toEqual([a.loss, a.logitScaleGrad, a.accuracy]);
  expect([...nested.queries.grads]).toEqual([...plain.queries.grads]);
});

/** Slopes along the weights of the queries, for `dims: [4, 2]`. */
function slopesOfTwoPrefixes() {
  const prefixes: Prefixes = [
    [4, 1],
    [2, 1],
  ];
  return dense(prefixes, false).slopes[0]!;
}

test('arrays of the caller are filled anew', async () => {
  const out = { queryGrads: new Float32Array(rows * featureDim).fill(7) };
  const [towers, again] = [toys(), new ToyEncoder(1)];
  await step({ dims: [4, 2] }, { towers, loss: { logitScale, out } });
  await again.backward(inputs.queries, { data: out.queryGrads });
  expectClose(towers.queries.grads, again.grads, 1e-12);
  expectClose(towers.queries.grads, slopesOfTwoPrefixes());
});

test('a frozen tower stays frozen', async () => {
  const towers = toys();
  await step({ dims: [4, 2] }, { towers, loss: { logitScale, grad: { keys: false } } });
  expect(towers.keys.calls.some((call) => call.startsWith('backward'))).toBe(false);
  expectClose(towers.queries.grads, slopesOfTwoPrefixes());
});

test('progress runs once from 0 to 1, and the cost counts copies', async () => {
  const seen: number[] = [];
  const { cost, stats } = await step(
    { dims: [4, 3, 1] },
    {
      onProgress: ({ phase, fraction }: StepProgress) => phase === 'loss' && seen.push(fraction!),
    },
  );
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  expect(seen.some((fraction) => fraction > 0.4 && fraction < 0.9)).toBe(true);
  const rowBytes = 2 * rows * 4;
  // the largest of: gradients at width 4; gradients and copies at width 3
  expect(cost.loss.bytes - rowBytes * featureDim).toBeGreaterThanOrEqual(rowBytes * 6);
  const single = await step({ dims: [4] });
  expect(stats.flops).toBeGreaterThan(single.stats.flops);
});

test('a prefix of zeros has no direction and gets no gradient', async () => {
  const features = Float32Array.from({ length: 3 * featureDim }, (_, i) => (i < 2 ? 0 : Math.sin(i)));
  let grads: number[] = [];
  await chunkedStep({
    queries: {
      encoder: {
        encode: () => ({ data: features, shape: [3, featureDim] }),
        backward: (_: string, { data }) => {
          // a zero may be negative
          grads = Array.from(data, (g) => g + 0);
        },
      },
      chunks: () => ['all'],
    },
    keys: { encoder: new ToyEncoder(2), chunks: () => [inputs.keys.subarray(0, 15)] },
    normalize: true,
    matryoshka: { dims: [2] },
  });
  expect(grads.slice(0, featureDim)).toEqual([0, 0, 0, 0]);
  expect(grads.every(Number.isFinite)).toBe(true);
  expect(grads.slice(featureDim, featureDim + 2).every((g) => g !== 0)).toBe(true);
});

describe('dims drawn by a seed', () => {
  const drawn = async (seed: number, perStep = 2) =>
    (await step({ dims: [4, 3, 2, 1], perStep, seed })).prefixes!.map(({ dim }) => dim);

  test('are the same for the same seed, each once, and go through all of them', async () => {
    const draws: number[][] = [];
    for (let seed = 0; seed < 60; seed++) draws.push(await drawn(seed));
    expect(await drawn(7)).toEqual(draws[7]);
    for (const dims of draws) {
      expect(new Set(dims).size).toBe(2);
      expect(dims[0]).toBeGreaterThan(dims[1]!);
    }
    // 30 of 60 are expected for each; 5 standard deviations are 19
    for (const dim of [4, 3, 2, 1]) {
      const count = draws.filter((dims) => dims.includes(dim)).length;
      expect(Math.abs(count - 30)).toBeLessThan(19);
    }
    expect(new Set(draws.map(String)).size).toBe(6);
  });

  test('keep their weights, and a seed beyond 32 bits is another seed', async () => {
    const matryoshka = { dims: [4, 3, 2, 1], weights: [4, 3, 2, 1], perStep: 3, seed: 5 };
    for (const { dim, weight } of (await step(matryoshka)).prefixes!) expect(weight).toBe(dim);
    const high = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => drawn(n * 2 ** 32)));
    expect(new Set(high.map(String)).size).toBeGreaterThan(1);
  });

  test('all of them are no draw', async () => expect(await drawn(1, 4)).toEqual([4, 3, 2, 1]));
});
