/** bankLoss in a step: both directions against the dense loss, several steps, refusals before and in the step. */
import {
  type BankLossOptions,
  bankLoss,
  chunkedStep,
  encodeFeatures,
  FeatureBank,
  type StepProgress,
} from '../../lib';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { type DenseOptions, denseLossAndGrad } from '../reference/dense';
import { cut, featureDim, randomRows, ToyEncoder } from './toy-encoder';

const rows = 8;
const inputs = [randomRows(rows, 1), randomRows(rows, 2)] as const;
const ids = Int32Array.from({ length: rows }, (_, i) => i);
const newBank = () => new FeatureBank({ capacity: 20, dim: featureDim });
const stored = (seed: number) => ({
  data: new ToyEncoder(seed).encode(randomRows(5, seed)).data,
  shape: [5, featureDim] as const,
});
const storedIds = Int32Array.of(2, 50, 51, 52, 53);

const towers = (q: ToyEncoder, k: ToyEncoder) => ({
  queries: { encoder: q, chunks: () => cut(inputs[0], [5, 3]) },
  keys: { encoder: k, chunks: () => cut(inputs[1], [8]) },
});

/** The dense loss of one direction, over all keys and the stored ones. */
function denseDirection(
  side: Float32Array,
  others: Float32Array,
  bank: Float32Array,
  logitScale: number,
  hardNegatives?: DenseOptions['hardNegatives'],
) {
  const all = { data: Float32Array.of(...others, ...bank), shape: [rows + 5, featureDim] as const };
  const keyIds = Int32Array.of(...ids, ...storedIds);
  const result = denseLossAndGrad({ data: side, shape: [rows, featureDim] }, all, {
    ...{ objective: 'infonce', logitScale, queryIds: ids, keyIds, hardNegatives },
  });
  return { ...result, keyGrads: result.keyGrads.subarray(0, rows * featureDim) };
}

/** Parameter gradients of an encoder for feature gradients, in one chunk. */
async function pulled(seed: number, side: 0 | 1, grads: ArrayLike<number>): Promise<Float64Array> {
  const encoder = new ToyEncoder(seed);
  await encoder.backward(inputs[side], { data: Float32Array.from(grads) });
  return encoder.grads;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  const norm = Math.hypot(...Array.from(expected));
  expect(norm).toBeGreaterThan(1e-3);
  expect(Math.hypot(...Array.from(expected, (x, i) => x - actual[i]!)) / norm).toBeLessThan(1e-5);
}

test('both directions: loss, scale gradient and parameter gradients of the dense loss', async () => {
  const [keys, queries] = [newBank(), newBank()];
  keys.push(stored(30), storedIds);
  queries.push(stored(40), storedIds);
  const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
  const step = { ...towers(q, k), loss: bankLoss({ keys, queries, ids, loss: { logitScale: 3 } }) };
  const result = await chunkedStep(step);
  const [x, y] = [new ToyEncoder(1).encode(inputs[0]).data, new ToyEncoder(2).encode(inputs[1]).data];
  const [one, two] = [denseDirection(x, y, stored(30).data, 3), denseDirection(y, x, stored(40).data, 3)];
  expect(result.loss).toBeCloseTo((one.loss + two.loss) / 2, 6);
  expect(result.logitScaleGrad).toBeCloseTo((one.logitScaleGrad + two.logitScaleGrad) / 2, 5);
  expect(result.accuracy).toBeCloseTo((one.accuracy + two.accuracy) / 2, 12);
  expect(result.stats).toHaveLength(2);
  expect(one.loss).not.toBeCloseTo(two.loss, 3);
  expectClose(
    q.grads,
    await pulled(
      1,
      0,
      one.queryGrads.map((g, i) => (g + two.keyGrads[i]!) / 2),
    ),
  );
  expectClose(
    k.grads,
    await pulled(
      2,
      1,
      one.keyGrads.map((g, i) => (g + two.queryGrads[i]!) / 2),
    ),
  );
  expect([keys.size, queries.size]).toEqual([13, 13]);
  expect(queries.features!.data.subarray(5 * featureDim)).toEqual(x);
  expect(keys.features!.data.subarray(5 * featureDim)).toEqual(y);
});

test('the first step has an empty bank, the next one has its features', async () => {
  const bank = newBank();
  const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
  const step = (more: number) =>
    chunkedStep({ ...towers(q, k), loss: bankLoss({ keys: bank, ids: ids.map((id) => id + more) }) });
  const plain = await chunkedStep({
    ...towers(new ToyEncoder(1), new ToyEncoder(2)),
    loss: { objective: 'infonce', queryIds: ids, keyIds: ids },
  });
  const [first, second] = [await step(0), await step(100)];
  expect([first.bankRows, second.bankRows]).toEqual([0, rows]);
  expect(first.loss).toBe(plain.loss);
  expect(second.loss).toBeGreaterThan(first.loss);
  // the same items again: their rows in the bank do not count
  expect((await step(0)).stats[0]!.maskedPairs).toBeGreaterThanOrEqual(rows);
});

test('a frozen momentum tower of keys, and siglip', async () => {
  const bank = newBank();
  bank.push(stored(30), storedIds);
  const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
  const frozen = { encode: (x: Float32Array) => k.encode(x) };
  const loss = bankLoss({ keys: bank, ids, loss: { objective: 'siglip', logitScale: 3, logitBias: -2 } });
  const result = await chunkedStep({
    ...towers(q, k),
    keys: { encoder: frozen, chunks: () => [inputs[1]] },
    loss,
  });
  expect(result.logitBiasGrad).not.toBe(0);
  expect([...k.grads].every((g) => g === 0)).toBe(true);
  expect([...q.grads].some((g) => g !== 0)).toBe(true);
});

describe('hard negatives beside a bank', () => {
  const perQuery = 2;
  const hardInputs = randomRows(perQuery * rows, 3);
  // one of the hard negatives of query 3 belongs to it
  const hardNegativeIds = new Int32Array(perQuery * rows).fill(-1).fill(3, 3 * perQuery, 3 * perQuery + 1);

  test.each([
    ['one bank', false],
    ['two banks', true],
  ])('count against the queries alone: %s', async (_, both) => {
    const [keys, queries] = [newBank(), newBank()];
    keys.push(stored(30), storedIds);
    queries.push(stored(40), storedIds);
    const [q, k, h] = [new ToyEncoder(1), new ToyEncoder(2), new ToyEncoder(3)];
    const result = await chunkedStep({
      ...towers(q, k),
      hardNegatives: { encoder: h, chunks: () => cut(hardInputs, [5, 11]), perQuery },
      loss: bankLoss({ keys, ids, hardNegativeIds, loss: { logitScale: 3 }, ...(both && { queries }) }),
    });
    const [x, y] = [new ToyEncoder(1).encode(inputs[0]).data, new ToyEncoder(2).encode(inputs[1]).data];
    const hard = {
      data: new ToyEncoder(3).encode(hardInputs).data,
      shape: [perQuery * rows, featureDim] as const,
    };
    const one = denseDirection(x, y, stored(30).data, 3, { keys: hard, perQuery, ids: hardNegativeIds });
    const two = denseDirection(y, x, stored(40).data, 3);
    const weight = both ? 0.5 : 1;
    expect(result.loss).toBeCloseTo(both ? (one.loss + two.loss) / 2 : one.loss, 6);
    expect(one.loss).not.toBeCloseTo(denseDirection(x, y, stored(30).data, 3).loss, 3);
    const encoder = new ToyEncoder(3);
    await encoder.backward(hardInputs, {
      data: Float32Array.from(one.hardNegativeGrads!, (g) => weight * g),
    });
    expectClose(h.grads, encoder.grads);
    const ofQueries = one.queryGrads.map((g, i) => weight * (g + (both ? two.keyGrads[i]! : 0)));
    expectClose(q.grads, await pulled(1, 0, ofQueries));
  });

  test('may be frozen', async () => {
    const [q, k, h] = [new ToyEncoder(1), new ToyEncoder(2), new ToyEncoder(3)];
    const frozen = { encode: (x: Float32Array) => h.encode(x) };
    await chunkedStep({
      ...towers(q, k),
      hardNegatives: { encoder: frozen, chunks: () => [hardInputs], perQuery },
      loss: bankLoss({ keys: newBank(), queries: newBank(), ids }),
    });
    expect([...q.grads].some((g) => g !== 0)).toBe(true);
  });
});

test('progress goes from 0 to 1 once, over both directions', async () => {
  const seen: StepProgress[] = [];
  const loss = bankLoss({ keys: newBank(), queries: newBank(), ids });
  const onProgress = (done: StepProgress) => void seen.push(done);
  await chunkedStep({ ...towers(new ToyEncoder(1), new ToyEncoder(2)), loss, onProgress });
  const fractions = seen.filter(({ phase }) => phase === 'loss').map(({ fraction }) => fraction!);
  expect(fractions.at(-1)).toBe(1);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
});

describe('refusals', () => {
  const bank = newBank();
  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for options'],
    ['no bank', { ids }, 'ERR_TYPE', 'FeatureBank for options.keys'],
    ['features for a bank', { keys: stored(1), ids }, 'ERR_TYPE', 'FeatureBank for options.keys'],
    ['one bank twice', { keys: bank, queries: bank, ids }, 'ERR_VALUE', 'another for options.queries'],
    ['no ids', { keys: bank }, 'ERR_TYPE', 'Int32Array for options.ids'],
    ['plain ids', { keys: bank, ids, hardNegativeIds: [1] }, 'ERR_TYPE', 'for options.hardNegativeIds'],
    ['a typo', { keys: bank, ids, query: bank }, 'ERR_OPTION', 'did you mean queries?'],
    [
      'ids of the loss',
      { keys: bank, ids, loss: { queryIds: ids } },
      'ERR_OPTION',
      'queryIds in options.loss',
    ],
    ['labels', { keys: bank, ids, loss: { labels: ids } }, 'ERR_OPTION', 'labels in options.loss'],
    ['clip', { keys: bank, ids, loss: { objective: 'clip' } }, 'ERR_VALUE', 'one of infonce, siglip'],
    ['a bias of infonce', { keys: bank, ids, loss: { logitBias: 1 } }, 'ERR_VALUE', 'logitBias'],
    ['a negative scale', { keys: bank, ids, loss: { logitScale: -1 } }, 'ERR_VALUE', 'logitScale'],
    [
      'siglip with two banks',
      { keys: bank, queries: newBank(), ids, loss: { objective: 'siglip' } },
      'ERR_VALUE',
      'counts each pair once',
    ],
  ])('before the step: %s', (_, options, code, message) => {
    const error = thrownBy(() => bankLoss(options as BankLossOptions));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  test.each<[string, () => BankLossOptions, string, string]>([
    ['too few ids', () => ({ keys: newBank(), ids: ids.subarray(1) }), 'ERR_SHAPE', 'received 8, 8 and 7'],
    [
      'another width',
      () => ({ keys: new FeatureBank({ capacity: 4, dim: 3 }), ids }),
      'ERR_SHAPE',
      'Expected dim 3',
    ],
    [
      'another type',
      () => ({ keys: new FeatureBank({ capacity: 4, dim: featureDim, dtype: 'float16' }), ids }),
      'ERR_DTYPE',
      'float16',
    ],
  ])('in the step: %s, and nothing is kept', async (_, make, code, message) => {
    const options = make();
    const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
    const outcome = chunkedStep({ ...towers(q, k), loss: bankLoss(options) });
    await expect(outcome).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(options.keys.size).toBe(0);
    expect([...q.grads, ...k.grads].every((g) => g === 0)).toBe(true);
  });

  test.each<[string, Partial<BankLossOptions>, boolean, string]>([
    ['ids of hard negatives without any', { hardNegativeIds: ids }, false, 'tower of hard negatives for'],
    [
      'siglip with hard negatives',
      { loss: { objective: 'siglip' } },
      true,
      "objective 'infonce' of bankLoss",
    ],
    ['too few ids of hard negatives', { hardNegativeIds: ids.subarray(1) }, true, 'ids'],
  ])('in the step: %s, and nothing is kept', async (_, more, hard, message) => {
    const [q, k, bank] = [new ToyEncoder(1), new ToyEncoder(2), newBank()];
    const hardNegatives = { encoder: k, chunks: () => [inputs[1]], perQuery: 1 };
    const loss = bankLoss({ keys: bank, ids, ...more });
    const outcome = chunkedStep({ ...towers(q, k), ...(hard && { hardNegatives }), loss });
    await expect(outcome).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(VALUE|SHAPE)$/),
      message: expect.stringContaining(message),
    });
    expect(bank.size).toBe(0);
  });

  test('features of encodeFeatures fill a bank', async () => {
    const filled = newBank();
    filled.push(await encodeFeatures(towers(new ToyEncoder(1), new ToyEncoder(2)).keys), ids);
    expect(filled.size).toBe(rows);
  });
});
