/**
 * The option `teacher` as a user meets it: its term in the loss, its gradient, equal bits, and its memory.
 * test/exactness compares the numbers with the oracle.
 */
import {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync as lossAndGrad,
} from '../../lib';
import { denseLossAndGrad } from '../reference/dense';
import { makePair } from '../reference/inputs';
import { expectError, thrownBy } from './fake-binding';

const [rows, dim, teacherDim] = [700, 12, 20];
const { queries, keys } = makePair({ rows, dim, seed: 501 });
const features = makePair({ rows, dim: teacherDim, seed: 511, alike: 6 });
const teacher = { ...features, logitScale: 12, weight: 0.7 };

describe.each(['clip', 'infonce'] as const)('%s', (objective) => {
  const given: ContrastiveOptions = { objective, logitScale: 20, teacher };
  const { stats, ...result } = lossAndGrad(queries, keys, given);

  it.each([1, 2, 3, 4])('has the same bits with %i threads', (threads) => {
    const { stats: _, ...same } = lossAndGrad(queries, keys, { ...given, threads });
    expect(same).toEqual(result);
  });

  it('has the same bits in the least workspace', () => {
    const { message } = thrownBy(() =>
      lossAndGrad(queries, keys, { ...given, threads: 1, workspaceBytes: 1 }),
    );
    const workspaceBytes = Number(/at least (\d+)/.exec(message)![1]);
    const { stats: other, ...same } = lossAndGrad(queries, keys, { ...given, threads: 1, workspaceBytes });
    expect(same).toEqual(result);
    expect(other.workspaceBytes).toBeLessThanOrEqual(workspaceBytes);
  });

  it('multiplies the features of the teacher once in each pass', () => {
    const plain = lossAndGrad(queries, keys, { objective, logitScale: 20 }).stats;
    expect(stats.flops - plain.flops).toBe(2 * 2 * rows * rows * teacherDim);
    const alone = lossAndGrad(queries, keys, { ...given, grad: { queries: false, keys: false } }).stats;
    expect(alone.flops).toBeLessThan(stats.flops);
  });

  it('gives the loss alone the same number', async () => {
    expect((await contrastiveLoss(queries, keys, given)).loss).toBe(result.loss);
  });

  it('averages the losses of its rows to the loss', () => {
    const own = lossAndGrad(queries, keys, { ...given, perRow: true });
    expect(own.loss).toBe(result.loss);
    const mean = own.rows.loss.reduce((sum, loss) => sum + loss, 0) / rows;
    expect(Math.abs(mean - result.loss)).toBeLessThan(1e-6 * result.loss);
    const plain = lossAndGrad(queries, keys, { objective, logitScale: 20, perRow: true });
    expect(own.rows.lse).toEqual(plain.rows.lse);
    expect(own.rows.positiveFirst).toEqual(plain.rows.positiveFirst);
  });

  it('gives the gradient of the first keys alone', () => {
    if (objective === 'clip') return;
    const { keyGrads } = lossAndGrad(queries, keys, { ...given, grad: { keys: { rows: 100 } } });
    expect(keyGrads).toEqual(result.keyGrads.subarray(0, 100 * dim));
  });
});

it('adds weight times the cross-entropy, and nothing else', () => {
  const loss = (weight: number) =>
    lossAndGrad(queries, keys, { logitScale: 20, teacher: { ...teacher, weight } }).loss;
  const plain = lossAndGrad(queries, keys, { logitScale: 20 }).loss;
  const [one, two] = [loss(1) - plain, loss(2) - plain];
  expect(one).toBeGreaterThan(0);
  expect(Math.abs(two - 2 * one)).toBeLessThan(1e-5);
});

it('a teacher that is the model gives no gradient of its own', () => {
  const logitScale = 20;
  const plain = lossAndGrad(queries, keys, { logitScale });
  const same = lossAndGrad(queries, keys, { logitScale, teacher: { queries, keys, logitScale, weight: 5 } });
  const length = Math.hypot(...plain.queryGrads);
  expect(Math.hypot(...same.queryGrads.map((g, at) => g - plain.queryGrads[at]!))).toBeLessThan(
    1e-5 * length,
  );
  expect(Math.abs(same.logitScaleGrad - plain.logitScaleGrad)).toBeLessThan(1e-6);
});

it('the gradient of the scale is the slope of the loss', () => {
  const { queries, keys } = makePair({ rows: 40, dim, seed: 521 });
  const own = { ...makePair({ rows: 40, dim: 5, seed: 531 }), logitScale: 9, weight: 2 };
  const at = (logitScale: number) => denseLossAndGrad(queries, keys, { logitScale, teacher: own }).loss;
  const { logitScaleGrad } = lossAndGrad(queries, keys, { logitScale: 8, teacher: own });
  expect(logitScaleGrad).toBeCloseTo((at(8 + 1e-4) - at(8 - 1e-4)) / 2e-4, 6);
});

it('products in bfloat16 stay within their bound', () => {
  const wide = lossAndGrad(queries, keys, { logitScale: 20, teacher });
  const narrow = lossAndGrad(queries, keys, { logitScale: 20, teacher, compute: 'bfloat16' });
  expect(Math.abs(narrow.loss - wide.loss)).toBeLessThan(2e-2 * wide.loss);
});

describe('memory', () => {
  const overlaps = (name: string) => ({
    type: RangeError,
    code: 'ERR_OVERLAP',
    message: `options.out.queryGrads not to share memory with ${name}`,
  });

  it.each(['queries', 'keys'] as const)('of teacher.%s is not written', (name) => {
    const data = new Float32Array(rows * dim);
    const own = { ...makePair({ rows, dim, seed: 541 }), [name]: { data, shape: [rows, dim] } };
    expectError(
      thrownBy(() =>
        lossAndGrad(queries, keys, { teacher: { ...teacher, ...own }, out: { queryGrads: data } }),
      ),
      overlaps(`options.teacher.${name}.data`),
    );
  });

  it('is not written by another call meanwhile', async () => {
    const data = new Float32Array(rows * dim).fill(0.1);
    const own = { queries: { data, shape: [rows, dim] }, keys: makePair({ rows, dim, seed: 551 }).keys };
    const call = contrastiveLossAndGrad(queries, keys, { teacher: { ...teacher, ...own } });
    expectError(
      thrownBy(() => lossAndGrad(queries, keys, { out: { queryGrads: data } })),
      overlaps('options.teacher.queries.data of a call that waits or runs'),
    );
    await call;
  });
});

it.each(['queries', 'keys'] as const)('names NaN in teacher.%s', (name) => {
  const bad = { data: Float32Array.from(features.queries.data), shape: [rows, teacherDim] };
  bad.data[3 * teacherDim + 1] = Number.NaN;
  expectError(
    thrownBy(() => lossAndGrad(queries, keys, { teacher: { ...teacher, [name]: bad } })),
    {
      type: RangeError,
      code: 'ERR_NOT_FINITE',
      message: `options.teacher.${name} but received NaN or Infinity at row 3, column 1`,
    },
  );
});

it('logits beyond float32 are refused', () => {
  expectError(
    thrownBy(() =>
      lossAndGrad(queries, keys, {
        teacher: {
          ...teacher,
          logitScale: 1e30,
          queries: { ...features.queries, data: features.queries.data.map((x) => x * 1e6) },
        },
      }),
    ),
    { type: RangeError, code: 'ERR_NOT_FINITE', message: 'logits of options.teacher that float32 can hold' },
  );
});
