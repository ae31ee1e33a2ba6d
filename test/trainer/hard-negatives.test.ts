/**
 * The tower of hard negatives over the real loss: its gradients against the float64 oracle, its place among the
 * other towers, and the steps that are refused.
 */
import { contrastiveLossAndGrad } from '../../lib';
import {
  chunkedStep,
  type Encoder,
  type OwnLoss,
  type OwnLossResult,
  type StepFeatures,
  type StepProgress,
  sumOfLosses,
} from '../../lib/trainer';
import { type DenseOptions, denseLossAndGrad } from '../reference/dense';
import { cut, expectClose, featureDim, randomRows, ToyEncoder } from './toy-encoder';

const [rows, perQuery] = [11, 3];
const inputs = {
  queries: randomRows(rows, 1),
  keys: randomRows(rows, 2),
  hardNegatives: randomRows(rows * perQuery, 3),
};
const logitScale = 6;

interface Encoders {
  queries: Encoder<Float32Array>;
  keys: Encoder<Float32Array>;
  hardNegatives: Encoder<Float32Array>;
}

/** Chunks of the hard negatives end within the rows of a query, and the last one is smaller. */
const sizes = { queries: [4, 7], keys: [11], hardNegatives: [10, 10, 10, 3] };

const step = ({ queries, keys, hardNegatives }: Encoders, loss: object = {}, more: object = {}) =>
  chunkedStep({
    queries: { encoder: queries, chunks: () => cut(inputs.queries, sizes.queries) },
    keys: { encoder: keys, chunks: () => cut(inputs.keys, sizes.keys) },
    hardNegatives: {
      encoder: hardNegatives,
      chunks: () => cut(inputs.hardNegatives, sizes.hardNegatives),
      perQuery,
    },
    loss: { logitScale, ...loss },
    ...more,
  });

const toys = () => ({
  queries: new ToyEncoder(1),
  keys: new ToyEncoder(2),
  hardNegatives: new ToyEncoder(3),
});

/** Gradients of the parameters by the dense loss over all features at once. */
async function denseGrads(options: DenseOptions, encoders = toys(), ids?: Int32Array) {
  const matrix = (name: keyof Encoders) => {
    const { data } = encoders[name].encode(inputs[name]);
    return { data, shape: [data.length / featureDim, featureDim] as const };
  };
  const dense = denseLossAndGrad(matrix('queries'), matrix('keys'), {
    logitScale,
    ...options,
    hardNegatives: { keys: matrix('hardNegatives'), perQuery, ...(ids && { ids }) },
  });
  const grads = { queries: dense.queryGrads, keys: dense.keyGrads, hardNegatives: dense.hardNegativeGrads };
  for (const name of ['queries', 'keys', 'hardNegatives'] as const) {
    await encoders[name].backward(inputs[name], { data: Float32Array.from(grads[name]) });
  }
  return { loss: dense.loss, encoders };
}

describe('gradients', () => {
  test.each(['clip', 'infonce'] as const)('of %s equal those of the dense loss', async (objective) => {
    const towers = toys();
    const result = await step(towers, { objective });
    const dense = await denseGrads({ objective });
    expect(Math.abs(result.loss - dense.loss)).toBeLessThan(1e-6);
    for (const name of ['queries', 'keys', 'hardNegatives'] as const) {
      expectClose(towers[name].grads, dense.encoders[name].grads);
    }
    expect(result.rows).toEqual({ queries: rows, keys: rows, hardNegatives: rows * perQuery });
  });

  test.each([
    ['keys and hard negatives', { queries: 1, keys: 2, hardNegatives: 2 }],
    ['queries and hard negatives', { queries: 1, keys: 2, hardNegatives: 1 }],
    ['all three', { queries: 1, keys: 1, hardNegatives: 1 }],
  ])('of one encoder for %s add up', async (_, seeds) => {
    const made = new Map<number, ToyEncoder>();
    const encoderOf = (seed: number) => {
      made.set(seed, made.get(seed) ?? new ToyEncoder(seed));
      return made.get(seed)!;
    };
    const shared = {
      queries: encoderOf(seeds.queries),
      keys: encoderOf(seeds.keys),
      hardNegatives: encoderOf(seeds.hardNegatives),
    };
    await step(shared);
    const { encoders } = await denseGrads(
      {},
      {
        queries: new ToyEncoder(seeds.queries),
        keys: new ToyEncoder(seeds.keys),
        hardNegatives: new ToyEncoder(seeds.hardNegatives),
      },
    );
    for (const [seed, encoder] of made) {
      const parts = (['queries', 'keys', 'hardNegatives'] as const).filter((name) => seeds[name] === seed);
      const sum = encoder.grads.map((_, i) =>
        parts.reduce((total, name) => total + encoders[name].grads[i]!, 0),
      );
      expectClose(encoder.grads, sum);
    }
  });

  test('reach the arrays of the caller', async () => {
    const out = { hardNegativeGrads: new Float32Array(rows * perQuery * featureDim) };
    const towers = toys();
    await step(towers, { out });
    const again = new ToyEncoder(3);
    await again.backward(inputs.hardNegatives, { data: out.hardNegativeGrads });
    expectClose(towers.hardNegatives.grads, again.grads, 1e-12);
  });
});

describe('a frozen tower', () => {
  const frozen = (encoder: ToyEncoder): Encoder<Float32Array> => ({ encode: (x) => encoder.encode(x) });

  test.each([
    ['without a backward method', true, {}],
    ['by grad', false, { grad: { hardNegatives: false } }],
  ])('of hard negatives %s: the other towers get their gradients', async (_, frozenEncoder, loss) => {
    const towers = toys();
    const hardNegatives = frozenEncoder ? frozen(towers.hardNegatives) : towers.hardNegatives;
    await step({ ...towers, hardNegatives }, loss);
    const { encoders } = await denseGrads({});
    expectClose(towers.queries.grads, encoders.queries.grads);
    expectClose(towers.keys.grads, encoders.keys.grads);
    expect(towers.hardNegatives.calls.filter((call) => call.startsWith('backward'))).toEqual([]);
  });

  test('of queries and one of keys: hard negatives are trained alone', async () => {
    const towers = toys();
    await step({ ...towers, queries: frozen(towers.queries), keys: frozen(towers.keys) });
    const { encoders } = await denseGrads({});
    expectClose(towers.hardNegatives.grads, encoders.hardNegatives.grads);
  });
});

test('a negative with the id of its query does not count', async () => {
  const queryIds = Int32Array.from({ length: rows }, (_, i) => i % 4);
  const keyIds = Int32Array.from({ length: rows }, (_, i) => 100 + i);
  const ids = Int32Array.from({ length: rows * perQuery }, (_, i) => i % 5);
  const towers = toys();
  const hardNegatives = {
    encoder: towers.hardNegatives,
    chunks: () => cut(inputs.hardNegatives, sizes.hardNegatives),
    perQuery,
    ids,
  };
  const { loss, stats } = await step(towers, { queryIds, keyIds }, { hardNegatives });
  const dense = await denseGrads({ queryIds, keyIds }, toys(), ids);
  expect(stats.maskedPairs).toBe(ids.filter((id, at) => id === queryIds[Math.floor(at / perQuery)]).length);
  expect(stats.maskedPairs).toBeGreaterThan(3);
  expect(Math.abs(loss - dense.loss)).toBeLessThan(1e-6);
  expectClose(towers.hardNegatives.grads, dense.encoders.hardNegatives.grads);
  expectClose(towers.queries.grads, dense.encoders.queries.grads);
});

test('progress and cost know the tower', async () => {
  const seen: StepProgress[] = [];
  const { cost, stats } = await step(toys(), {}, { onProgress: (done: StepProgress) => seen.push(done) });
  const ofTower = seen
    .filter(({ tower }) => tower === 'hardNegatives')
    .map(({ phase, rows }) => [phase, rows]);
  const passed = [10, 20, 30, 33];
  expect(ofTower).toEqual([...passed.map((n) => ['encode', n]), ...passed.map((n) => ['backward', n])]);
  const bytes = (2 + perQuery) * rows * featureDim * 4;
  expect(cost.encode.bytes).toBe(bytes);
  expect(cost.loss.bytes).toBe(bytes + stats.workspaceBytes);
  expect(cost.backward.bytes).toBe(11 * featureDim * 4);
});

test('dropout is replayed in three towers that share one generator', async () => {
  const encoder = new ToyEncoder(1, 0.5);
  const other = new ToyEncoder(1, 0.5);
  // the same draws in the same order, with all features of a tower in one chunk
  const whole = { queries: [rows], keys: [rows], hardNegatives: [rows * perQuery] };
  const out = {
    queryGrads: new Float32Array(rows * featureDim),
    keyGrads: new Float32Array(rows * featureDim),
    hardNegativeGrads: new Float32Array(rows * perQuery * featureDim),
  };
  await step({ queries: encoder, keys: encoder, hardNegatives: encoder }, { out });
  const grads = { queries: out.queryGrads, keys: out.keyGrads, hardNegatives: out.hardNegativeGrads };
  for (const name of ['queries', 'keys', 'hardNegatives'] as const) {
    expect(whole[name]).toHaveLength(1);
    await other.backward(inputs[name], { data: grads[name] });
  }
  expectClose(encoder.grads, other.grads, 1e-12);
  // the next step goes on where the encode phase of this one ended
  expect(encoder.random.get()).toBe(other.random.get());
});

test('two steps at once with three towers each give what they give alone', async () => {
  const alone = [toys(), toys()];
  for (const [i, towers] of alone.entries()) await step(towers, { logitScale: 2 + i });
  const together = [toys(), toys()];
  await Promise.all(together.map((towers, i) => step(towers, { logitScale: 2 + i })));
  for (const [i, towers] of together.entries()) {
    for (const name of ['queries', 'keys', 'hardNegatives'] as const) {
      expect(towers[name].grads).toEqual(alone[i]![name].grads);
    }
  }
});

test('a step that shares only its hard negatives with another one waits for it', async () => {
  const [a, b] = [toys(), toys()];
  const shared = { ...b, hardNegatives: a.hardNegatives };
  await Promise.all([step(a), step(shared)]);
  const phases = a.hardNegatives.calls.map((call) => call.split(' ')[0]);
  const one = [...Array(4).fill('encode'), ...Array(4).fill('backward')];
  expect(phases).toEqual([...one, ...one]);
});

test('a failure in the last backward phase rejects with its error, and random states go on', async () => {
  const [failing, twin] = [new ToyEncoder(3, 0.5), new ToyEncoder(3, 0.5)];
  const failure = new Error('broken');
  failing.backward = async () => {
    throw failure;
  };
  for (const chunk of cut(inputs.hardNegatives, sizes.hardNegatives)) twin.encode(chunk);
  await expect(step({ ...toys(), hardNegatives: failing })).rejects.toBe(failure);
  expect(failing.random.get()).toBe(twin.random.get());
});

describe('features', () => {
  test('hardness of hard negatives is allowed where the tower is there', async () => {
    const hardness = { strength: 1, on: 'hard' } as const;
    expect((await step(toys(), { hardness })).loss).toBeGreaterThan((await step(toys())).loss);
  });

  test('another number of rows, before the loss', async () => {
    const towers = toys();
    const chunks = () => cut(inputs.hardNegatives, [10, 10, 10]);
    const run = chunkedStep({
      queries: { encoder: towers.queries, chunks: () => [inputs.queries] },
      keys: { encoder: towers.keys, chunks: () => [inputs.keys] },
      hardNegatives: { encoder: towers.hardNegatives, chunks, perQuery },
    });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: `Expected 33 rows (perQuery 3, 11 queries) from hardNegatives.chunks() but received 30`,
    });
    expect([towers.queries, towers.keys, towers.hardNegatives].flatMap(({ calls }) => calls)).not.toContain(
      'backward 11',
    );
  });

  test('another width', async () => {
    const narrow: Encoder<Float32Array> = {
      encode: () => ({ data: new Float32Array(rows * perQuery), shape: [rows * perQuery, 1] }),
    };
    await expect(step({ ...toys(), hardNegatives: narrow })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });
});

describe('ragged', () => {
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => (i < 4 ? 0 : i === rows ? 33 : 3 * i));
  const ragged = (encoder: Encoder<Float32Array>) => ({
    hardNegatives: { encoder, chunks: () => cut(inputs.hardNegatives, sizes.hardNegatives), offsets },
  });

  const raggedDense = (options: DenseOptions) => {
    const encoders = toys();
    const matrix = (name: keyof Encoders) => {
      const { data } = encoders[name].encode(inputs[name]);
      return { data, shape: [data.length / featureDim, featureDim] as const };
    };
    const hardNegatives = { keys: matrix('hardNegatives'), offsets };
    return denseLossAndGrad(matrix('queries'), matrix('keys'), { logitScale, ...options, hardNegatives });
  };

  test.each(['clip', 'infonce'] as const)(
    'gradients of %s equal those of the dense loss',
    async (objective) => {
      const towers = toys();
      const result = await step(towers, { objective }, ragged(towers.hardNegatives));
      const dense = raggedDense({ objective });
      expect(Math.abs(result.loss - dense.loss)).toBeLessThan(1e-6);
      const again = new ToyEncoder(3);
      await again.backward(inputs.hardNegatives, { data: Float32Array.from(dense.hardNegativeGrads) });
      expectClose(towers.hardNegatives.grads, again.grads);
    },
  );

  test('a sum of losses and a loss of the caller take the offsets', async () => {
    const [one, two] = [toys(), toys()];
    const sum = await step(one, {}, { ...ragged(one.hardNegatives), loss: sumOfLosses([{ logitScale }]) });
    expect(Math.abs(sum.loss - raggedDense({}).loss)).toBeLessThan(1e-6);
    let seen: Int32Array | undefined;
    const loss: OwnLoss<OwnLossResult, StepFeatures> = (q, k, hard, context) => {
      seen = hard!.offsets;
      const hardNegatives = { keys: hard!, offsets: hard!.offsets! };
      return contrastiveLossAndGrad(q, k, { logitScale, hardNegatives, ...context });
    };
    const own = await step(two, {}, { ...ragged(two.hardNegatives), loss });
    expect(own.loss).toBe(sum.loss);
    expect(seen).toEqual(offsets);
    expect(two.hardNegatives.grads).toEqual(one.hardNegatives.grads);
  });

  test.each([
    [
      'fewer rows than offsets say',
      offsets.map((end, i) => (i === rows ? 34 : end)),
      'Expected 34 rows (the last of offsets)',
    ],
    ['offsets of other queries', Int32Array.of(0, 10, 33), 'Expected 12 options.hardNegatives.offsets'],
  ])('%s', async (_, wrong, message) => {
    const towers = toys();
    const { hardNegatives } = ragged(towers.hardNegatives);
    const outcome = step(towers, {}, { hardNegatives: { ...hardNegatives, offsets: wrong } });
    await expect(outcome).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining(message),
    });
    expect(towers.queries.calls.filter((call) => call.startsWith('backward'))).toEqual([]);
  });
});
