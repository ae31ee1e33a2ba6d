/** `contrastiveLoss` of infcl/tfjs and the traps of gradients in tfjs: second derivatives, errors, memory. */

import { contrastiveLoss } from '../../lib/adapters/tfjs';
import { expectError, thrownBy } from '../lib/fake-binding';
import { denseClip, kept, matrix, relativeError, tf, useBackend, variable } from './tfjs-host';

const [rows, dim] = [24, 8];

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
