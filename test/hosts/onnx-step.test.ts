/**
 * A frozen tower of ONNX Runtime in training, beside a linear tower without a framework.
 *
 * @jest-environment ./test/hosts/one-realm.js
 */
import * as ort from 'onnxruntime-node';
import { contrastiveLossSync } from '../../lib';
import { onnxEncoder } from '../../lib/adapters/onnx';
import { chunkedStep, type FeatureGrads } from '../../lib/trainer';
import { expectClose, linearModel, makeSession, multiply, values } from './onnx-towers';

const [rows, inputs, dim] = [12, 5, 4];
const weights = values(inputs * dim, 1);
const data = values(rows * inputs, 2);

async function frozenTower(normalize: boolean) {
  const session = await makeSession(linearModel(weights, inputs, dim));
  const feeds = (x: Float32Array) => ({ x: new ort.Tensor('float32', x, [x.length / inputs, inputs]) });
  return onnxEncoder({ ort, session, feeds, output: 'features', normalize });
}

/** A trained linear tower without a framework. */
function linearTower() {
  const own = values(inputs * dim, 4);
  const grads = new Float32Array(own.length);
  return {
    own,
    grads,
    encode: (x: Float32Array) => ({ data: multiply(x, own, [inputs, dim]), shape: [x.length / inputs, dim] }),
    backward(x: Float32Array, { data: g, shape: [n] }: FeatureGrads) {
      for (let r = 0; r < n; r++)
        for (let i = 0; i < inputs; i++)
          for (let d = 0; d < dim; d++) grads[i * dim + d]! += x[r * inputs + i]! * g[r * dim + d]!;
    },
  };
}

test('a linear tower learns the features of a frozen tower, in uneven chunks', async () => {
  const frozen = await frozenTower(true);
  const trained = linearTower();
  const chunksOf = (size: number) => () => {
    const starts = Array.from({ length: Math.ceil(rows / size) }, (_, i) => i * size * inputs);
    return starts.map((begin) => data.subarray(begin, begin + size * inputs));
  };
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    const { loss } = await chunkedStep<Float32Array, Float32Array>({
      queries: { encoder: trained, chunks: chunksOf(5) },
      keys: { encoder: frozen, chunks: chunksOf(7) },
      loss: { logitScale: 5 },
    });
    losses.push(loss);
    trained.grads.forEach((grad, i) => {
      trained.own[i]! -= 0.5 * grad;
    });
    trained.grads.fill(0);
  }
  expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);
  const features = await frozen.encode(data);
  const { accuracy } = contrastiveLossSync(trained.encode(data), features, { logitScale: 5 });
  expect(accuracy).toBeGreaterThan(0.9);
});

test('an aborted step leaves the encoder usable', async () => {
  const encoder = await frozenTower(false);
  const abort = new AbortController();
  const chunks = function* () {
    yield data;
    abort.abort(new Error('enough'));
    yield data;
  };
  const step = chunkedStep<Float32Array, Float32Array>({
    queries: { encoder: linearTower(), chunks: () => [data] },
    keys: { encoder, chunks },
    signal: abort.signal,
  });
  await expect(step).rejects.toThrow('enough');
  expectClose((await encoder.encode(data)).data as Float32Array, multiply(data, weights, [inputs, dim]));
});
