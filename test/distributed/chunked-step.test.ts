/**
 * A step on several ranks against the same step in one process: equal loss, and parameter gradients that add up to the
 * same. Every rank has encoders of its own with the same weights, and another part of the rows.
 */
import {
  bankLoss,
  chunkedStep,
  contrastiveLossAndGrad,
  FeatureBank,
  type OwnLossContext,
  type StepFeatures,
  type StepProgress,
  sumOfLosses,
} from '../../lib';
import type { ProcessGroup } from '../../lib/distributed';
import { cut, expectClose, inputDim, randomRows, ToyEncoder } from '../trainer/toy-encoder';
import { cutsOf, onRanks } from './ranks';

const rows = 23;
const perQuery = 2;
const inputs = { queries: randomRows(rows, 1), keys: randomRows(rows, 2), hard: randomRows(2 * rows, 3) };

/** Arrays along the rows, as the whole batch has them. */
interface Part {
  begin: number;
  end: number;
}

interface Plan {
  /** Whether there is a tower of hard negatives. */
  hard?: boolean;
  /** Whether there is a tower of keys; default true. */
  keys?: boolean;
  /** The other options of the step, for the rows of one part. */
  more: (part: Part) => Record<string, unknown>;
}

interface Outcome {
  loss: number;
  logitScaleGrad?: number;
  logitBiasGrad?: number;
  grads: Float64Array[];
}

/** Chunks of at most 3 rows. */
function chunksOf(all: Float32Array, begin: number, end: number): Float32Array[] {
  const sizes = Array.from({ length: Math.ceil((end - begin) / 3) }, (_, i) =>
    Math.min(3, end - begin - 3 * i),
  );
  return cut(all.slice(begin * inputDim, end * inputDim), sizes);
}

async function stepOn(plan: Plan, part: Part, group?: ProcessGroup): Promise<Outcome> {
  const { begin, end } = part;
  const encoders = { queries: new ToyEncoder(1, 0.3), keys: new ToyEncoder(2), hard: new ToyEncoder(3) };
  // dropout is drawn for each row: each rank begins where one process would be
  for (let i = 0; i < begin * inputDim; i++) encoders.queries.random.next();
  const tower = (name: keyof typeof inputs, from = begin, to = end) => ({
    encoder: encoders[name],
    chunks: () => chunksOf(inputs[name], from, to),
  });
  const { loss, ...result } = (await chunkedStep({
    queries: tower('queries'),
    ...(plan.keys !== false && { keys: tower('keys') }),
    ...(plan.hard && { hardNegatives: { ...tower('hard', begin * perQuery, end * perQuery), perQuery } }),
    ...plan.more(part),
    ...(group && { group }),
  } as never)) as unknown as Outcome;
  const grads = Object.values(encoders).map((encoder) => encoder.grads);
  if (group) await Promise.all(grads.map((grad) => group.allReduce(grad)));
  return { loss, logitScaleGrad: result.logitScaleGrad, logitBiasGrad: result.logitBiasGrad, grads };
}

const classes = Int32Array.from({ length: rows }, (_, i) => (i * i) % 4);
const ids = Int32Array.from({ length: rows }, (_, i) => (i === 20 ? 3 : i));
const weights = Float32Array.from({ length: rows }, (_, i) => 1 + (i % 3));
const labels = Int32Array.from({ length: rows }, (_, i) => (5 * i + 2) % rows);

const byOptions = (loss: object | ((part: Part) => object), more: object = {}) => ({
  more: (part: Part) => ({
    ...more,
    loss: { threads: 1, ...(typeof loss === 'function' ? loss(part) : loss) },
  }),
});

const plans: Record<string, Plan> = {
  clip: byOptions({ logitScale: 5 }),
  'clip with ids, normalised': byOptions(
    ({ begin, end }) => ({ queryIds: ids.slice(begin, end), keyIds: ids.slice(begin, end) }),
    { normalize: true },
  ),
  'clip with hard negatives': { hard: true, ...byOptions({ logitScale: 5 }) },
  'infonce with labels on other ranks': byOptions(({ begin, end }) => ({
    objective: 'infonce',
    logitScale: 5,
    labels: labels.slice(begin, end),
  })),
  'infonce with hard negatives, normalised': {
    hard: true,
    ...byOptions({ objective: 'infonce', logitScale: 5 }, { normalize: true }),
  },
  'infonce with weights, a frozen tower': byOptions(({ begin, end }) => ({
    objective: 'infonce',
    queryWeights: weights.slice(begin, end),
    grad: { keys: false },
  })),
  'infonce over four directions': byOptions({
    logitScale: 5,
    directions: ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'],
  }),
  siglip: byOptions({ objective: 'siglip', logitScale: 5, logitBias: -2 }),
  ntxent: byOptions({ objective: 'ntxent', logitScale: 5 }, { gradScale: 0.5 }),
  'supcon over one tower': {
    keys: false,
    ...byOptions(({ begin, end }) => ({ objective: 'supcon', labels: classes.slice(begin, end) })),
  },
  'prefixes of the features': byOptions(
    { logitScale: 5 },
    { normalize: true, matryoshka: { dims: [4, 2, 1], weights: [1, 0.5, 0.25] } },
  ),
  'a loss of its own': {
    more: () => ({
      loss: (queries: StepFeatures, keys: StepFeatures, _: null, context: OwnLossContext) =>
        contrastiveLossAndGrad(queries, keys, { logitScale: 7, threads: 1, ...context }),
    }),
  },
  'a sum of losses': {
    more: () => ({
      loss: sumOfLosses([
        { logitScale: 5, threads: 1 },
        { objective: 'siglip', weight: 0.5, threads: 1 },
      ]),
    }),
  },
};

describe.each([2, 3])('%i ranks', (ranks) => {
  const cuts = cutsOf(rows, ranks);

  it.each(Object.entries(plans))('%s', async (_, plan) => {
    const whole = await stepOn(plan, { begin: 0, end: rows });
    const parts = await onRanks(ranks, (group, rank) =>
      stepOn(plan, { begin: cuts[rank]!, end: cuts[rank + 1]! }, group),
    );
    for (const part of parts) {
      expect([part.loss, part.logitScaleGrad, part.logitBiasGrad]).toEqual([
        parts[0]!.loss,
        parts[0]!.logitScaleGrad,
        parts[0]!.logitBiasGrad,
      ]);
      expect(Math.abs(part.loss / whole.loss - 1)).toBeLessThan(1e-6);
      for (const name of ['logitScaleGrad', 'logitBiasGrad'] as const) {
        expect(part[name] === undefined).toBe(whole[name] === undefined);
        if (whole[name]) expect(Math.abs(part[name]! / whole[name] - 1)).toBeLessThan(1e-4);
      }
      part.grads.forEach((grads, i) => {
        const expected = whole.grads[i]!;
        if (expected.every((x) => x === 0)) expect([...grads]).toEqual([...expected]);
        else expectClose(grads, expected);
      });
    }
  });
});

it('the group may stand in the options of the loss', async () => {
  const [left, right] = await onRanks(2, (group, rank) =>
    stepOn(byOptions({ logitScale: 5, group }), { begin: 10 * rank, end: 10 * rank + 10 }),
  );
  const alone = await stepOn(byOptions({ logitScale: 5 }), { begin: 0, end: 10 });
  expect(left!.loss).toBe(right!.loss);
  expect(left!.loss).not.toBe(alone.loss);
});

it('each rank has a bank of its own, and all banks count', async () => {
  const dim = 4;
  const batchIds = Int32Array.from({ length: rows }, (_, i) => i);
  const earlier = {
    data: Float32Array.from({ length: 6 * dim }, (_, i) => Math.sin(i) / 2),
    shape: [6, dim],
  };
  const rowsOfBank = (begin: number, end: number) => {
    const bank = new FeatureBank({ capacity: 6, dim });
    const some = { data: earlier.data.slice(begin * dim, end * dim), shape: [end - begin, dim] as const };
    bank.push(
      some,
      Int32Array.from({ length: end - begin }, (_, i) => 100 + begin + i),
    );
    return bank;
  };
  const plan = (begin: number, end: number) => ({
    more: (part: Part) => ({
      loss: bankLoss({
        keys: rowsOfBank(begin, end),
        ids: batchIds.slice(part.begin, part.end),
        loss: { logitScale: 5, threads: 1 },
      }),
    }),
  });
  const whole = await stepOn(plan(0, 6), { begin: 0, end: rows });
  const parts = await onRanks(2, (group, rank) =>
    stepOn(plan(2 * rank, 2 + 4 * rank), { begin: rank * 9, end: rank === 0 ? 9 : rows }, group),
  );
  for (const { loss, grads } of parts) {
    expect(Math.abs(loss / whole.loss - 1)).toBeLessThan(1e-6);
    expectClose(grads[0]!, whole.grads[0]!);
    expectClose(grads[1]!, whole.grads[1]!);
  }
});

it('progress of each rank goes to 1', async () => {
  const reports = await onRanks(2, async (group, rank) => {
    const overall: number[] = [];
    const onProgress = (done: StepProgress) => void overall.push(done.overall ?? 0);
    const part = { begin: 10 * rank, end: 10 * rank + 10 };
    await stepOn(byOptions({ logitScale: 5 }, { onProgress }), part, group);
    return overall;
  });
  for (const overall of reports) {
    expect(overall.at(-1)).toBe(1);
    expect([...overall].sort((a, b) => a - b)).toEqual(overall);
  }
});
