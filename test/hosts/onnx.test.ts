/**
 * `infcl/onnx` with ONNX Runtime itself: features against sums by hand, every pool with padding at either end, and
 * what a session says of its model.
 *
 * @jest-environment ./test/hosts/one-realm.js
 */
import * as ort from 'onnxruntime-node';
import { contrastiveLossSync } from '../../lib';
import { type OnnxEncoderOptions, onnxEncoder } from '../../lib/adapters/onnx';
import { onnxModel } from './onnx-model';
import { expectClose, linearModel, makeSession, multiply, textModel, values } from './onnx-towers';

const [rows, inputs, dim] = [12, 5, 4];
const weights = values(inputs * dim, 1);
const data = values(rows * inputs, 2);

/** Rows of x as a tensor. */
const tensorOf = (x: Float32Array) => new ort.Tensor('float32', x, [x.length / inputs, inputs]);

const product = (x: Float32Array) => multiply(x, weights, [inputs, dim]);

async function linearEncoder(changed: Partial<OnnxEncoderOptions<Float32Array>> = {}) {
  const session = await makeSession(linearModel(weights, inputs, dim));
  const feeds = (x: Float32Array) => ({ x: tensorOf(x) });
  return onnxEncoder({ ort, session, feeds, output: 'features', ...changed });
}

describe('an output [rows x dim]', () => {
  test('is the features', async () => {
    const encoder = await linearEncoder();
    const features = await encoder.encode(data);
    expect(features).toMatchObject({ shape: [rows, dim], dtype: 'float32' });
    expectClose(features.data as Float32Array, product(data));
    expect('backward' in encoder).toBe(false);
  });

  test('features of one chunk stay when other chunks are encoded, also at the same time', async () => {
    const encoder = await linearEncoder({ feeds: async (x) => ({ x: tensorOf(x) }) });
    const chunks = [data.subarray(0, 3 * inputs), data.subarray(3 * inputs)];
    const found = await Promise.all(chunks.map((chunk) => encoder.encode(chunk)));
    for (const [i, features] of found.entries()) {
      expectClose(features.data as Float32Array, product(chunks[i]!));
    }
  });

  test('another output of the same model', async () => {
    const { data: active } = await (await linearEncoder({ output: 'active' })).encode(data);
    expectClose(
      active as Float32Array,
      product(data).map((x) => Math.max(0, x)),
    );
  });

  test('plain objects in place of tensors', async () => {
    const plain = await linearEncoder({
      feeds: (x) => ({ x: { type: 'float32', data: x, dims: [rows, inputs] } }),
    });
    expectClose((await plain.encode(data)).data as Float32Array, product(data));
  });

  test('rows of unit length', async () => {
    const { data: unit } = await (await linearEncoder({ normalize: true })).encode(data);
    const expected = product(data);
    for (let begin = 0; begin < expected.length; begin += dim) {
      const row = expected.subarray(begin, begin + dim);
      const length = Math.hypot(...row);
      expectClose(
        (unit as Float32Array).subarray(begin, begin + dim),
        row.map((x) => x / length),
      );
    }
  });

  test('float16: the same bits as a call of the session, which the loss takes', async () => {
    const session = await makeSession(linearModel(weights, inputs, dim, 'float16'));
    const feeds = (x: Float32Array) => ({ x: tensorOf(x) });
    const features = await onnxEncoder({ ort, session, feeds, output: 'features' }).encode(data);
    const direct = (await session.run({ x: tensorOf(data) }, ['features'])).features!;
    expect(features).toMatchObject({ shape: [rows, dim], dtype: 'float16' });
    expect(features.data).toEqual(direct.data);
    const wide = { data: product(data), shape: [rows, dim] };
    expect(contrastiveLossSync(features, wide).loss).toBeCloseTo(contrastiveLossSync(wide, wide).loss, 2);
    const options = { ort, session, feeds, output: 'features', normalize: true };
    const unit = await onnxEncoder(options).encode(data);
    expect(unit.dtype).toBe('float32');
    const float32 = (await (await linearEncoder({ normalize: true })).encode(data)).data as Float32Array;
    expectClose(unit.data as Float32Array, float32, 2e-3);
  });
});

describe('an output [rows x tokens x dim]', () => {
  const table = values(10 * dim, 3).map((x) => Math.fround(Math.round(x * 64) / 64));
  const vector = (token: number) => [...table.subarray(token * dim, (token + 1) * dim)];
  const mean = (...tokens: number[]) =>
    vector(0).map((_, i) => tokens.reduce((sum, token) => sum + vector(token)[i]!, 0) / tokens.length);
  const texts = [[3, 1, 4, 1, 5], [9, 2], [6]];
  const longest = 5;

  /** Ids and mask with padding at one end. */
  function batch(side: 'left' | 'right') {
    const padded = texts.map((tokens) => {
      const padding = new Array<number>(longest - tokens.length).fill(0);
      const ones = tokens.map(() => 1);
      return side === 'left'
        ? { ids: [...padding, ...tokens], mask: [...padding, ...ones] }
        : { ids: [...tokens, ...padding], mask: [...ones, ...padding] };
    });
    const int64 = (all: number[]) =>
      new ort.Tensor('int64', BigInt64Array.from(all, BigInt), [texts.length, longest]);
    return {
      input_ids: int64(padded.flatMap(({ ids }) => ids)),
      attention_mask: int64(padded.flatMap(({ mask }) => mask)),
    };
  }

  test.each([
    ['mean', texts.flatMap((tokens) => mean(...tokens))],
    ['cls', texts.flatMap((tokens) => vector(tokens[0]!))],
    ['first_token', texts.flatMap((tokens) => vector(tokens[0]!))],
    ['last_token', texts.flatMap((tokens) => vector(tokens.at(-1)!))],
  ] as const)(
    '%s, with padding on the left and on the right, in both element types',
    async (pool, expected) => {
      for (const type of ['float32', 'float16'] as const) {
        const session = await makeSession(textModel(table, dim, type));
        const encoder = onnxEncoder({ ort, session, feeds: batch, pool });
        for (const side of ['left', 'right'] as const) {
          const features = await encoder.encode(side);
          expect(features).toMatchObject({ shape: [texts.length, dim], dtype: 'float32' });
          expectClose(features.data as Float32Array, expected);
        }
      }
    },
  );

  test('mask: null counts padding too', async () => {
    const session = await makeSession(textModel(table, dim));
    const encoder = onnxEncoder({ ort, session, feeds: batch, pool: 'last_token', mask: null });
    const { data: right } = await encoder.encode('right');
    expectClose(right as Float32Array, [...vector(5), 9, 9, 9, 9, 9, 9, 9, 9]);
  });
});

describe('refused by what the session says', () => {
  const feeds = () => ({});
  const identity = (type: 'float32' | 'float64' | 'int8', dims?: (number | string)[]) =>
    onnxModel({
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
      inputs: { x: { type, dims: dims ?? ['batch', 4] } },
      outputs: { y: { type, dims } },
    });

  test.each([
    ['int8', identity('int8'), 'ERR_DTYPE', 'int8'],
    ['float64', identity('float64'), 'ERR_DTYPE', 'Cast'],
    ['one dimension', identity('float32', ['n']), 'ERR_SHAPE', '[n]'],
    ['four dimensions', identity('float32', ['n', 3, 8, 8]), 'ERR_SHAPE', '[n, 3, 8, 8]'],
    ['three dimensions without pool', identity('float32', ['n', 't', 8]), 'ERR_TYPE', 'options.pool'],
    ['two outputs without a name', linearModel(weights, inputs, dim), 'ERR_TYPE', 'features, active'],
  ])('%s', async (_, model, code, message) => {
    const session = await makeSession(model);
    expect(() => onnxEncoder({ ort, session, feeds })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('a model that states no shape: refused when its output comes', async () => {
    const session = await makeSession(
      onnxModel({
        nodes: [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
        inputs: { x: { type: 'float32', dims: ['n'] }, shape: { type: 'int64', dims: ['rank'] } },
        outputs: { y: { type: 'float32' } },
      }),
    );
    expect(session.outputMetadata[0]).toMatchObject({ shape: [] });
    const x = new ort.Tensor('float32', new Float32Array(8).fill(1), [8]);
    const shape = new ort.Tensor('int64', BigInt64Array.of(2n, 2n, 2n), [3]);
    const encode = (pool?: 'cls') =>
      onnxEncoder({ ort, session, feeds: () => ({ x, shape }), pool }).encode(0);
    await expect(encode()).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining('options.pool'),
    });
    expect((await encode('cls')).shape).toEqual([2, 2]);
  });

  test('bfloat16: ONNX Runtime does not load the model', async () => {
    const ports = { type: 'bfloat16', dims: ['batch', 4] } as const;
    const nodes = [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }];
    const model = onnxModel({ nodes, inputs: { x: ports }, outputs: { y: ports } });
    await expect(makeSession(model)).rejects.toThrow('Unsupported data type: 16');
  });
});

test('errors of the session pass unchanged, and the encoder stays usable', async () => {
  const session = await makeSession(linearModel(weights, inputs, dim));
  const encoder = onnxEncoder({
    ort,
    session,
    feeds: (x: Float32Array) => ({ x: tensorOf(x) }),
    output: 'active',
  });
  await encoder.encode(data);
  await session.release();
  await expect(encoder.encode(data)).rejects.toThrow('Session already disposed.');
});
