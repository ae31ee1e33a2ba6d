/**
 * `tfjsEncoder` where a step fails, is aborted or misused: tensors that stay behind, and refusals while the
 * program runs.
 */

import { tfjsEncoder } from '../../lib/adapters/tfjs';
import { chunkedStep } from '../../lib/trainer';
import { kept, matrix, tf, useBackend, values, variable } from './tfjs-host';
import { chunksOf, dim, inputs, makeModel, makeTower, rows, scale } from './tfjs-towers';

describe('what stays behind', () => {
  beforeAll(() => useBackend('cpu'));

  /** A step that fails at the `at`-th call of `apply`. Returns the error. */
  async function failingStep(at: number, options: { signal?: AbortSignal; stop?: () => void } = {}) {
    const tower = makeTower(1);
    const x = matrix(rows, inputs, 10);
    let calls = 0;
    const apply = (chunk: tf.Tensor2D, seed: number) => {
      const features = tower.apply(chunk, seed);
      if (++calls < at) return features;
      if (!options.stop) throw new Error(`call ${at}`);
      options.stop();
      return features;
    };
    const encoder = tfjsEncoder({ tf, model: { apply, variables: tower.variables } });
    const before = kept();
    const run = chunkedStep({
      queries: { encoder, chunks: chunksOf(x, 8) },
      keys: { encoder, chunks: chunksOf(x, 8) },
      loss: { logitScale: scale },
      signal: options.signal,
    });
    const error = await run.then(
      () => undefined,
      (reason: Error) => reason,
    );
    const after = kept();
    encoder.discardGradients();
    expect(kept()).toEqual(before);
    expect(() => encoder.takeGradients()).toThrow(expect.objectContaining({ code: 'ERR_ENCODER' }));
    tf.dispose([x, ...tower.variables]);
    return { error, left: after.numTensors - before.numTensors };
  }

  test.each([
    ['the encode phase', 2, 0],
    ['the first chunk of the backward phase', 7, 0],
    ['a later chunk of the backward phase', 9, 2],
  ])('an error in %s leaves no tensor but earlier gradients', async (_, at, gradients) => {
    const { error, left } = await failingStep(at);
    expect(error).toEqual(new Error(`call ${at}`));
    expect(left).toBe(gradients);
  });

  test.each([
    ['the encode phase', 2, 0],
    ['the backward phase', 8, 2],
  ])('abort in %s leaves no tensor but earlier gradients', async (_, at, gradients) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { error, left } = await failingStep(at, {
      signal: controller.signal,
      stop: () => controller.abort(reason),
    });
    expect(error).toBe(reason);
    expect(left).toBe(gradients);
  });

  test('an error in the loss leaves no tensor', async () => {
    const tower = makeTower(1);
    const x = matrix(rows, inputs, 10);
    const encoder = tfjsEncoder({ tf, model: tower });
    const before = kept();
    const towers = { encoder, chunks: chunksOf(x, 8) };
    const step = chunkedStep({
      queries: towers,
      keys: towers,
      loss: { objective: 'infonce', labels: Int32Array.of(1) },
    });
    await expect(step).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    expect(kept()).toEqual(before);
    tf.dispose([x, ...tower.variables]);
  });

  test('a tensor of the caller as the features is not disposed of', async () => {
    const table = variable(() => matrix(rows, dim, 1));
    const encoder = tfjsEncoder({ tf, model: { apply: () => table, variables: [table] }, seed: 1 });
    const before = kept();
    await encoder.encode(undefined);
    const data = values(rows * dim, 2);
    await encoder.backward!(undefined, { data, shape: [rows, dim], dtype: 'float32' });
    const { [table.name]: gradient } = encoder.takeGradients();
    expect(gradient!.dataSync()).toEqual(data);
    // the array was a view of the step's gradients, which the step may overwrite
    expect(gradient!.dataSync()).not.toBe(data);
    gradient!.dispose();
    expect(table.isDisposed).toBe(false);
    expect(kept()).toEqual(before);
    table.dispose();
  });

  test('gradients outlive a scope of the caller, and dispose frees them', async () => {
    const table = variable(() => matrix(rows, dim, 1));
    const encoder = tfjsEncoder({ tf, model: { apply: () => table, variables: [table] } });
    const grads = { data: values(rows * dim, 2), shape: [rows, dim], dtype: 'float32' } as const;
    const before = kept();
    tf.engine().startScope();
    await encoder.backward!(undefined, grads);
    await encoder.backward!(undefined, grads);
    tf.engine().endScope();
    const { [table.name]: gradient } = encoder.takeGradients();
    expect(gradient!.dataSync()).toEqual(grads.data.map((g) => 2 * g));
    gradient!.dispose();
    await encoder.backward!(undefined, grads);
    encoder.dispose();
    expect(kept()).toEqual(before);
    table.dispose();
  });
});

describe('protocol', () => {
  beforeAll(() => useBackend('cpu'));

  test('a frozen encoder has no backward, needs no variables, and layers do not drop', async () => {
    const model = makeModel(1, 0.5);
    const encoder = tfjsEncoder<tf.Tensor2D, typeof tf>({ tf, model, frozen: true });
    expect(encoder.backward).toBeUndefined();
    const x = matrix(rows, inputs, 10);
    const { data } = await encoder.encode(x);
    expect(data).toEqual(tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync()));
    expect((await encoder.encode(x)).data).toEqual(data);
    expect(() => tfjsEncoder({ tf, model: { apply: () => x } as never, frozen: true })).not.toThrow();
    x.dispose();
    model.dispose();
  });

  test('a variable that is not trainable gets no gradient', async () => {
    const tower = makeTower(1);
    tower.variables[0]!.trainable = false;
    const encoder = tfjsEncoder({ tf, model: tower });
    const x = matrix(rows, inputs, 10);
    const grads = { data: values(rows * dim, 2), shape: [rows, dim], dtype: 'float32' } as const;
    await encoder.backward!(x, grads);
    const taken = encoder.takeGradients();
    expect(Object.keys(taken)).toEqual([tower.variables[1]!.name]);
    tf.dispose(taken);
    tower.variables[1]!.trainable = false;
    expect(() => encoder.backward!(x, grads)).toThrow('frozen: true makes an encoder without gradients');
    tf.dispose([x, ...tower.variables]);
  });

  test('two steps at once on two encoders of one model give what they give one after another', async () => {
    const model = makeModel(1, 0.3);
    const x = matrix(rows, inputs, 10);
    const run = async (atOnce: boolean) => {
      const step = async (seed: number) => {
        const encoder = tfjsEncoder<tf.Tensor2D, typeof tf>({ tf, model, seed });
        const tower = { encoder, chunks: chunksOf(x, 6) };
        const { loss } = await chunkedStep({ queries: tower, keys: tower, loss: { logitScale: scale } });
        const grads = encoder.takeGradients();
        const read = Object.values(grads).map((gradient) => Array.from(gradient.dataSync()));
        tf.dispose(grads);
        return { loss, read };
      };
      return atOnce ? Promise.all([step(1), step(2)]) : [await step(1), await step(2)];
    };
    expect(await run(true)).toEqual(await run(false));
    x.dispose();
    model.dispose();
  });

  test('within a gradient of tfjs, encode and backward are refused', () => {
    const table = variable(() => matrix(rows, dim, 1));
    const encoder = tfjsEncoder({ tf, model: { apply: () => table, variables: [table] } });
    const grads = { data: values(rows * dim, 2), shape: [rows, dim], dtype: 'float32' } as const;
    const inside = (f: () => void) => () =>
      tf.tidy(() => {
        tf.variableGrads(() => {
          f();
          return tf.sum(table);
        });
      });
    expect(inside(() => void encoder.backward!(undefined, grads))).toThrow(
      'backward outside of a gradient of tfjs',
    );
    let encoded: Promise<unknown> | undefined;
    inside(() => {
      encoded = encoder.encode(undefined);
    })();
    table.dispose();
    return expect(encoded).rejects.toMatchObject({
      code: 'ERR_ENCODER',
      message: expect.stringContaining('encode outside of a gradient of tfjs'),
    });
  });

  test('other rows in the second pass are refused, and leave no tensor', async () => {
    const tower = makeTower(1);
    const x = matrix(rows, inputs, 10);
    const encoder = tfjsEncoder({ tf, model: tower });
    const before = kept();
    let size = 11;
    const step = chunkedStep({
      queries: { encoder, chunks: () => chunksOf(x, size++)() },
      keys: { encoder, chunks: chunksOf(x, 22) },
      loss: { logitScale: scale },
    });
    await expect(step).rejects.toMatchObject({
      code: 'ERR_CHUNKS',
      message: expect.stringContaining('[12,5]'),
    });
    expect(kept()).toEqual(before);
    tf.dispose([x, ...tower.variables]);
  });
});
