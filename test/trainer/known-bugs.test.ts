/**
 * Bugs that users found in other libraries' cached losses, by the number of the issue. Each test does what the report
 * does, through `chunkedStep` and the native loss. A step with one chunk for each tower is the whole batch.
 */
import { chunkedStep, encodeFeatures, type StepResult } from '../../lib/trainer';
import { cut, expectClose, generator, randomRows, ToyEncoder } from './toy-encoder';
import { inputs, perQuery, rows } from './toy-step';

const loss = { logitScale: 3 };

interface Sizes {
  queries: number[];
  keys: number[];
  hardNegatives?: number[];
}

/** A step over towers that are cut into chunks of these sizes. */
function stepOf(
  [queries, keys, hard]: readonly ToyEncoder[],
  sizes: Sizes,
  more: Record<string, unknown> = {},
): Promise<StepResult> {
  const step = {
    queries: { encoder: queries, chunks: () => cut(inputs.queries, sizes.queries) },
    keys: { encoder: keys, chunks: () => cut(inputs.keys, sizes.keys) },
    ...(hard && {
      hardNegatives: {
        encoder: hard,
        chunks: () => cut(inputs.hardNegatives, sizes.hardNegatives!),
        perQuery,
      },
    }),
    loss,
    ...more,
  };
  return chunkedStep(step as never) as Promise<unknown> as Promise<StepResult>;
}

const whole: Sizes = { queries: [rows], keys: [rows], hardNegatives: [perQuery * rows] };
const uneven: Sizes = { queries: [4, 4, 3], keys: [10, 1], hardNegatives: [9, 9, 4] };
const two = (dropout = 0) => [new ToyEncoder(1, dropout), new ToyEncoder(2, dropout)] as const;
const three = () => [...two(), new ToyEncoder(3)] as const;

/** Fails unless each encoder has the gradients of the encoder beside it. */
function expectSameGrads(ours: readonly ToyEncoder[], theirs: readonly ToyEncoder[]): void {
  for (const [i, { grads }] of ours.entries()) expectClose(grads, theirs[i]!.grads, 1e-6);
}

it('open_clip #761, #957, #1211, sentence-transformers #3420: a last chunk that is smaller changes no gradient', async () => {
  const [ours, theirs] = [two(), two()];
  const chunked = await stepOf(ours, uneven);
  expect(chunked.loss).toBe((await stepOf(theirs, whole)).loss);
  expectSameGrads(ours, theirs);
});

it('sentence-transformers #3854: the gradients of all chunks arrive, not those of the last one alone', async () => {
  const [ours, last] = [two(), two()];
  await stepOf(ours, uneven);
  // without the gradient of one chunk, the sum is another
  const { backward } = last[0];
  let chunks = 0;
  last[0].backward = async function (this: ToyEncoder, ...args) {
    if (++chunks === uneven.queries.length) await backward.apply(this, args);
  };
  await stepOf(last, uneven);
  expect(() => expectClose(last[0].grads, ours[0].grads, 1e-2)).toThrow();
  const theirs = two();
  await stepOf(theirs, whole);
  expectSameGrads(ours, theirs);
});

it('sentence-transformers #3173: an encoder of both towers gets the gradient of each tower once', async () => {
  const shared = new ToyEncoder(1);
  await stepOf([shared, shared], uneven);
  const apart = [new ToyEncoder(1), new ToyEncoder(1)] as const;
  await stepOf(apart, whole);
  expectClose(
    shared.grads,
    apart[0].grads.map((g, i) => g + apart[1].grads[i]!),
    1e-6,
  );
});

it('sentence-transformers #3862: two steps at a time do not overwrite what the other one keeps', async () => {
  const [together, inTurn] = [two(0.3), two(0.3)];
  const losses = await Promise.all([stepOf(together, uneven), stepOf(together, uneven)]);
  const turns = [await stepOf(inTurn, uneven), await stepOf(inTurn, uneven)];
  expect(losses.map((one) => one.loss)).toEqual(turns.map((one) => one.loss));
  expect(losses[0].loss).not.toBe(losses[1].loss); // the second step draws other noise
  expectSameGrads(together, inTurn);
});

it('GC-DPR #12: the second pass has the dropout of the first', async () => {
  const [ours, theirs] = [two(0.4), two(0.4)];
  const chunked = await stepOf(ours, uneven);
  expect(chunked.loss).toBe((await stepOf(theirs, whole)).loss);
  expectSameGrads(ours, theirs);
});

it('sentence-transformers #2583, #3743: a tower of hard negatives is trained, in chunks of any size', async () => {
  const [ours, theirs] = [three(), three()];
  const chunked = await stepOf(ours, uneven);
  expect(chunked.loss).toBe((await stepOf(theirs, whole)).loss);
  expectSameGrads(ours, theirs);
  // queries may have different numbers of negatives
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => Math.min(2 * rows, 3 * i));
  const ragged = (sizes: Sizes, encoders: readonly ToyEncoder[]) =>
    stepOf(encoders, sizes, {
      hardNegatives: {
        encoder: encoders[2],
        chunks: () => cut(inputs.hardNegatives, sizes.hardNegatives!),
        offsets,
      },
    });
  const [left, right] = [three(), three()];
  expect((await ragged(uneven, left)).loss).toBe((await ragged(whole, right)).loss);
  expectSameGrads(left, right);
});

it('sentence-transformers #3059, #3068: Matryoshka on one encode', async () => {
  const more = { normalize: true, matryoshka: { dims: [4, 2] } };
  const [ours, theirs] = [two(), two()];
  const chunked = await stepOf(ours, uneven, more);
  expect(ours[0].calls.filter((call) => call.startsWith('encode'))).toHaveLength(uneven.queries.length);
  expect(chunked.loss).toBe((await stepOf(theirs, whole, more)).loss);
  expectSameGrads(ours, theirs);
});

it('sentence-transformers #2592, #2932: a guide judges the whole batch, whatever the chunks', async () => {
  const judge = new ToyEncoder(7);
  const judged = (name: 'queries' | 'keys') =>
    encodeFeatures({ encoder: judge, chunks: () => cut(inputs[name], [5, 6]), normalize: true });
  const guide = { queries: await judged('queries'), keys: await judged('keys') };
  const more = { loss: { ...loss, objective: 'infonce', guide } };
  const [ours, theirs, alone] = [two(), two(), two()];
  const chunked = await stepOf(ours, uneven, more);
  expect(chunked.stats.maskedPairs).toBeGreaterThan(0);
  expect(chunked.loss).toBe((await stepOf(theirs, whole, more)).loss);
  expectSameGrads(ours, theirs);
  const without = await stepOf(alone, whole, { loss: { ...loss, objective: 'infonce' } });
  expect(chunked.loss).toBeLessThan(without.loss);
});

it('sentence-transformers #2916: steps added up are not one step of the larger batch', async () => {
  const [added, large] = [two(), two()];
  const half = (from: number, to: number) => ({
    queries: { encoder: added[0], chunks: () => [inputs.queries.slice(5 * from, 5 * to)] },
    keys: { encoder: added[1], chunks: () => [inputs.keys.slice(5 * from, 5 * to)] },
    gradScale: (to - from) / rows,
    loss,
  });
  await chunkedStep(half(0, 6));
  await chunkedStep(half(6, rows));
  await stepOf(large, whole);
  expect(() => expectClose(added[0].grads, large[0].grads, 0.1)).toThrow();
});

it('sentence-transformers #3819: a relative margin lowers the limit of a negative score too', async () => {
  const random = generator(5);
  const opposite = { data: Float32Array.from({ length: 8 }, () => random.next()), shape: [2, 4] as const };
  // the guide scores every pair below zero, the pairs of the batch lowest
  const keys = { data: opposite.data.map((x, i) => (i % 4 === 0 ? -3 * x : -x)), shape: [2, 4] as const };
  const [queries, texts] = [randomRows(2, 1), randomRows(2, 2)];
  const step = (margin: number) =>
    chunkedStep({
      queries: { encoder: new ToyEncoder(1), chunks: () => [queries] },
      keys: { encoder: new ToyEncoder(2), chunks: () => [texts] },
      loss: { ...loss, guide: { queries: opposite, keys, margin, relative: true } },
    });
  const masked = async (margin: number) => (await step(margin)).stats.maskedPairs;
  // a larger margin masks no less
  expect(await masked(0.5)).toBeGreaterThanOrEqual(await masked(0));
  expect(await masked(10)).toBe(2);
});
