/**
 * The option `guide` as a user meets it: which pairs leave, that a guide costs no bit of the rest, and that its memory
 * counts as memory that a call reads. test/exactness compares the numbers with the oracle.
 */
import {
  type ContrastiveOptions,
  contrastiveLoss,
  contrastiveLossAndGrad,
  contrastiveLossAndGradSync as lossAndGrad,
  toBFloat16,
  toFloat16,
} from '../../lib';
import { makePair } from '../reference/inputs';
import { expectError, thrownBy } from './fake-binding';

const [rows, dim, guideDim] = [700, 12, 20];
const { queries, keys } = makePair({ rows, dim, seed: 401 });
const guide = makePair({ rows, dim: guideDim, seed: 411, alike: 2 });
const product = (columns: number) => 2 * rows * rows * columns;

describe.each(['clip', 'infonce'] as const)('%s', (objective) => {
  const given: ContrastiveOptions = { objective, logitScale: 20, guide };
  const { stats, ...result } = lossAndGrad(queries, keys, given);

  it('leaves pairs out, and says how many', () => {
    expect(stats.maskedPairs).toBeGreaterThan(rows);
    expect(stats.maskedPairs).toBeLessThan(rows * (rows - 1));
    expect(result.loss).toBeLessThan(lossAndGrad(queries, keys, { objective, logitScale: 20 }).loss);
  });

  it.each([1, 2, 3, 4])('has the same bits with %i threads', (threads) => {
    const { stats: other, ...same } = lossAndGrad(queries, keys, { ...given, threads });
    expect(same).toEqual(result);
    expect(other.maskedPairs).toBe(stats.maskedPairs);
  });

  it('has the same bits in the least workspace', () => {
    const { message } = thrownBy(() =>
      lossAndGrad(queries, keys, { ...given, threads: 1, workspaceBytes: 1 }),
    );
    const workspaceBytes = Number(/at least (\d+)/.exec(message)![1]);
    const { stats: other, ...same } = lossAndGrad(queries, keys, { ...given, threads: 1, workspaceBytes });
    expect(same).toEqual(result);
    expect(other.workspaceBytes).toBeLessThanOrEqual(workspaceBytes);
    expect(other.tilesReused).toBeLessThan(stats.tilesReused);
  });

  it('without a pair above its limit changes no bit of the result', () => {
    const plain = lossAndGrad(queries, keys, { objective, logitScale: 20, perRow: true });
    const idle = lossAndGrad(queries, keys, { ...given, guide: { ...guide, margin: -1e6 }, perRow: true });
    expect(idle.stats.maskedPairs).toBe(0);
    expect({ ...idle, stats: null }).toEqual({ ...plain, stats: null });
    // the guide's product runs once more, as all scores of a call of this size are kept
    expect(idle.stats.flops - plain.stats.flops).toBe(product(guideDim));
    expect(idle.stats.workspaceBytes).toBeGreaterThan(plain.stats.workspaceBytes);
  });

  it.each([
    ['float16', toFloat16],
    ['bfloat16', toBFloat16],
  ] as const)('takes %s beside float32', (_, convert) => {
    const narrow = { queries: convert(guide.queries), keys: guide.keys };
    const masked = lossAndGrad(queries, keys, { ...given, guide: narrow }).stats.maskedPairs;
    expect(Math.abs(masked - stats.maskedPairs)).toBeLessThan(0.02 * stats.maskedPairs);
  });
});

it('a pair that is the positive again never leaves', () => {
  const twice = {
    data: Float32Array.from({ length: rows * guideDim }, (_, at) => guide.queries.data[at % guideDim]!),
    shape: [rows, guideDim],
  };
  const options = { logitScale: 20, guide: { queries: twice, keys: twice } };
  expect(lossAndGrad(queries, keys, options).stats.maskedPairs).toBe(0);
});

it('loss alone and the fused pass leave out the same pairs', async () => {
  for (const objective of ['clip', 'infonce'] as const) {
    const options = { objective, logitScale: 20, guide };
    const alone = await contrastiveLoss(queries, keys, options);
    const whole = await contrastiveLossAndGrad(queries, keys, options);
    expect(alone.loss).toBe(whole.loss);
    expect(alone.stats.maskedPairs).toBe(whole.stats.maskedPairs);
  }
});

describe('hard negatives', () => {
  const hardNegatives = { keys: makePair({ rows: 3 * rows, dim, seed: 421 }).queries, perQuery: 3 };
  const hardGuide = makePair({ rows: 3 * rows, dim: guideDim, seed: 431 }).queries;
  const options = { objective: 'infonce', hardNegatives } as const;

  it('are not guided without features of the guide', () => {
    const { stats } = lossAndGrad(queries, keys, { ...options, guide });
    expect(stats.maskedPairs).toBe(
      lossAndGrad(queries, keys, { objective: 'infonce', guide }).stats.maskedPairs,
    );
  });

  it('leave by their own features of the guide', () => {
    const tight = { ...guide, margin: 10 };
    const { stats, hardNegativeGrads } = lossAndGrad(queries, keys, {
      ...options,
      guide: { ...tight, hardNegatives: hardGuide },
    });
    expect(stats.maskedPairs).toBe(rows * (rows - 1) + 3 * rows);
    expect(hardNegativeGrads).toEqual(new Float32Array(3 * rows * dim));
  });
});

describe('memory', () => {
  const overlaps = (name: string) => ({
    type: RangeError,
    code: 'ERR_OVERLAP',
    message: `options.out.queryGrads not to share memory with ${name}`,
  });

  it.each(['queries', 'keys', 'hardNegatives'] as const)('of guide.%s is not written', (name) => {
    const hardNegatives = { keys: queries, perQuery: 1 };
    const data = new Float32Array(rows * dim);
    const features = { ...makePair({ rows, dim, seed: 441 }), hardNegatives: queries };
    const options: ContrastiveOptions = {
      hardNegatives,
      guide: { ...features, [name]: { data, shape: [rows, dim] } },
      out: { queryGrads: data },
    };
    expectError(
      thrownBy(() => lossAndGrad(queries, keys, options)),
      overlaps(`options.guide.${name}.data`),
    );
  });

  it('is not written by another call meanwhile', async () => {
    const data = Float32Array.from(guide.queries.data.subarray(0, rows * dim));
    const own = { queries: { data, shape: [rows, dim] }, keys: makePair({ rows, dim, seed: 451 }).keys };
    const call = contrastiveLossAndGrad(queries, keys, { guide: own });
    expectError(
      thrownBy(() => lossAndGrad(queries, keys, { out: { queryGrads: data } })),
      overlaps('options.guide.queries.data of a call that waits or runs'),
    );
    await call;
  });
});

it.each(['queries', 'keys', 'hardNegatives'] as const)('names NaN in guide.%s', (name) => {
  const bad = { data: Float32Array.from(guide.queries.data), shape: [rows, guideDim] };
  bad.data[3 * guideDim + 1] = Number.NaN;
  const hardNegatives = { keys: queries, perQuery: 1 };
  const whole = { ...guide, hardNegatives: guide.keys, [name]: bad };
  expectError(
    thrownBy(() => lossAndGrad(queries, keys, { hardNegatives, guide: whole })),
    {
      type: RangeError,
      code: 'ERR_NOT_FINITE',
      message: `options.guide.${name} but received NaN or Infinity at row 3, column 1`,
    },
  );
});

it('rows so long that their dots overflow are refused', () => {
  const long = { ...guide.queries, data: guide.queries.data.map((x) => x * 1e19) };
  expectError(
    thrownBy(() => lossAndGrad(queries, keys, { guide: { queries: long, keys: long } })),
    { type: RangeError, code: 'ERR_NOT_FINITE', message: 'logits of options.guide that float32 can hold' },
  );
});
