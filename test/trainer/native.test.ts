/** The chunked step over the real loss: cutting the batch changes nothing, and the oracle agrees. */

import { chunkedStep, type Encoder } from '../../lib/trainer';
import { denseLossAndGrad } from './dense-loss';
import { cut, featureDim, inputDim, randomRows, ToyEncoder } from './toy-encoder';

const rows = 301;
const inputs = { queries: randomRows(rows, 1), keys: randomRows(rows, 2) };
const loss = { logitScale: 6 };

function step(
  queries: Encoder<Float32Array>,
  keys: Encoder<Float32Array>,
  queryCut: number[],
  keyCut: number[],
) {
  return chunkedStep({
    queries: { encoder: queries, chunks: () => cut(inputs.queries, queryCut), rows },
    keys: { encoder: keys, chunks: () => cut(inputs.keys, keyCut) },
    loss,
  });
}

function expectClose(actual: Float64Array, expected: Float64Array, tolerance: number): void {
  const norm = Math.hypot(...expected);
  expect(norm).toBeGreaterThan(0);
  expect(Math.hypot(...actual.map((a, i) => a - expected[i]!)) / norm).toBeLessThan(tolerance);
}

test('chunked gradients equal unchunked ones', async () => {
  const [q, k, wholeQ, wholeK] = [new ToyEncoder(1), new ToyEncoder(2), new ToyEncoder(1), new ToyEncoder(2)];
  const chunked = await step(q, k, [100, 100, 100, 1], [64, 237]);
  const unchunked = await step(wholeQ, wholeK, [rows], [rows]);
  expect(chunked.loss).toBe(unchunked.loss);
  expect(chunked.logitScaleGrad).toBe(unchunked.logitScaleGrad);
  expectClose(q.grads, wholeQ.grads, 1e-12);
  expectClose(k.grads, wholeK.grads, 1e-12);
  expect(chunked.cost.loss.bytes).toBe(2 * rows * featureDim * 4 + chunked.stats.workspaceBytes);
});

test('parameter gradients equal those of the float64 oracle', async () => {
  const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
  const result = await step(q, k, [150, 151], [rows]);
  const [oracleQ, oracleK] = [new ToyEncoder(1), new ToyEncoder(2)];
  const features = [oracleQ.encode(inputs.queries), oracleK.encode(inputs.keys)].map(({ data }) => ({
    data,
    shape: [rows, featureDim] as const,
  }));
  const dense = await denseLossAndGrad(features[0]!, features[1]!, loss);
  await oracleQ.backward(inputs.queries, { data: dense.queryGrads });
  await oracleK.backward(inputs.keys, { data: dense.keyGrads });
  expect(Math.abs(result.loss - dense.loss) / dense.loss).toBeLessThan(1e-6);
  expect(q.grads).toHaveLength(inputDim * featureDim);
  expectClose(q.grads, oracleQ.grads, 1e-5);
  expectClose(k.grads, oracleK.grads, 1e-5);
});

test('a frozen tower: the other one gets the same gradient', async () => {
  const [q, k, both] = [new ToyEncoder(1), new ToyEncoder(2), new ToyEncoder(1)];
  const frozen: Encoder<Float32Array> = { encode: (input) => k.encode(input) };
  const result = await step(q, frozen, [rows], [rows]);
  const reference = await step(both, new ToyEncoder(2), [rows], [rows]);
  expectClose(q.grads, both.grads, 1e-6);
  expect(Math.abs(result.logitScaleGrad - reference.logitScaleGrad)).toBeLessThan(1e-5);
});
