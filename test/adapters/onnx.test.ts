/** The calls of an encoder of `infcl/onnx`, with a stand-in for ONNX Runtime: feeds, masks, memory, errors. */
import { onnxEncoder } from '../../lib/adapters/onnx';
import { chunkedStep } from '../../lib/trainer';
import { forgetTensors, ort, port, sessionOf, Tensor, tensors } from './onnx-stand-in';

const dim = 2;
const ids = port('input_ids', 'int64', 'batch', 'sequence');
const mask = port('attention_mask', 'int64', 'batch', 'sequence');
const hidden = port('hidden', 'float32', 'batch', 'sequence', dim);

const int64 = (values: number[], ...dims: number[]) => ({
  type: 'int64',
  data: BigInt64Array.from(values, BigInt),
  dims,
});
const goodFeeds = { input_ids: int64([1, 2, 3, 4], 2, 2), attention_mask: int64([1, 1, 0, 1], 2, 2) };
const hiddenOf = () => new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, dim]);

beforeEach(forgetTensors);

function textEncoder(feeds: () => unknown = () => goodFeeds, output: () => unknown = hiddenOf, changed = {}) {
  const session = sessionOf([ids, mask], [hidden], () => ({ hidden: output() }) as Record<string, Tensor>);
  const options = { ort, session, feeds: feeds as () => typeof goodFeeds, pool: 'mean' as const, ...changed };
  return { encoder: onnxEncoder<string>(options), session };
}

describe('a call', () => {
  test('asks for one output, with tensors of the module, and disposes of all that it did not get', async () => {
    const own = new Tensor('int64', BigInt64Array.of(1n, 1n, 0n, 1n), [2, 2]);
    const { encoder, session } = textEncoder(() => ({ ...goodFeeds, attention_mask: own }));
    const features = await encoder.encode('chunk');
    expect(features).toEqual({ data: Float32Array.of(2, 3, 7, 8), shape: [2, dim], dtype: 'float32' });
    const [{ feeds, fetches }] = session.calls as [(typeof session.calls)[0]];
    expect(fetches).toEqual(['hidden']);
    expect(feeds.attention_mask).toBe(own);
    expect(feeds.input_ids).toBeInstanceOf(Tensor);
    expect(feeds.input_ids).toMatchObject(goodFeeds.input_ids);
    expect(own.disposed).toBe(0);
    const others = tensors.filter((tensor) => tensor !== own);
    expect(others.map(({ disposed }) => disposed)).toEqual([1, 1]);
  });

  test('a mask that is no input of the model stays with the encoder', async () => {
    const session = sessionOf([ids], [hidden], () => ({ hidden: hiddenOf() }));
    const feeds = () => ({ input_ids: goodFeeds.input_ids, real: { ...int64([0, 1, 1, 0], 2, 2) } });
    const encoder = onnxEncoder<string>({ ort, session, feeds, pool: 'last_token', mask: 'real' });
    expect((await encoder.encode('chunk')).data).toEqual(Float32Array.of(3, 4, 5, 6));
    expect(Object.keys(session.calls[0]!.feeds)).toEqual(['input_ids']);
  });

  test.each([
    ['bool', Uint8Array.of(1, 1, 0, 1)],
    ['int32', Int32Array.of(1, 1, 0, 1)],
    ['float32', Float32Array.of(1, 1, 0, 1)],
  ])('a mask of %s', async (type, data) => {
    const session = sessionOf([ids, port('attention_mask', type, 'b', 's')], [hidden], () => ({
      hidden: hiddenOf(),
    }));
    const feeds = () => ({ ...goodFeeds, attention_mask: { type, data, dims: [2, 2] } });
    const encoder = onnxEncoder<string>({ ort, session, feeds, pool: 'cls' });
    expect((await encoder.encode('chunk')).data).toEqual(Float32Array.of(1, 2, 7, 8));
  });

  test('an output on a device is copied to the host, then disposed of', async () => {
    class Remote extends Tensor {
      async getData() {
        expect(this.disposed).toBe(0);
        return this.data;
      }
    }
    const remote = new Remote('float32', Float32Array.of(3, 4, 0, 0), [2, dim]);
    Object.defineProperty(remote, 'dims', { value: [2, dim] });
    const session = sessionOf([], [], () => ({ y: remote }));
    session.inputMetadata = [port('x', 'float32', 'n')];
    session.outputMetadata = [port('y', 'float32', 'n', dim)];
    const feeds = () => ({ x: { type: 'float32', data: Float32Array.of(1, 2), dims: [2] } });
    const encoder = onnxEncoder<string>({ ort, session, feeds, normalize: true });
    expect((await encoder.encode('chunk')).data).toEqual(Float32Array.of(0.6, 0.8, 0, 0));
    expect(remote.disposed).toBe(1);
  });

  test('float16 bits: every kind of number', async () => {
    // 1, -2, the smallest subnormal, the largest number, infinity, -0
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000);
    const output = () => new Tensor('float16', bits, [3, 1, dim]);
    const session = sessionOf([port('x', 'float32', 'n')], [port('y', 'float16', 'n', 't', dim)], () => ({
      y: output(),
    }));
    const feeds = () => ({ x: { type: 'float32', data: new Float32Array(3), dims: [3] } });
    const encoder = onnxEncoder<string>({ ort, session, feeds, pool: 'cls' });
    const { data } = await encoder.encode('chunk');
    expect(data).toEqual(Float32Array.of(1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, -0));
  });
});

type Row = [what: string, feeds: unknown, code: string, message: string];

const wrongFeeds: Row[] = [
  ['nothing', undefined, 'ERR_ENCODER', 'Expected object of tensors by name'],
  ['an array', [], 'ERR_ENCODER', 'Expected object of tensors by name'],
  [
    'an unknown name',
    { ...goodFeeds, token_type_ids: 1 },
    'ERR_ENCODER',
    'known are input_ids, attention_mask',
  ],
  ['a typo', { ...goodFeeds, input_id: 1 }, 'ERR_ENCODER', 'did you mean input_ids?'],
  ['a missing input', { input_ids: goodFeeds.input_ids }, 'ERR_ENCODER', 'for attention_mask in the result'],
  [
    'numbers',
    { ...goodFeeds, input_ids: [1, 2] },
    'ERR_ENCODER',
    'tensor { type, data, dims } for input_ids',
  ],
  [
    'another type',
    { ...goodFeeds, input_ids: { ...goodFeeds.input_ids, type: 'int32' } },
    'ERR_DTYPE',
    'Expected int64',
  ],
  ['another rank', { ...goodFeeds, input_ids: int64([1, 2], 2) }, 'ERR_SHAPE', '[batch, sequence]'],
  [
    'a mask of another shape',
    { ...goodFeeds, attention_mask: int64([1, 1], 2, 1) },
    'ERR_SHAPE',
    'Expected [2, 2]',
  ],
  ['a mask of -1', { ...goodFeeds, attention_mask: int64([1, 1, -1, 1], 2, 2) }, 'ERR_VALUE', 'element 2'],
  ['a row without tokens', { ...goodFeeds, attention_mask: int64([1, 1, 0, 0], 2, 2) }, 'ERR_VALUE', 'row 1'],
  [
    'a mask without elements',
    { ...goodFeeds, attention_mask: { ...goodFeeds.input_ids, data: null } },
    'ERR_DTYPE',
    'mask',
  ],
  [
    'a short mask',
    { ...goodFeeds, attention_mask: { ...goodFeeds.input_ids, data: BigInt64Array.of(1n) } },
    'ERR_SHAPE',
    'with 1 elements',
  ],
];

const outputOf =
  (type: string, data: unknown, ...dims: number[]) =>
  () =>
    new Tensor(type, data, dims);

const wrongOutputs: [what: string, output: () => unknown, code: string, message: string][] = [
  ['none', () => undefined, 'ERR_ENCODER', 'Expected tensor for the output hidden'],
  [
    'two dimensions',
    outputOf('float32', new Float32Array(4), 2, dim),
    'ERR_SHAPE',
    '[rows, tokens, dim] from',
  ],
  [
    'other rows than the mask',
    outputOf('float32', new Float32Array(4), 1, 2, dim),
    'ERR_SHAPE',
    'Expected [1, 2]',
  ],
  ['few elements', outputOf('float32', new Float32Array(4), 2, 2, dim), 'ERR_SHAPE', 'with 4 elements'],
  ['no array', outputOf('float32', [1], 2, 2, dim), 'ERR_SHAPE', 'with 0 elements'],
  ['integers', outputOf('int32', new Int32Array(8), 2, 2, dim), 'ERR_DTYPE', 'float32 or float16'],
];

test.each(wrongFeeds)('feeds: %s', async (_, feeds, code, message) => {
  const { encoder, session } = textEncoder(() => feeds);
  await expect(encoder.encode('chunk')).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  // only the output tells whether the mask has its shape
  expect(session.calls).toHaveLength(message === 'Expected [2, 2]' ? 1 : 0);
  for (const tensor of tensors) expect(tensor.disposed).toBe(1);
});

test.each(wrongOutputs)('output: %s', async (_, output, code, message) => {
  const { encoder } = textEncoder(undefined, output);
  await expect(encoder.encode('chunk')).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  expect(tensors.length).toBeGreaterThan(1);
  for (const tensor of tensors) expect(tensor.disposed).toBe(1);
});

test('feeds are checked before the session runs, and a dimension that the model states', async () => {
  const session = sessionOf([port('x', 'float32', 'n', 4)], [port('y', 'float32', 'n', dim)], () => ({}));
  const feeds = () => ({ x: { type: 'float32', data: new Float32Array(6), dims: [2, 3] } });
  const { encode } = onnxEncoder<string>({ ort, session, feeds });
  await expect(encode('chunk')).rejects.toMatchObject({
    code: 'ERR_SHAPE',
    message: 'Expected [n, 4] for the shape of x in the result of options.feeds() but received [2, 3]',
  });
  expect(session.calls).toEqual([]);
});

test.each([
  ['feeds', () => textEncoder(() => Promise.reject(new Error('mine')))],
  [
    'the session',
    () =>
      textEncoder(undefined, () => {
        throw new Error('mine');
      }),
  ],
])('an error of %s passes unchanged through the step, and no tensor is left', async (_, make) => {
  const { encoder } = make();
  const trained = { encode: () => ({ data: new Float32Array(2), shape: [1, dim] }), backward: () => {} };
  const step = chunkedStep<string, string>({
    queries: { encoder, chunks: () => ['chunk'] },
    keys: { encoder: trained, chunks: () => ['chunk'] },
  });
  const error = await step.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ message: 'mine' });
  expect(error).not.toHaveProperty('code');
  for (const tensor of tensors) expect(tensor.disposed).toBe(1);
});
