/**
 * Layers of tfjs in the two passes of a step: those that are refused by name, wherever they are in the
 * model, and those that the encoder makes repeatable.
 */

import { tfjsEncoder } from '../../lib/adapters/tfjs';
import { expectError, thrownBy } from '../lib/fake-binding';
import { kept, matrix, tf, useBackend, values } from './tfjs-host';

const { layers } = tf;
type Layer = ReturnType<typeof layers.dense>;
const dense = () => layers.dense({ units: 4, inputShape: [4] });
const model = (...list: object[]) => tf.sequential({ layers: [dense(), ...(list as Layer[])] });
const encoderOf = (network: tf.LayersModel, options: object = {}) =>
  tfjsEncoder<tf.Tensor, typeof tf>({ tf, model: network, seed: 1, ...options });
const grads = (rows: number, width = 4) =>
  ({ data: values(rows * width, 9), shape: [rows, width], dtype: 'float32' }) as const;

beforeAll(() => useBackend('cpu'));

const refused: [what: string, make: () => object, words: string][] = [
  [
    'GaussianNoise',
    () => layers.gaussianNoise({ stddev: 0.1 }),
    'GaussianNoise draws its noise without a seed',
  ],
  ['GaussianDropout', () => layers.gaussianDropout({ rate: 0.1 }), 'GaussianDropout draws its noise'],
  ['AlphaDropout', () => layers.alphaDropout({ rate: 0.1 }), 'AlphaDropout draws its noise'],
  ['BatchNormalization', () => layers.batchNormalization(), 'BatchNormalization would normalise each chunk'],
];

describe('a layer is refused by name', () => {
  test.each(refused)('%s', (what, make, words) => {
    const layer = make() as Layer;
    const error = thrownBy(() => encoderOf(model(layer)));
    expectError(error, { type: TypeError, code: 'ERR_ENCODER', message: words });
    expect(error.message).toContain(layer.name);
    expect(() => encoderOf(model(make()), { training: false })).not.toThrow();
    expect(() => encoderOf(model(make()), { frozen: true })).not.toThrow();
    expect(what).toBe(layer.getClassName());
  });

  test.each(refused)('%s in a model in a model', (_, make, words) => {
    expect(() => encoderOf(model(model(make())))).toThrow(words);
  });

  test.each(refused)('%s in a wrapper', (_, make, words) => {
    const wrapped = layers.timeDistributed({ layer: make() as Layer, inputShape: [2, 4] } as never);
    const flat = layers.flatten();
    expect(() => encoderOf(tf.sequential({ layers: [wrapped, flat] }))).toThrow(words);
  });

  test.each([
    ['LSTM', layers.lstm({ units: 3, dropout: 0.2, inputShape: [2, 4] })],
    ['GRU', layers.gru({ units: 3, recurrentDropout: 0.2, inputShape: [2, 4] })],
    ['SimpleRNN', layers.simpleRNN({ units: 3, dropout: 0.2, inputShape: [2, 4] })],
    [
      'an RNN of several steps',
      layers.rnn({
        cell: [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 3, dropout: 0.1 })],
        inputShape: [2, 4],
      } as never),
    ],
    [
      'Bidirectional',
      layers.bidirectional({
        layer: layers.lstm({ units: 3, dropout: 0.2 }) as never,
        mergeMode: 'concat',
        inputShape: [2, 4],
      } as never),
    ],
  ])('%s with dropout of its own', (_, layer) => {
    const network = tf.sequential({ layers: [layer as unknown as Layer] });
    expect(() => encoderOf(network)).toThrow('a recurrent layer draws its dropout without a seed');
    expect(() => encoderOf(network, { training: false })).not.toThrow();
  });

  test('a stateful layer, also without training', () => {
    const lstm = layers.lstm({ units: 3, stateful: true, batchInputShape: [2, 2, 4] });
    const network = tf.sequential({ layers: [lstm] });
    for (const options of [{}, { training: false }]) {
      expect(() => encoderOf(network, options)).toThrow('a stateful layer would go on in the second pass');
    }
  });

  test('RandomWidth, also without training: it is random in both', () => {
    const { randomWidth } = layers as unknown as Record<string, (args: object) => Layer>;
    const layer = randomWidth!({ factor: 0.2 });
    const network = model(layers.activation({ activation: 'relu' }));
    network.layers.push(layer);
    for (const options of [{}, { training: false }]) {
      expect(() => encoderOf(network, options)).toThrow('changes images at random in each pass');
    }
  });

  test('a regularizer', () => {
    const layer = layers.dense({ units: 4, kernelRegularizer: tf.regularizers.l2() });
    const error = thrownBy(() => encoderOf(model(model(layer))));
    expectError(error, { type: TypeError, code: 'ERR_ENCODER', message: 'layers without regularizers' });
    expect(() => encoderOf(model(layer), { frozen: true })).not.toThrow();
  });

  test('noise of strength 0 is no noise', () => {
    const none = [
      layers.gaussianNoise({ stddev: 0 }),
      layers.gaussianDropout({ rate: 0 }),
      layers.alphaDropout({ rate: 0 }),
      layers.lstm({ units: 3, inputShape: [2, 4] }),
    ];
    for (const layer of none.slice(0, 3)) expect(() => encoderOf(model(layer))).not.toThrow();
    expect(() => encoderOf(tf.sequential({ layers: [none[3]!] }))).not.toThrow();
  });
});

describe('BatchNormalization', () => {
  test('frozen, it keeps its averages in both passes, although tfjs would move them', async () => {
    const norm = layers.batchNormalization();
    const network = model(norm);
    norm.trainable = false;
    const x = matrix(6, 4, 1);
    const encoder = encoderOf(network);
    const averages = () => norm.getWeights().map((weight) => Array.from(weight.dataSync()));
    const before = averages();
    const count = kept();
    const { data } = await encoder.encode(x);
    await encoder.backward!(x, grads(6));
    expect(averages()).toEqual(before);
    expect(data).toEqual(tf.tidy(() => (network.predict(x) as tf.Tensor).dataSync()));
    encoder.discardGradients();
    expect(kept()).toEqual(count);
    // the layer is as before: this is what tfjs does with training: true
    expect(Object.hasOwn(norm, 'call')).toBe(false);
    tf.tidy(() => network.apply(x, { training: true }) as tf.Tensor);
    expect(averages()).not.toEqual(before);
    x.dispose();
  });

  test('frozen with its whole model, by the trainable of that model', () => {
    const inner = model(layers.batchNormalization());
    inner.trainable = false;
    expect(() => encoderOf(model(inner))).not.toThrow();
  });

  test('released after the encoder was made, it is refused in the next pass', async () => {
    const norm = layers.batchNormalization();
    const network = model(norm);
    norm.trainable = false;
    const encoder = encoderOf(network);
    norm.trainable = true;
    const x = matrix(6, 4, 1);
    await expect(encoder.encode(x)).rejects.toMatchObject({ code: 'ERR_ENCODER' });
    x.dispose();
  });
});

test('masks of an embedding leave no tensor in either pass', async () => {
  const network = tf.sequential({
    layers: [
      layers.embedding({ inputDim: 9, outputDim: 3, maskZero: true, inputLength: 5 }),
      layers.lstm({ units: 4 }),
    ],
  });
  const x = tf.tensor2d([1, 2, 3, 0, 0, 4, 5, 0, 0, 0], [2, 5]);
  const encoder = encoderOf(network);
  await encoder.encode(x);
  const count = kept();
  await encoder.encode(x);
  await encoder.backward!(x, grads(2));
  tf.dispose(encoder.takeGradients());
  expect(kept()).toEqual(count);
  x.dispose();
});

describe('dropout is repeated', () => {
  const inModel: [where: string, make: () => tf.LayersModel, shape: number[]][] = [
    ['in a model in a model', () => model(model(layers.dropout({ rate: 0.5 }), dense())), [6, 4]],
    [
      'in a wrapper that applies it to each time step',
      () =>
        tf.sequential({
          layers: [
            layers.timeDistributed({ layer: layers.dropout({ rate: 0.5 }), inputShape: [3, 4] } as never),
            layers.flatten(),
            layers.dense({ units: 4 }),
          ],
        }),
      [6, 3, 4],
    ],
    [
      'of whole channels',
      () =>
        tf.sequential({
          layers: [
            layers.spatialDropout1d({ rate: 0.5, inputShape: [3, 4] } as never),
            layers.flatten(),
            layers.dense({ units: 4 }),
          ],
        }),
      [6, 3, 4],
    ],
  ];
  test.each(inModel)('%s', async (_, make, shape) => {
    const encoder = encoderOf(make());
    const x = tf.tensor(
      values(
        shape.reduce((a, b) => a * b),
        1,
      ),
      shape,
    );
    const count = kept();
    const start = encoder.randomState!();
    const first = (await encoder.encode(x)).data;
    const second = (await encoder.encode(x)).data;
    expect(second).not.toEqual(first);
    encoder.restoreRandomState!(start);
    expect((await encoder.encode(x)).data).toEqual(first);
    expect(kept()).toEqual(count);
    x.dispose();
  });

  test('and a layer that works twice in one pass draws two masks, as in tfjs', async () => {
    const input = tf.input({ shape: [64] });
    const drop = layers.dropout({ rate: 0.5 });
    const outputs = layers.concatenate().apply([drop.apply(input), drop.apply(input)] as tf.SymbolicTensor[]);
    const network = tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor });
    const x = tf.ones([2, 64]);
    const { data } = await encoderOf(network).encode(x);
    expect(Array.from(data.subarray(0, 64))).not.toEqual(Array.from(data.subarray(64, 128)));
    x.dispose();
  });

  test('and the same seed of the encoder gives the same masks in another run', async () => {
    const network = model(layers.dropout({ rate: 0.5 }));
    const x = matrix(6, 4, 1);
    const run = async (seed: number | undefined) => (await encoderOf(network, { seed }).encode(x)).data;
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
    expect(await run(undefined)).not.toEqual(await run(undefined));
    x.dispose();
  });
});
