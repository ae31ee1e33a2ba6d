/** The jax-js side and the framework-free one: same features, same gradients, dropout that replays. */

import { hashRows, padRows } from '../src/features/hashing.js';
import { pronunciationTokens } from '../src/features/tokens.js';
import { Random } from '../src/random.js';
import { makeJaxSide, startJax } from '../src/train/jax-side.js';
import { featureDim, initialWeights, type MakeSide } from '../src/train/side.js';
import { makeSparseSide } from '../src/train/sparse-side.js';

const matrix = hashRows(['ci2 dian3', 'ma1', 'ma1 ma5', 'tu2 shu1 guan3', 'a1'], pronunciationTokens);
const chunk = padRows(matrix, Int32Array.of(3, 0, 1, 2, 4));
const random = new Random(9);
const featureGrads = {
  data: Float32Array.from({ length: 5 * featureDim }, () => random.normal()),
  shape: [5, featureDim] as const,
  dtype: 'float32' as const,
};

beforeAll(startJax);

async function featuresAndGradients(makeSide: MakeSide, dropout: number) {
  const side = makeSide(initialWeights(1, 1), { seed: 4, dropout });
  const { encoder } = side;
  const before = encoder.randomState!();
  const features = (await encoder.encode(chunk)).data.slice();
  encoder.restoreRandomState!(before);
  const again = (await encoder.encode(chunk)).data.slice();
  const next = (await encoder.encode(chunk)).data.slice();
  encoder.restoreRandomState!(before);
  await encoder.backward!(chunk, featureGrads);
  const gradients = (await side.takeGradients()).slice();
  side.dispose();
  return { features, again, next, gradients };
}

test('both compute the same numbers', async () => {
  const jax = await featuresAndGradients(makeJaxSide, 0);
  const sparse = await featuresAndGradients(makeSparseSide, 0);
  const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  expect(difference(jax.features, sparse.features)).toBeLessThan(1e-6);
  expect(difference(jax.gradients, sparse.gradients)).toBeLessThan(1e-5);
  expect(jax.gradients.some((gradient) => gradient > 0.1)).toBe(true);
});

test.each([
  ['jax-js', makeJaxSide],
  ['framework-free', makeSparseSide],
] as const)(
  '%s: dropout is the same after the random state is restored, another otherwise',
  async (_, make) => {
    const { features, again, next } = await featuresAndGradients(make, 0.5);
    expect(again).toEqual(features);
    expect(next).not.toEqual(features);
  },
);

test.each([
  ['jax-js', makeJaxSide],
  ['framework-free', makeSparseSide],
] as const)('%s: the gradient is that of the features dropout gave', async (_, make) => {
  const weights = initialWeights(1, 1);
  const side = make(weights, { seed: 4, dropout: 0.5 });
  const value = async () => {
    side.encoder.restoreRandomState!(0);
    const { data } = await side.encoder.encode(chunk);
    return featureGrads.data.reduce((sum, g, i) => sum + g * data[i]!, 0);
  };
  side.encoder.restoreRandomState!(0);
  await side.encoder.backward!(chunk, featureGrads);
  const gradients = (await side.takeGradients()).slice();
  // along the gradient itself, central differences
  const square = gradients.reduce((sum, g) => sum + g * g, 0);
  const start = weights.slice();
  const moved = async (step: number) => {
    weights.set(start.map((w, i) => w + (step * gradients[i]!) / Math.sqrt(square)));
    side.upload();
    return value();
  };
  const slope = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
  expect(slope / Math.sqrt(square)).toBeCloseTo(1, 2);
  side.dispose();
});
