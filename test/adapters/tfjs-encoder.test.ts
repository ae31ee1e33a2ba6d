/**
 * `tfjsEncoder` in `chunkedStep` on each backend of tfjs that runs here: gradients against one dense graph of
 * tfjs, and dropout in both passes.
 */

import { tfjsEncoder } from '../../lib/adapters/tfjs';
import { chunkedStep } from '../../lib/trainer';
import { backends, denseClip, kept, matrix, relativeError, tf, useBackend } from './tfjs-host';
import { chunksOf, dim, inputs, makeModel, makeTower, rows, scale } from './tfjs-towers';

type Encoder = ReturnType<typeof tfjsEncoder<tf.Tensor2D, typeof tf>>;

describe.each(backends)('on the backend %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    [22, 22],
    [10, 6],
  ])('functions: gradients in chunks of %i and %i are those of one dense graph', async (size, other) => {
    const [a, b] = [makeTower(1), makeTower(3)];
    const [x, y] = [matrix(rows, inputs, 10), matrix(rows, inputs, 11)];
    const [queries, keys] = [a, b].map((model) => tfjsEncoder({ tf, model })) as [Encoder, Encoder];
    const before = kept();
    const { loss } = await chunkedStep({
      queries: { encoder: queries, chunks: chunksOf(x, size) },
      keys: { encoder: keys, chunks: chunksOf(y, other) },
      loss: { logitScale: scale },
    });
    const grads = { ...queries.takeGradients(), ...keys.takeGradients() };
    tf.tidy(() => {
      const dense = tf.variableGrads(() => denseClip(a.apply(x, 0), b.apply(y, 0), tf.scalar(scale)));
      expect(Math.abs(loss - dense.value.dataSync()[0]!)).toBeLessThan(1e-5);
      expect(Object.keys(grads).sort()).toEqual(Object.keys(dense.grads).sort());
      for (const name of Object.keys(grads)) {
        expect(relativeError(grads[name]!, dense.grads[name]!)).toBeLessThan(1e-5);
      }
    });
    expect(kept().numTensors).toBe(before.numTensors + 4);
    tf.dispose(grads);
    expect(kept()).toEqual(before);
    tf.dispose([x, y, ...a.variables, ...b.variables]);
  });

  test('a LayersModel in both towers: gradients are those of one dense graph', async () => {
    const model = makeModel(1);
    const [x, y] = [matrix(rows, inputs, 10), matrix(rows, inputs, 11)];
    const encoder = tfjsEncoder({ tf, model });
    const before = kept();
    const { loss } = await chunkedStep({
      queries: { encoder, chunks: chunksOf(x, 8) },
      keys: { encoder, chunks: chunksOf(y, 5) },
      loss: { logitScale: scale },
    });
    const grads = encoder.takeGradients();
    tf.tidy(() => {
      const features = (input: tf.Tensor) => model.apply(input, { training: true }) as tf.Tensor2D;
      const dense = tf.variableGrads(() => denseClip(features(x), features(y), tf.scalar(scale)));
      expect(Math.abs(loss - dense.value.dataSync()[0]!)).toBeLessThan(1e-4);
      expect(Object.keys(grads)).toHaveLength(3);
      for (const name of Object.keys(grads)) {
        expect(relativeError(grads[name]!, dense.grads[name]!)).toBeLessThan(1e-5);
      }
    });
    tf.dispose(grads);
    expect(kept()).toEqual(before);
    model.dispose();
    tf.dispose([x, y]);
  });

  test.each(['function', 'LayersModel'])(
    'dropout of a %s: repeated in the second pass, new in the next step',
    async (kind) => {
      const model = kind === 'function' ? makeTower(1, 0.4) : makeModel(1, 0.4);
      const encoder = tfjsEncoder<tf.Tensor2D, typeof tf>({ tf, model, seed: 7 });
      const x = matrix(rows, inputs, 10);
      const before = kept();
      const start = encoder.randomState!();
      const features = (await encoder.encode(x)).data as Float32Array;
      const after = encoder.randomState!();
      expect((await encoder.encode(x)).data).not.toEqual(features);

      // d(features · features)/2: its value is known only if the second pass has the same mask
      encoder.restoreRandomState!(start);
      const grads = { data: features, shape: [rows, dim], dtype: 'float32' } as const;
      await encoder.backward!(x, grads);
      expect(encoder.randomState!()).toEqual(after);
      encoder.restoreRandomState!(start);
      expect((await encoder.encode(x)).data).toEqual(features);

      // features of this model are linear in the last weights W, so sum(W * dW) = sum(features * features)
      const taken = encoder.takeGradients();
      if (kind === 'LayersModel') {
        const last = (model as tf.Sequential).layers.at(-1)!.trainableWeights[0]!.read();
        const name = (last as tf.Variable).name;
        const [sum] = tf.tidy(() => tf.sum(tf.mul(last, taken[name]!)).dataSync());
        const expected = features.reduce((total, f) => total + f * f, 0);
        expect(Math.abs(sum! / expected - 1)).toBeLessThan(1e-5);
        expect((model as tf.Sequential).layers[1]!.getConfig()).toMatchObject({ seed: 5, rate: 0.4 });
      }
      tf.dispose(taken);
      expect(kept()).toEqual(before);
      x.dispose();
      tf.dispose(kind === 'function' ? (model as ReturnType<typeof makeTower>).variables : []);
    },
  );

  test('dropout: the gradients of a step are those of a dense graph with the same masks', async () => {
    const [a, b] = [makeTower(1, 0.3), makeTower(3)];
    const [x, y] = [matrix(rows, inputs, 10), matrix(rows, inputs, 11)];
    const draws: number[] = [];
    const watched = {
      variables: a.variables,
      apply(chunk: tf.Tensor2D, seed: number) {
        draws.push(seed);
        return a.apply(chunk, seed);
      },
    };
    const [queries, keys] = [tfjsEncoder({ tf, model: watched }), tfjsEncoder({ tf, model: b })];
    for (let step = 0; step < 3; step++) {
      draws.length = 0;
      await chunkedStep({
        queries: { encoder: queries, chunks: chunksOf(x, 8) },
        keys: { encoder: keys, chunks: chunksOf(y, 22) },
        loss: { logitScale: scale },
      });
      expect(draws).toHaveLength(6);
      expect(draws.slice(3)).toEqual(draws.slice(0, 3));
      const grads = { ...queries.takeGradients(), ...keys.takeGradients() };
      tf.tidy(() => {
        const dense = tf.variableGrads(() => {
          const chunks = [0, 8, 16].map((row, i) =>
            a.apply(tf.slice2d(x, [row, 0], [Math.min(8, rows - row), inputs]), draws[i]!),
          );
          return denseClip(tf.concat(chunks), b.apply(y, 0), tf.scalar(scale));
        });
        for (const name of Object.keys(grads)) {
          expect(relativeError(grads[name]!, dense.grads[name]!)).toBeLessThan(1e-5);
        }
      });
      tf.dispose(grads);
    }
    tf.dispose([x, y, ...a.variables, ...b.variables]);
  });
});
