/**
 * `contrastiveLoss` of infcl/tfjs against the dense loss that tfjs differentiates itself, on each backend of
 * tfjs that runs here: numbers, and tensors that stay behind.
 */

import type { Objective } from '../../lib';
import { contrastiveLoss, type TfjsLossOptions } from '../../lib/adapters/tfjs';
import {
  backends,
  denseClip,
  denseInfonce,
  denseNtxent,
  denseSiglip,
  denseSupcon,
  kept,
  matrix,
  relativeError,
  tf,
  useBackend,
  values,
  variable,
} from './tfjs-host';

const [rows, dim] = [24, 8];
const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % rows);
const classes = Int32Array.from({ length: rows }, (_, i) => i % 5);
const scaleOf = () => variable(() => tf.scalar(2.5), 'scale');

type Step = () => tf.Scalar;
interface Case {
  name: string;
  dense(inputs: Inputs): tf.Scalar;
  infcl(inputs: Inputs): tf.Scalar;
}
interface Inputs {
  q: tf.Tensor2D;
  k: tf.Tensor2D;
  scale: tf.Scalar;
  bias: tf.Scalar;
  hard: tf.Tensor2D;
}

const cases: Case[] = [
  {
    name: 'clip',
    dense: ({ q, k, scale }) => denseClip(q, k, scale),
    infcl: ({ q, k, scale }) => contrastiveLoss(tf, q, k, { logitScale: scale }),
  },
  {
    name: 'infonce with labels',
    dense: ({ q, k, scale }) => denseInfonce(labels)(q, k, scale),
    infcl: ({ q, k, scale }) =>
      contrastiveLoss(tf, q, k, {
        objective: 'infonce',
        labels: tf.tensor1d(labels, 'int32'),
        logitScale: scale,
      }),
  },
  {
    name: 'infonce with hard negatives',
    dense: ({ q, k, scale, hard }) => {
      const x = tf.matMul(q, k, false, true).mul(scale) as tf.Tensor2D;
      const own = q
        .expandDims(1)
        .mul(hard.reshape([rows, 2, dim]))
        .sum(2)
        .mul(scale) as tf.Tensor2D;
      return tf
        .logSumExp(tf.concat([x, own], 1), 1)
        .sub(x.mul(tf.eye(rows)).sum(1))
        .mean();
    },
    infcl: ({ q, k, scale, hard }) =>
      contrastiveLoss(tf, q, k, {
        objective: 'infonce',
        hardNegatives: { keys: hard, perQuery: 2 },
        logitScale: scale,
      }),
  },
  {
    name: 'ntxent',
    dense: ({ q, k, scale }) => denseNtxent(q, k, scale),
    infcl: ({ q, k, scale }) => contrastiveLoss(tf, q, k, { objective: 'ntxent', logitScale: scale }),
  },
  {
    name: 'supcon without keys',
    dense: ({ q, scale }) => denseSupcon(classes)(q, scale),
    infcl: ({ q, scale }) =>
      contrastiveLoss(tf, q, null, { objective: 'supcon', labels: classes, logitScale: scale }),
  },
  {
    name: 'siglip',
    dense: ({ q, k, scale, bias }) => denseSiglip(bias)(q, k, scale),
    infcl: ({ q, k, scale, bias }) =>
      contrastiveLoss(tf, q, k, { objective: 'siglip', logitScale: scale, logitBias: bias }),
  },
];

describe.each(backends)('on the backend %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(cases)('$name: loss and gradients are those of tfjs, and no tensor stays', ({ dense, infcl }) => {
    const before = kept();
    const variables = {
      q: variable(() => matrix(rows, dim, 1)),
      k: variable(() => matrix(rows, dim, 2)),
      hard: variable(() => matrix(2 * rows, dim, 3)),
      scale: scaleOf(),
      bias: variable(() => tf.scalar(-1.5)),
    };
    tf.tidy(() => {
      const inputs = variables as unknown as Inputs;
      const expected = tf.variableGrads(() => dense(inputs));
      const actual = tf.variableGrads(() => infcl(inputs));
      expect(relativeError(actual.value, expected.value)).toBeLessThan(1e-5);
      expect(Object.keys(actual.grads)).toEqual(Object.keys(expected.grads));
      for (const [name, gradient] of Object.entries(expected.grads)) {
        // a sum of gradients that nearly cancel: float32 in tfjs is the less exact one
        const tolerance = name === 'scale' ? 1e-4 : 1e-5;
        expect(relativeError(actual.grads[name]!, gradient)).toBeLessThan(tolerance);
      }
    });
    tf.dispose(Object.values(variables));
    expect(kept()).toEqual(before);
  });

  test('through two towers, in a weighted sum with another loss', () => {
    const [w, v] = [variable(() => matrix(10, dim, 4)), variable(() => matrix(6, dim, 5))];
    const [x, y] = [matrix(rows, 10, 6), matrix(rows, 6, 7)];
    const scale = tf.scalar(3);
    const total = (loss: (q: tf.Tensor2D, k: tf.Tensor2D) => tf.Scalar): Step => {
      return () => {
        const tower = (input: tf.Tensor2D, weights: tf.Tensor) =>
          tf.tanh<tf.Tensor2D>(tf.matMul(input, weights as tf.Tensor2D));
        const [q, k] = [tower(x, w), tower(y, v)];
        return loss(q, k).mul(0.3).add(tf.square(w).mean()) as tf.Scalar;
      };
    };
    const before = kept();
    tf.tidy(() => {
      const expected = tf.variableGrads(total((q, k) => denseClip(q, k, scale)));
      const actual = tf.variableGrads(total((q, k) => contrastiveLoss(tf, q, k, { logitScale: 3 })));
      for (const { name } of [w, v]) {
        expect(relativeError(actual.grads[name]!, expected.grads[name]!)).toBeLessThan(1e-5);
      }
    });
    expect(kept()).toEqual(before);
    tf.dispose([w, v, x, y, scale]);
  });

  test('one tensor as queries and keys gets both gradients', () => {
    const x = matrix(rows, dim, 1);
    tf.tidy(() => {
      const scale = tf.scalar(2);
      const expected = tf.grad((z: tf.Tensor) => denseClip(z as tf.Tensor2D, z as tf.Tensor2D, scale))(x);
      const actual = tf.grad((z: tf.Tensor) => contrastiveLoss(tf, z, z, { logitScale: 2 }))(x);
      expect(relativeError(actual, expected)).toBeLessThan(1e-5);
    });
    x.dispose();
  });

  test('without a gradient it is the loss alone, a new tensor of the caller', () => {
    const [q, k] = [matrix(rows, dim, 1), matrix(rows, dim, 2)];
    const before = kept();
    const loss = contrastiveLoss(tf, q, k, { logitScale: 2 });
    expect(loss.shape).toEqual([]);
    expect(kept()).toEqual({
      ...before,
      numTensors: before.numTensors + 1,
      numBytes: before.numBytes + 4,
      numDataBuffers: before.numDataBuffers + 1,
    });
    tf.tidy(() => expect(relativeError(loss, denseClip(q, k, tf.scalar(2)))).toBeLessThan(1e-6));
    tf.dispose([q, k, loss]);
  });
});

describe('gradients that are left out', () => {
  beforeAll(() => useBackend('cpu'));
  const inputs = () => [matrix(rows, dim, 1), matrix(rows + 6, dim, 2)] as const;
  const gradients = (options: object) => {
    const [q, k] = inputs();
    const wanted = { objective: 'infonce', logitScale: 2, ...options } as TfjsLossOptions<Objective>;
    return tf.tidy(() => tf.grads((a, b) => contrastiveLoss(tf, a!, b!, wanted).add(tf.sum(b!)))([q, k]));
  };

  test('the keys of a bank get a gradient of 0', () => {
    const [, whole] = gradients({});
    const [, part] = gradients({ grad: { keys: { rows } } });
    const [, none] = gradients({ grad: { keys: false } });
    // the sum of the keys adds 1 everywhere
    const split = (x: tf.Tensor) =>
      tf.split(x.sub(1), [rows, 6]).map((piece) => Array.from(piece.dataSync()));
    expect(split(part!)[0]).toEqual(split(whole!)[0]);
    expect(split(part!)[1]!.every((g) => g === 0)).toBe(true);
    expect(split(whole!)[1]!.some((g) => g !== 0)).toBe(true);
    expect(Array.from(none!.dataSync()).every((g) => g === 1)).toBe(true);
  });

  test('hard negatives that are no tensor are constants', () => {
    const [q, k] = inputs();
    const negatives = { data: values(2 * rows * dim, 3), shape: [2 * rows, dim] };
    const loss = (keys: tf.Tensor | typeof negatives) =>
      tf.tidy(() =>
        tf
          .grad((a: tf.Tensor) =>
            contrastiveLoss(tf, a, k, { objective: 'infonce', hardNegatives: { keys, perQuery: 2 } }),
          )(q)
          .dataSync(),
      );
    expect(loss(negatives)).toEqual(loss(tf.tensor2d(negatives.data, [2 * rows, dim])));
  });
});
