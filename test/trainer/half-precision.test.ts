/**
 * Encoders that return 16-bit features: the loss gets the same bits, and encoders get float32 gradients. Node
 * 20 has no Float16Array, so there a marked array stands in for one.
 */
import { contrastiveLossAndGrad, type MatrixLike } from '../../lib';
import { chunkedStep, type Encoder, type FeatureGrads } from '../../lib/trainer';
import { makePair } from '../reference/inputs';
import { type NarrowDType, narrow } from '../reference/narrow';

const mockHalves = new WeakSet<object>();
jest.mock('../../lib/typed-array', () => {
  const actual = jest.requireActual('../../lib/typed-array');
  const isHalf = (value: unknown) => typeof value === 'object' && value !== null && mockHalves.has(value);
  return { ...actual, kindOf: (value: unknown) => (isHalf(value) ? 'Float16Array' : actual.kindOf(value)) };
});

const [rows, dim] = [30, 8];
const pair = makePair({ rows, dim, seed: 5 });

/** Features of the rows [begin, end) of `whole`. */
function slices(whole: MatrixLike) {
  const grads = new Float32Array(rows * dim);
  const encoder: Encoder<[number, number]> = {
    encode: ([begin, end]) => ({
      ...whole,
      data: whole.data.subarray(begin * dim, end * dim),
      shape: [end - begin, dim],
    }),
    backward([begin], featureGrads: FeatureGrads) {
      expect(featureGrads.dtype).toBe('float32');
      grads.set(featureGrads.data, begin * dim);
    },
  };
  return { encoder, grads };
}

const bitsOf = (matrix: typeof pair.queries, dtype: NarrowDType) => narrow(matrix, dtype).bits;

describe.each(['float16', 'bfloat16'] as const)('%s features', (dtype) => {
  test('give what one call on all of them gives', async () => {
    const [queries, keys] = [bitsOf(pair.queries, dtype), bitsOf(pair.keys, dtype)];
    const direct = await contrastiveLossAndGrad(queries, keys);
    const wide = await contrastiveLossAndGrad(pair.queries, pair.keys);
    const [q, k] = [slices(queries), slices(keys)];
    const cuts: [number, number][] = [
      [0, 11],
      [11, 30],
    ];
    const result = await chunkedStep({
      queries: { encoder: q.encoder, chunks: () => cuts },
      keys: { encoder: k.encoder, chunks: () => [[0, rows]] as [number, number][] },
    });
    expect(result.loss).toBe(direct.loss);
    expect(result.loss).not.toBe(wide.loss);
    expect(q.grads).toEqual(direct.queryGrads);
    expect(k.grads).toEqual(direct.keyGrads);
    expect(result.cost.encode.bytes).toBe(2 * rows * dim * 2);
  });
});

test('towers may differ in their element type', async () => {
  const queries = bitsOf(pair.queries, 'float16');
  const direct = await contrastiveLossAndGrad(queries, pair.keys);
  const [q, k] = [slices(queries), slices(pair.keys)];
  const chunks = () => [[0, rows]] as [number, number][];
  const step = { queries: { encoder: q.encoder, chunks }, keys: { encoder: k.encoder, chunks } };
  expect((await chunkedStep(step)).loss).toBe(direct.loss);
});

test.each([{}, { type: 'float16' }])('a Float16Array stated as %j is taken as its bits', async (stated) => {
  type Half = new (buffer: ArrayBufferLike, offset: number, length: number) => Uint16Array;
  const Half = (globalThis as { Float16Array?: Half }).Float16Array;
  const bits = bitsOf(pair.queries, 'float16').data as Uint16Array;
  const { encoder, grads } = slices(bitsOf(pair.queries, 'float16'));
  encoder.encode = ([begin, end]) => {
    const part = bits.subarray(begin * dim, end * dim);
    const data = Half ? new Half(part.buffer, part.byteOffset, part.length) : part;
    if (!Half) mockHalves.add(data);
    return { data, dims: [end - begin, dim], ...stated };
  };
  const keys = slices(pair.keys);
  await chunkedStep({
    queries: {
      encoder,
      chunks: () =>
        [
          [0, 7],
          [7, rows],
        ] as [number, number][],
    },
    keys: { encoder: keys.encoder, chunks: () => [[0, rows]] as [number, number][] },
  });
  const direct = await contrastiveLossAndGrad(bitsOf(pair.queries, 'float16'), pair.keys);
  expect(grads).toEqual(direct.queryGrads);
  expect(keys.grads).toEqual(direct.keyGrads);
});
