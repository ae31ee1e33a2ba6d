/**
 * `contrastiveLoss` of infcl/tfjs against the dense loss that tfjs differentiates itself, on each backend of
 * tfjs that runs here: numbers, tensors that stay behind, and the traps of gradients in tfjs.
 */

import type { Objective } from '../../lib';
import { contrastiveLoss, type TfjsLossOptions } from '../../lib/adapters/tfjs';
import { expectError, thrownBy } from '../lib/fake-binding';
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

describe('pitfalls', () => {
  beforeAll(() => useBackend('cpu'));

  test('a second derivative is refused, and leaves no tensor', () => {
    const [x, y] = [matrix(rows, dim, 1), matrix(rows, dim, 2)];
    const before = kept();
    const loss = (q: tf.Tensor) => contrastiveLoss(tf, q, y);
    const penalty = (q: tf.Tensor) => tf.sum(tf.square(tf.grad(loss)(q)));
    expectError(
      thrownBy(() => tf.tidy(() => tf.grad(penalty)(x))),
      { type: TypeError, code: 'ERR_ENCODER', message: 'a second derivative would be wrong' },
    );
    expect(kept()).toEqual(before);
    tf.dispose([x, y]);
  });

  test('a second derivative is refused where the loss itself is outside of the inner gradient', () => {
    const [x, y] = [matrix(rows, dim, 1), matrix(rows, dim, 2)];
    const penalty = (q: tf.Tensor) => {
      const loss = contrastiveLoss(tf, q, y);
      return tf.sum(tf.square(tf.grad(() => loss)(q)));
    };
    expectError(
      thrownBy(() => tf.tidy(() => tf.grad(penalty)(x))),
      { type: TypeError, code: 'ERR_ENCODER', message: 'a second derivative would be wrong' },
    );
    tf.dispose([x, y]);
  });

  test('a gradient inside of another one is right where this loss is outside of the inner one', () => {
    const x = matrix(rows, dim, 1);
    tf.tidy(() => {
      const both = tf.grad((q: tf.Tensor) => {
        const inner = tf.grad((z: tf.Tensor) => tf.sum(tf.pow(z, 3)))(q);
        return contrastiveLoss(tf, q, x, { logitScale: 2 }).add(tf.mean(inner));
      })(x);
      const expected = tf.grad((q: tf.Tensor) =>
        denseClip(q as tf.Tensor2D, x, tf.scalar(2)).add(tf.mean(tf.square(q).mul(3))),
      )(x);
      expect(relativeError(both, expected)).toBeLessThan(1e-5);
    });
    x.dispose();
  });

  test('an error in the loss leaves no tensor of the loss', () => {
    const [q, k] = [variable(() => matrix(rows, dim, 1)), variable(() => matrix(rows - 1, dim, 2))];
    const before = kept();
    for (let i = 0; i < 3; i++) {
      const { code } = thrownBy(() => tf.variableGrads(() => contrastiveLoss(tf, q, k)));
      expect(code).toBe('ERR_SHAPE');
      expect(thrownBy(() => contrastiveLoss(tf, q, k)).code).toBe('ERR_SHAPE');
    }
    expect(kept()).toEqual(before);
    const stopped = AbortSignal.abort(new Error('enough'));
    expect(() => tf.variableGrads(() => contrastiveLoss(tf, q, q, { signal: stopped }))).toThrow('enough');
    expect(kept()).toEqual(before);
    tf.dispose([q, k]);
  });

  test('gradients are tensors of their own: the next call does not change them', () => {
    const [q, k] = [matrix(rows, dim, 1), matrix(rows, dim, 2)];
    const gradient = (scale: number) =>
      tf.tidy(() => tf.grad((a: tf.Tensor) => contrastiveLoss(tf, a, k, { logitScale: scale }))(q));
    const first = gradient(2);
    const before = Float32Array.from(first.dataSync());
    const second = gradient(4);
    expect(first.dataSync()).toEqual(before);
    expect(second.dataSync()).not.toEqual(before);
    tf.dispose([q, k, first, second]);
  });

  test('on the cpu backend no copy of features or gradients is made', () => {
    const [many, wide] = [2048, 512];
    const bytes = many * wide * 4;
    const [q, k] = [matrix(many, wide, 1), matrix(many, wide, 2)];
    const copies = jest.spyOn(Float32Array.prototype, 'slice');
    const { arrayBuffers: before } = process.memoryUsage();
    const gradients = tf.tidy(() =>
      tf.grads((a, b) => contrastiveLoss(tf, a!, b!, { logitScale: 1 }))([q, k]),
    );
    const { arrayBuffers: after } = process.memoryUsage();
    expect(copies).not.toHaveBeenCalled();
    copies.mockRestore();
    expect(gradients).toHaveLength(2);
    // the gradients and nothing else of that size
    expect(after - before).toBeLessThan(2.5 * bytes);
    tf.dispose([q, k, ...gradients]);
  });
});
