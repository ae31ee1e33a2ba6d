/** FeatureBank: first in, first out; the loss with a bank against the dense loss; masks by id; refusals. */
import {
  contrastiveLossAndGradSync,
  FeatureBank,
  type FeatureBankOptions,
  toBFloat16,
  toFloat16,
} from '../../lib';
import { expectError, thrownBy } from '../lib/fake-binding';
import { classOf } from '../lib/refusal-table';
import { denseLossAndGrad } from '../reference/dense';
import { generator } from './toy-encoder';

const dim = 3;
const matrix = (...ids: number[]) => ({
  data: Float32Array.from(ids.flatMap((id) => [id, id + 0.25, id + 0.5])),
  shape: [ids.length, dim],
});
const push = (bank: FeatureBank, ...ids: number[]) => bank.push(matrix(...ids), Int32Array.from(ids));

/** The ids in the bank, sorted, after a check that each row still has its id. */
function idsIn(bank: FeatureBank): number[] {
  const { features, ids, size } = bank;
  expect(ids).toHaveLength(size);
  ids.forEach((id, i) => {
    expect([...features!.data.subarray(i * dim, (i + 1) * dim)]).toEqual([id, id + 0.25, id + 0.5]);
  });
  return [...ids].sort((a, b) => a - b);
}

describe('first in, first out', () => {
  test('the oldest rows leave, whatever the sizes of the pushes', () => {
    const bank = new FeatureBank({ capacity: 5, dim });
    const pushed: number[] = [];
    for (const count of [2, 1, 3, 5, 4, 1, 7, 2]) {
      const ids = Array.from({ length: count }, (_, i) => pushed.length + i + 1);
      push(bank, ...ids);
      pushed.push(...ids);
      expect(idsIn(bank)).toEqual(pushed.slice(-5));
      expect(bank.size).toBe(Math.min(5, pushed.length));
    }
  });

  test('is empty at first, and after clear', () => {
    const bank = new FeatureBank({ capacity: 5, dim });
    for (const _ of [0, 1]) {
      expect([bank.size, bank.features, bank.ids.length]).toEqual([0, null, 0]);
      push(bank, 1, 2, 3);
      expect(idsIn(bank)).toEqual([1, 2, 3]);
      bank.clear();
    }
  });

  test('rows are copies, read with their stride', () => {
    const bank = new FeatureBank({ capacity: 2, dim });
    const data = Float32Array.of(1, 1.25, 1.5, 99, 2, 2.25, 2.5);
    bank.push({ data, shape: [2, dim], rowStride: 4 }, Int32Array.of(1, 2));
    data.fill(0);
    expect(idsIn(bank)).toEqual([1, 2]);
  });

  test.each([
    ['float16', toFloat16],
    ['bfloat16', toBFloat16],
  ] as const)('keeps %s as it comes', (dtype, convert) => {
    const bank = new FeatureBank({ capacity: 4, dim, dtype });
    bank.push(convert(matrix(1, 2)), Int32Array.of(1, 2));
    expect(bank.features).toEqual(convert(matrix(1, 2)));
    const all = bank.behind(convert(matrix(3)), Int32Array.of(3));
    expect(all.features).toEqual(convert(matrix(3, 1, 2)));
  });
});

describe('behind the keys of a loss', () => {
  const random = generator(7);
  const rows = 4;
  const randomMatrix = (count: number) => ({
    data: Float32Array.from({ length: count * dim }, () => random.next() - 0.5),
    shape: [count, dim] as const,
  });
  const [queries, keys, old] = [randomMatrix(rows), randomMatrix(rows), randomMatrix(3)];
  const ids = Int32Array.of(10, 11, 12, 13);
  const bank = new FeatureBank({ capacity: 8, dim });
  bank.push(old, Int32Array.of(20, 11, 21)); // 11 is in the present batch as well

  test('loss and gradients are those of the dense loss over all keys, without the positives in the bank', () => {
    const all = bank.behind(keys, ids);
    expect(all).toMatchObject({ rows, ids: Int32Array.of(10, 11, 12, 13, 20, 11, 21) });
    const options = { objective: 'infonce', logitScale: 4, queryIds: ids, keyIds: all.ids } as const;
    const result = contrastiveLossAndGradSync(queries, all.features, {
      ...options,
      grad: { keys: { rows } },
    });
    const whole = { data: Float32Array.of(...keys.data, ...old.data), shape: [rows + 3, dim] as const };
    const dense = denseLossAndGrad(queries, whole, options);
    expect(result.loss).toBeCloseTo(dense.loss, 6);
    expect(result.stats.maskedPairs).toBe(1);
    expect(result.queryGrads).toHaveLength(rows * dim);
    expect(result.keyGrads).toHaveLength(rows * dim);
    result.queryGrads.forEach((g, i) => {
      expect(g).toBeCloseTo(dense.queryGrads[i]!, 5);
    });
    result.keyGrads.forEach((g, i) => {
      expect(g).toBeCloseTo(dense.keyGrads[i]!, 5);
    });
    // the bank changes the loss, and so does its mask
    const alone = denseLossAndGrad(queries, keys, { objective: 'infonce', logitScale: 4 }).loss;
    const unmasked = denseLossAndGrad(queries, whole, { objective: 'infonce', logitScale: 4 }).loss;
    expect(new Set([alone, unmasked, dense.loss]).size).toBe(3);
  });

  test('an empty bank adds nothing', () => {
    const all = new FeatureBank({ capacity: 8, dim }).behind(keys, ids);
    expect(all).toEqual({ features: { ...keys, dtype: 'float32' }, ids, rows });
    expect(all.features.data).not.toBe(keys.data);
  });

  test('the result stays when the bank changes', () => {
    const own = new FeatureBank({ capacity: 2, dim });
    push(own, 1, 2);
    const all = own.behind(matrix(3), Int32Array.of(3));
    push(own, 4, 5);
    expect([...all.ids]).toEqual([3, 1, 2]);
    expect([...all.features.data.subarray(dim)]).toEqual([...matrix(1, 2).data]);
  });
});

describe('refusals', () => {
  const options = { capacity: 4, dim };
  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for options'],
    ['no capacity', { dim }, 'ERR_TYPE', 'options.capacity'],
    ['capacity 0', { capacity: 0, dim }, 'ERR_VALUE', 'options.capacity'],
    ['half a dim', { capacity: 4, dim: 0.5 }, 'ERR_VALUE', 'options.dim'],
    ['another type', { ...options, dtype: 'float64' }, 'ERR_VALUE', 'one of float32, float16, bfloat16'],
    ['a typo', { ...options, dims: 3 }, 'ERR_OPTION', 'did you mean dim?'],
    ['more than memory', { capacity: 2 ** 40, dim: 2 ** 10 }, 'ERR_OUT_OF_MEMORY', 'for a bank'],
  ])('of a bank: %s', (_, given, code, message) => {
    const error = thrownBy(() => new FeatureBank(given as FeatureBankOptions));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
  });

  test.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, Int32Array.of(1), 'ERR_TYPE', 'for features'],
    [
      'another width',
      { data: new Float32Array(4), shape: [1, 4] },
      Int32Array.of(1),
      'ERR_SHAPE',
      'Expected dim 3',
    ],
    ['another type', toFloat16(matrix(1)), Int32Array.of(1), 'ERR_DTYPE', 'toFloat32(features) makes a copy'],
    ['no ids', matrix(1), undefined, 'ERR_TYPE', 'Int32Array for ids'],
    ['plain ids', matrix(1), [1], 'ERR_TYPE', 'Int32Array for ids'],
    ['too few ids', matrix(1, 2), Int32Array.of(1), 'ERR_SHAPE', 'Expected 2 ids'],
  ])('of rows: %s, and the bank stays as it is', (_, features, ids, code, message) => {
    const bank = new FeatureBank(options);
    push(bank, 1, 2);
    for (const method of ['push', 'behind'] as const) {
      const error = thrownBy(() => bank[method](features as never, ids as never));
      expectError(error, { type: classOf[code] ?? RangeError, code, message });
    }
    expect(idsIn(bank)).toEqual([1, 2]);
  });
});
