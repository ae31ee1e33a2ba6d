/**
 * `applyGradients` of infcl/tfjs: steps of Adam against dense steps of tfjs, and the trap of moments that tfjs
 * keeps by position.
 */

import { applyGradients, type TfjsEncoder, tfjsEncoder } from '../../lib/adapters/tfjs';
import { chunkedStep } from '../../lib/trainer';
import { expectError, thrownBy } from '../lib/fake-binding';
import { denseClip, kept, matrix, relativeError, tf, useBackend, variable } from './tfjs-host';
import { chunksOf, inputs, makeModel, makeTower, rows } from './tfjs-towers';

beforeAll(() => useBackend('cpu'));

/** An encoder whose features are the variable itself, after a pass that gave it the gradient `value`. */
function trained(value: number, size = 2) {
  const weights = variable(() => tf.fill([1, size], 1));
  const encoder = tfjsEncoder({ tf, model: { apply: () => weights, variables: [weights] } });
  const pass = (gradient = value) =>
    encoder.backward!(undefined, {
      data: new Float32Array(size).fill(gradient),
      shape: [1, size],
      dtype: 'float32',
    });
  void pass();
  return { weights, encoder, pass, read: () => weights.dataSync()[0]! };
}

test.each(['adam', 'rmsprop', 'momentum', 'sgd', 'adagrad', 'adadelta', 'adamax'] as const)(
  '3 steps of %s in chunks are 3 dense steps, and no tensor stays but the moments',
  async (name) => {
    const make = () => (name === 'momentum' ? tf.train.momentum(0.05, 0.9) : tf.train[name](0.05));
    const [chunked, whole] = [1, 2].map(() => {
      const [a, b] = [makeTower(1), makeTower(3)];
      return { a, b, logScale: variable(() => tf.scalar(1)), optimizer: make() };
    }) as unknown as [Model, Model];
    const [x, y] = [matrix(rows, inputs, 10), matrix(rows, inputs, 11)];
    const encoders = [chunked.a, chunked.b].map((model) => tfjsEncoder({ tf, model })) as Pair;
    let counted: ReturnType<typeof kept> | undefined;
    for (let step = 0; step < 3; step++) {
      const scale = Math.exp(chunked.logScale.dataSync()[0]!);
      const { logitScaleGrad } = await chunkedStep({
        queries: { encoder: encoders[0], chunks: chunksOf(x, 8) },
        keys: { encoder: encoders[1], chunks: chunksOf(y, 5) },
        loss: { logitScale: scale },
      });
      // the order of the encoders does not matter
      const order = step === 1 ? [encoders[1], encoders[0]] : encoders;
      applyGradients(chunked.optimizer, order, { [chunked.logScale.name]: logitScaleGrad * scale });
      if (step > 0) expect(kept()).toEqual(counted);
      const { a, b, logScale, optimizer } = whole;
      const variables = [...a.variables, ...b.variables, logScale];
      optimizer.minimize(
        () => denseClip(a.apply(x, 0), b.apply(y, 0), logScale.exp() as tf.Scalar),
        false,
        variables,
      );
      counted = kept();
    }
    const all = ({ a, b, logScale }: Model) => [...a.variables, ...b.variables, logScale];
    all(chunked).forEach((actual, i) => {
      expect(relativeError(actual, all(whole)[i]!)).toBeLessThan(2e-5);
    });
    for (const part of [chunked, whole]) {
      tf.dispose(all(part));
      part.optimizer.dispose();
    }
    tf.dispose([x, y]);
  },
);

type Tower = ReturnType<typeof makeTower>;
type Pair = [TfjsEncoder<tf.Tensor2D, tf.Tensor>, TfjsEncoder<tf.Tensor2D, tf.Tensor>];
interface Model {
  a: Tower;
  b: Tower;
  logScale: tf.Variable;
  optimizer: tf.Optimizer;
}

test('the same encoder in both towers is applied once', async () => {
  const model = makeModel(1);
  const encoder = tfjsEncoder<tf.Tensor2D, typeof tf>({ tf, model });
  const x = matrix(rows, inputs, 10);
  const tower = { encoder, chunks: chunksOf(x, 8) };
  await chunkedStep({ queries: tower, keys: tower });
  const gradients = encoder.takeGradients();
  const before = model.getWeights().map((weight) => Array.from(weight.dataSync()));
  await chunkedStep({ queries: tower, keys: tower });
  applyGradients(tf.train.sgd(0.5), [encoder, encoder]);
  const after = model.getWeights().map((weight) => Array.from(weight.dataSync()));
  Object.values(gradients).forEach((gradient, i) => {
    gradient.dataSync().forEach((g, j) => {
      expect(after[i]![j]).toBeCloseTo(before[i]![j]! - 0.5 * g, 5);
    });
  });
  tf.dispose([x, gradients]);
  model.dispose();
});

test('gradients of a variable that two encoders use are added', () => {
  const weights = variable(() => tf.fill([1, 2], 1));
  const network = { apply: () => weights, variables: [weights] };
  const encoders = [3, 4].map((value) => {
    const encoder = tfjsEncoder({ tf, model: network });
    void encoder.backward!(undefined, { data: Float32Array.of(value, 0), shape: [1, 2], dtype: 'float32' });
    return encoder;
  });
  const before = kept();
  applyGradients(tf.train.sgd(1), encoders);
  expect(Array.from(weights.dataSync())).toEqual([1 - 7, 1]);
  expect(kept().numTensors).toBeLessThan(before.numTensors);
  weights.dispose();
});

describe('moments by position', () => {
  /** One step of Adam for two variables, the first of which has much larger gradients. */
  const expected = (steps: number) => {
    const [a, b] = [variable(() => tf.scalar(1)), variable(() => tf.scalar(1))];
    const adam = tf.train.adam(0.1);
    for (let i = 0; i < steps; i++)
      adam.minimize(() => a.mul(100).add(b.mul(0.01)) as tf.Scalar, false, [a, b]);
    return [a, b].map((v) => v.dataSync()[0]!);
  };

  test('tfjs alone moves a parameter by moments of another one (why this function exists)', () => {
    const adam = tf.train.adam(0.1);
    const [a, b] = [variable(() => tf.scalar(1)), variable(() => tf.scalar(1))];
    for (let i = 0; i < 3; i++) {
      adam.applyGradients([{ name: a.name, tensor: tf.scalar(100) }]);
      adam.applyGradients([{ name: b.name, tensor: tf.scalar(0.01) }]);
    }
    expect(Math.abs(b.dataSync()[0]! - expected(3)[1]!)).toBeGreaterThan(0.05);
  });

  test('one call for both towers is right, in any order', () => {
    const [a, b] = [trained(100), trained(0.01)];
    const adam = tf.train.adam(0.1);
    applyGradients(adam, [a.encoder, b.encoder]);
    for (const [encoders] of [[[b.encoder, a.encoder]], [[a.encoder, b.encoder]]] as const) {
      void a.pass();
      void b.pass();
      applyGradients(adam, encoders);
    }
    expect([a.read(), b.read()].map((x) => x.toFixed(5))).toEqual(expected(3).map((x) => x.toFixed(5)));
  });

  test('a variable without a gradient in one step keeps its position', () => {
    const both = [variable(() => tf.fill([1, 1], 1)), variable(() => tf.fill([1, 1], 1))] as const;
    let used: 'both' | 'second' = 'both';
    const network = {
      apply: () => (used === 'both' ? tf.add(both[0].mul(100), both[1].mul(0.01)) : both[1].mul(0.01)),
      variables: [...both],
    };
    const encoder = tfjsEncoder({ tf, model: network });
    const pass = () =>
      encoder.backward!(undefined, { data: Float32Array.of(1), shape: [1, 1], dtype: 'float32' });
    const adam = tf.train.adam(0.1);
    for (const next of ['both', 'second', 'both'] as const) {
      used = next;
      void pass();
      applyGradients(adam, [encoder]);
    }
    // the gradient of the second variable is constant, so it moves by about 0.1 a step
    expect(both[1].dataSync()[0]!).toBeCloseTo(expected(3)[1]!, 5);
  });

  const trap = 'keep their moments by position';
  test.each<[what: string, second: (adam: tf.Optimizer, a: Made, b: Made) => void]>([
    ['a second call for the other tower', (adam, _, b) => applyGradients(adam, [b.encoder])],
    ['a second call in one step', (adam, a) => applyGradients(adam, [a.encoder])],
    [
      'a call with a tower more than before',
      (adam, a, b) => {
        void a.pass();
        applyGradients(adam, [a.encoder, b.encoder]);
      },
    ],
    [
      'an optimiser that another part of the program used',
      (adam, a) => {
        adam.applyGradients([{ name: a.weights.name, tensor: tf.zeros([1, 2]) }]);
        void a.pass();
        applyGradients(adam, [a.encoder]);
      },
    ],
  ])('%s is refused, with a message that names the trap', (_, second) => {
    const [a, b] = [trained(100), trained(0.01)];
    const adam = tf.train.adam(0.1);
    applyGradients(adam, [a.encoder]);
    const before = b.read();
    expectError(
      thrownBy(() => second(adam, a, b)),
      { type: TypeError, code: 'ERR_ENCODER', message: trap },
    );
    expect(b.read()).toBe(before);
    // nothing was lost: the gradients are still there
    expect(Object.keys(b.encoder.takeGradients())).toEqual([b.weights.name]);
  });
});

type Made = ReturnType<typeof trained>;

describe('wrong arguments', () => {
  const adam = () => tf.train.adam(0.1);
  const made = () => trained(1);

  test.each<[what: string, call: (good: Made) => void, code: string, message: string]>([
    [
      'no optimiser',
      ({ encoder }) => applyGradients({} as never, [encoder]),
      'ERR_TYPE',
      'optimiser of tfjs',
    ],
    [
      'no list',
      ({ encoder }) => applyGradients(adam(), encoder as never),
      'ERR_TYPE',
      'non-empty array of encoders',
    ],
    ['an empty list', () => applyGradients(adam(), []), 'ERR_TYPE', 'non-empty array of encoders'],
    ['another encoder', () => applyGradients(adam(), [{} as never]), 'ERR_TYPE', 'encoders[0]'],
    [
      'a frozen encoder',
      ({ weights, encoder }) => {
        const frozen = tfjsEncoder({ tf, model: { apply: () => weights, variables: [] }, frozen: true });
        applyGradients(adam(), [encoder, frozen]);
      },
      'ERR_ENCODER',
      'encoders[1] but received a frozen one',
    ],
    [
      'an encoder without gradients',
      ({ weights }) => {
        applyGradients(adam(), [tfjsEncoder({ tf, model: { apply: () => weights, variables: [weights] } })]);
      },
      'ERR_ENCODER',
      'once after each chunkedStep',
    ],
    [
      'extra that is a list',
      ({ encoder }) => applyGradients(adam(), [encoder], [1] as never),
      'ERR_TYPE',
      'extra',
    ],
    [
      'an unknown name',
      ({ encoder }) => applyGradients(adam(), [encoder], { nobody: 1 }),
      'ERR_VALUE',
      'extra.nobody',
    ],
    [
      'a variable of an encoder',
      ({ encoder, weights }) => applyGradients(adam(), [encoder], { [weights.name]: tf.ones([1, 2]) }),
      'ERR_VALUE',
      'an encoder has the gradient',
    ],
    ['a number for many elements', (good) => extra(good, [3], 1), 'ERR_SHAPE', 'of shape [3]'],
    ['another shape', (good) => extra(good, [3], tf.ones([4])), 'ERR_SHAPE', 'received [4]'],
    ['another type of elements', (good) => extra(good, [], tf.scalar(1, 'int32')), 'ERR_DTYPE', 'float32'],
    ['a gradient that is no number', (good) => extra(good, [], Number.NaN), 'ERR_VALUE', 'finite number'],
    ['a string', (good) => extra(good, [], '1' as never), 'ERR_TYPE', 'tf.Tensor'],
  ])('%s is refused, and gradients stay in the encoder', (_, call, code, message) => {
    const good = made();
    const error = thrownBy(() => call(good));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(Object.keys(good.encoder.takeGradients())).toEqual([good.weights.name]);
  });

  const extra = ({ encoder }: Made, shape: number[], value: number | tf.Tensor) => {
    const other = variable(() => tf.ones(shape));
    applyGradients(adam(), [encoder], { [other.name]: value });
  };

  test('a tensor as extra gradient stays the caller’s', () => {
    const good = made();
    const other = variable(() => tf.ones([3]));
    const gradient = tf.tensor1d([1, 2, 3]);
    applyGradients(tf.train.sgd(1), [good.encoder], { [other.name]: gradient });
    expect(Array.from(other.dataSync())).toEqual([0, -1, -2]);
    expect(gradient.isDisposed).toBe(false);
  });

  test('where the optimiser throws, its error comes through and no gradient stays', () => {
    const good = made();
    const before = kept();
    const broken = {
      applyGradients() {
        throw new Error('broken');
      },
    };
    expect(() => applyGradients(broken, [good.encoder])).toThrow('broken');
    expect(kept().numTensors).toBe(before.numTensors - 1);
  });
});
