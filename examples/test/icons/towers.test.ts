/**
 * The towers' gradients against finite differences, the batches of a step, and a training that is stopped and
 * resumed.
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { padRows } from '../../src/features/hashing.js';
import { imageFeatures } from '../../src/icons/features/hog.js';
import { columnsInUse, textMatrix } from '../../src/icons/features/text-matrix.js';
import { type Prepared, prepare } from '../../src/icons/prepare.js';
import { IconBatches } from '../../src/icons/train/icon-batches.js';
import { checkpointBytes, featureDim, IconModel } from '../../src/icons/train/icon-model.js';
import { encodeImages, initialImageWeights, makeImageSide } from '../../src/icons/train/image-side.js';
import { encodeTexts, initialTextWeights, makeTextSide } from '../../src/icons/train/text-side.js';
import { Random } from '../../src/random.js';
import { startJax } from '../../src/train/jax-side.js';
import { trainLoop } from '../../src/train/loop.js';
import { toyCollection } from './toy-icons.js';

beforeAll(startJax);

const random = new Random(3);
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Σ of features times fixed numbers: its slope along the gradient must be the gradient's length. */
async function expectSlope(
  arrays: Float32Array[],
  gradients: Float32Array[],
  value: () => Promise<number>,
): Promise<void> {
  const length = Math.sqrt(gradients.reduce((sum, gradient) => sum + dot(gradient, gradient), 0));
  expect(length).toBeGreaterThan(0.1);
  const starts = arrays.map((array) => array.slice());
  const moved = (step: number) => {
    arrays.forEach((array, k) => {
      array.set(starts[k]!.map((w, i) => w + (step * gradients[k]![i]!) / length));
    });
    return value();
  };
  const slope = ((await moved(5e-3)) - (await moved(-5e-3))) / 1e-2;
  expect(slope / length).toBeCloseTo(1, 2);
}

test('the image tower: rows of length 1, and the gradients of all of its arrays', async () => {
  const widths = [7, 6, 5, 4];
  const side = makeImageSide(widths, initialImageWeights(widths, 1));
  expect(Object.keys(side.weights)).toEqual(['matrix0', 'bias0', 'matrix1', 'bias1', 'matrix2', 'bias2']);
  const arrays = Object.values(side.weights);
  for (const bias of [1, 3, 5]) arrays[bias]!.set(normals(arrays[bias]!.length));
  side.upload();
  const chunk = { rows: 3, data: normals(21) };
  const grads = { data: normals(12), shape: [3, 4] as const, dtype: 'float32' as const };
  const value = async () => {
    side.upload();
    return dot((await side.encoder.encode(chunk)).data as Float32Array, grads.data);
  };
  const { data } = await side.encoder.encode(chunk);
  for (const row of [0, 1, 2]) {
    const own = (data as Float32Array).subarray(4 * row, 4 * row + 4);
    expect(dot(own, own)).toBeCloseTo(1, 5);
  }
  await side.encoder.backward!(chunk, grads);
  await expectSlope(arrays, await side.takeGradients(), value);
  side.dispose();
});

test('the image tower computes what plain loops compute', async () => {
  const widths = [5, 4, 3];
  const weights = initialImageWeights(widths, 2);
  weights.bias0!.set(normals(4));
  weights.bias1!.set(normals(3));
  const side = makeImageSide(widths, weights);
  const input = normals(5);
  const hidden = [0, 1, 2, 3].map((j) =>
    Math.max(
      0,
      weights.bias0![j]! +
        dot(
          input,
          [0, 1, 2, 3, 4].map((i) => weights.matrix0![4 * i + j]!),
        ),
    ),
  );
  const output = [0, 1, 2].map(
    (j) =>
      weights.bias1![j]! +
      dot(
        hidden,
        [0, 1, 2, 3].map((i) => weights.matrix1![3 * i + j]!),
      ),
  );
  const features = await encodeImages(side, 1, () => input);
  for (const [j, value] of features.entries())
    expect(value).toBeCloseTo(output[j]! / Math.hypot(...output), 5);
  side.dispose();
});

const texts = textMatrix(['wifi off', 'heart', 'broken heart', 'arrow up']);

test('the text tower: the gradient of its matrix, which is then forgotten', async () => {
  const dim = 6;
  const side = makeTextSide(initialTextWeights(columnsInUse(texts), dim, 1), dim);
  const chunk = padRows(texts, Int32Array.of(2, 0, 3));
  const grads = { data: normals(18), shape: [3, dim] as const, dtype: 'float32' as const };
  const value = async () => dot((await side.encoder.encode(chunk)).data as Float32Array, grads.data);
  side.encoder.backward!(chunk, grads);
  side.discardGradients();
  side.encoder.backward!(chunk, grads);
  const gradients = side.takeGradients().slice();
  expect(side.takeGradients().every((gradient) => gradient === 0)).toBe(true);
  await expectSlope([side.weights], [gradients], value);
});

test('parts of words that training never saw are 0, and texts of nothing else have no direction', () => {
  const dim = 4;
  const weights = initialTextWeights(columnsInUse(texts), dim, 1);
  const [heart, unknown] = [0, 1].map((row) =>
    encodeTexts(weights, textMatrix(['heart', 'zzzqqq']), dim).subarray(dim * row, dim * (row + 1)),
  );
  expect(dot(heart!, heart!)).toBeCloseTo(1, 5);
  expect(Array.from(unknown!)).toEqual([0, 0, 0, 0]);
  // what a text is encoded with, and beside what, changes nothing
  expect(Array.from(encodeTexts(weights, textMatrix(['heart']), dim))).toEqual(Array.from(heart!));
});

describe('with made-up icons', () => {
  let data: Prepared;
  const options = { batch: 48, seed: 5, dropout: 0.25, chunkRows: 20 };
  beforeAll(async () => {
    const whole = await prepare(toyCollection, [
      [0, 0],
      [1, 0],
    ]);
    // a thirty-second of the columns: the same code, and a model that is made and saved at once
    const columns = whole.texts.columns.map((column) => column % 512);
    data = { ...whole, texts: { ...whole.texts, columns, columnCount: 512 } };
  });

  test('a batch is a function of seed and step, in chunks that belong together', () => {
    const batches = new IconBatches(data, options);
    const batch = batches.at(7);
    batches.at(0);
    expect(batches.at(7)).toEqual(batch);
    expect(new IconBatches(data, options).at(7)).toEqual(batch);
    expect(new IconBatches(data, { ...options, seed: 6 }).at(7)).not.toEqual(batch);
    expect(batches.at(8)).not.toEqual(batch);
    expect(batch.images.map(({ rows }) => rows)).toEqual([20, 20, 8]);
    expect(batch.texts.map(({ rows }) => rows)).toEqual([20, 20, 8]);
    expect(() => new IconBatches(data, { ...options, batch: 1000 })).toThrow('Expected a batch of at most');
  });

  test('an epoch sees each icon once, with its caption and one of its shifts', () => {
    const batch = data.captionOf.length;
    const { images, texts: captions } = new IconBatches(data, {
      ...options,
      dropout: 0,
      batch,
      chunkRows: batch,
    }).at(0);
    const { mean, spread } = data.centring;
    const seen = new Map<string, number>();
    for (const { data: bytes } of data.images) {
      for (let icon = 0; icon < batch; icon++)
        seen.set(bytes.subarray(icon * imageFeatures, (icon + 1) * imageFeatures).join(), icon);
    }
    const icons = Array.from({ length: batch }, (_, i) => {
      const row = images[0]!.data.subarray(i * imageFeatures, (i + 1) * imageFeatures);
      return seen.get(row.map((value, j) => Math.round(spread * value + mean[j]!)).join())!;
    });
    expect(icons).not.toContain(undefined);
    expect(new Set(icons).size).toBe(batch);
    const { width, columns, values } = captions[0]!;
    icons.forEach((icon, i) => {
      const caption = padRows(data.texts, Int32Array.of(data.captionOf[icon]!));
      expect(Array.from(columns.subarray(i * width, i * width + caption.width))).toEqual(
        Array.from(caption.columns),
      );
      expect(Array.from(values.subarray(i * width, i * width + caption.width))).toEqual(
        Array.from(caption.values),
      );
    });
  });

  test('dropout drops a quarter of both sides, and scales the rest', () => {
    const none = new IconBatches(data, { ...options, dropout: 0 }).at(0);
    const some = new IconBatches(data, options).at(0);
    const count = (list: ArrayLike<number>) => Array.from(list).filter((value) => value !== 0).length;
    const images = count(some.images[0]!.data) / count(none.images[0]!.data);
    expect(images).toBeGreaterThan(0.72);
    expect(images).toBeLessThan(0.78);
    const dropped = count(some.texts[0]!.values) / count(none.texts[0]!.values);
    expect(dropped).toBeGreaterThan(0.65);
    expect(dropped).toBeLessThan(0.85);
    some.texts[0]!.values.forEach((value, i) => {
      if (value !== 0) expect(value).toBeCloseTo(none.texts[0]!.values[i]! / 0.75, 5);
    });
  });

  test('a step that fails leaves no gradients behind', async () => {
    const model = new IconModel(columnsInUse(data.texts), 1);
    const before = model.text.weights.slice();
    const batch = new IconBatches(data, options).at(0);
    const failing = { ...batch, texts: [...batch.texts.slice(0, 2)] };
    await expect(model.step(failing, { learningRate: 0.01, threads: 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/),
    });
    expect(model.text.weights).toEqual(before);
    expect(model.text.takeGradients().every((gradient) => gradient === 0)).toBe(true);
    model.dispose();
  });

  test('a training that was stopped and resumed ends with the weights of an unbroken one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'infcl-icons-'));
    const path = join(folder, 'checkpoint.bin');
    const batches = new IconBatches(data, options);
    const schedule = { steps: 3, stepsPerEpoch: 3, learningRate: 0.002, warmUp: 0.1 };
    const run = async (
      resume: boolean,
      signal?: AbortSignal,
      onStep?: (record: { step: number }) => void,
    ) => {
      const model = new IconModel(columnsInUse(data.texts), 1);
      const checkpoint = { path, resume, config: { seed: 1 } };
      const history = await trainLoop(model, (index, step) => model.step(batches.at(index), step), schedule, {
        threads: 1,
        signal,
        onStep,
        checkpoint,
      });
      const weights = [model.text.weights, ...Object.values(model.image.weights)].map((array) =>
        array.slice(),
      );
      const { scale } = model;
      model.dispose();
      return { weights, scale, losses: history.steps.map(({ loss }) => loss) };
    };
    const whole = await run(false);
    const controller = new AbortController();
    const stopped = run(false, controller.signal, ({ step }) => {
      if (step === 2) controller.abort(new Error('stopped'));
    });
    await expect(stopped).rejects.toThrow('stopped');
    const resumed = await run(true);
    expect(resumed.losses).toEqual(whole.losses);
    expect(resumed.scale).toBe(whole.scale);
    for (const [i, array] of resumed.weights.entries())
      expect(Buffer.compare(Buffer.from(array.buffer), Buffer.from(whole.weights[i]!.buffer))).toBe(0);
    const { size } = statSync(path);
    expect(size).toBeGreaterThan(checkpointBytes(512));
    expect(size).toBeLessThan(1.01 * checkpointBytes(512));
    rmSync(folder, { recursive: true });
  });

  test('features have as many numbers as the constant says', async () => {
    const model = new IconModel(columnsInUse(data.texts), 1);
    const features = await encodeImages(model.image, 2, () => normals(2 * imageFeatures));
    expect(features).toHaveLength(2 * featureDim);
    model.dispose();
  });
});
