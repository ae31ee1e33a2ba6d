/** FeatureBank: first in, first out; the loss with a bank against the dense loss; masks by id; refusals. */
import v8 from 'node:v8';
import {
  contrastiveLossAndGradSync,
  FeatureBank,
  type FeatureBankOptions,
  type FeatureBankState,
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

describe('the state of a bank', () => {
  const capacity = 5;
  const throughJson = (state: FeatureBankState) => JSON.parse(JSON.stringify(state)) as FeatureBankState;

  test.each([
    ['structuredClone', (state: FeatureBankState) => structuredClone(state)],
    ['v8.serialize', (state: FeatureBankState) => v8.deserialize(v8.serialize(state)) as FeatureBankState],
  ])('goes through %s: the bank goes on with the same bits', (_, carry) => {
    for (const before of [0, 1, 4, 5, 7, 10]) {
      const bank = new FeatureBank({ capacity, dim });
      for (let id = 1; id <= before; id++) push(bank, id);
      const again = FeatureBank.from(carry(bank.state()));
      for (const more of [100, 101, 102]) {
        expect(again.behind(matrix(0), Int32Array.of(0))).toEqual(bank.behind(matrix(0), Int32Array.of(0)));
        for (const each of [bank, again]) push(each, more);
      }
      expect(again.state()).toEqual(bank.state());
      expect(again.size).toBe(Math.min(capacity, before + 3));
    }
  });

  test('a resumed loss has the same bits, and the order of rows matters for them', () => {
    const random = generator(11);
    const some = (rows: number) => ({
      data: Float32Array.from({ length: rows * dim }, () => random.next() - 0.5),
      shape: [rows, dim] as const,
    });
    const bank = new FeatureBank({ capacity: 50, dim });
    bank.push(some(73), new Int32Array(73).fill(-1));
    const [queries, ids] = [some(9), Int32Array.from({ length: 9 }, (_, i) => i)];
    const lossWith = (of: FeatureBank) => {
      const all = of.behind(queries, ids);
      const options = { objective: 'infonce', queryIds: ids, keyIds: all.ids } as const;
      return contrastiveLossAndGradSync(queries, all.features, options);
    };
    const [first, second] = [lossWith(bank), lossWith(FeatureBank.from(bank.state()))];
    expect(second.loss).toBe(first.loss);
    expect(second.queryGrads).toEqual(first.queryGrads);
    expect(second.keyGrads).toEqual(first.keyGrads);
  });

  test('is a copy, and keeps 16-bit rows', () => {
    const bank = new FeatureBank({ capacity, dim, dtype: 'float16' });
    bank.push(toFloat16(matrix(1, 2)), Int32Array.of(1, 2));
    const state = bank.state();
    bank.push(toFloat16(matrix(3)), Int32Array.of(3));
    expect(state).toMatchObject({ kind: 'FeatureBank', dtype: 'float16', next: 2, ids: Int32Array.of(1, 2) });
    const again = FeatureBank.from(state);
    state.features.fill(0);
    expect(again.features).toEqual(toFloat16(matrix(1, 2)));
  });

  const full = new FeatureBank({ capacity, dim });
  push(full, 1, 2, 3, 4, 5, 6);
  const part = new FeatureBank({ capacity, dim });
  push(part, 1, 2);
  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'ERR_TYPE', 'object for state'],
    ['another kind', { ...full.state(), kind: 'LogitScale' }, 'ERR_VALUE', 'state.kind'],
    ['a typo', { ...full.state(), nxt: 1 }, 'ERR_OPTION', 'did you mean next?'],
    ['what JSON leaves', throughJson(full.state()), 'ERR_TYPE', 'JSON has no typed arrays'],
    [
      'another type of rows',
      { ...full.state(), dtype: 'float16' },
      'ERR_TYPE',
      'Uint16Array for state.features',
    ],
    ['more rows than fit', { ...full.state(), capacity: 4 }, 'ERR_SHAPE', 'Expected up to 4 ids'],
    [
      'too few features',
      { ...full.state(), features: new Float32Array(3) },
      'ERR_SHAPE',
      '5 ids and 3 features',
    ],
    ['no place', { ...full.state(), next: 5 }, 'ERR_VALUE', 'Expected 0 to 4 for state.next'],
    ['a place behind a gap', { ...part.state(), next: 4 }, 'ERR_VALUE', 'Expected 2 for state.next'],
    ['half a place', { ...full.state(), next: 0.5 }, 'ERR_VALUE', 'state.next'],
  ])('of %s is refused', (_, state, code, message) => {
    const error = thrownBy(() => FeatureBank.from(state as FeatureBankState));
    expectError(error, { type: classOf[code] ?? RangeError, code, message });
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
