/** Regions to train on, batches, the model's step, hard negatives, and detection, on made-up emoji. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detect } from '../../src/detection/detect/detect.js';
import { RegionScorer } from '../../src/detection/detect/region-scorer.js';
import { bestWindows, namingAccuracy } from '../../src/detection/evaluate/named-windows.js';
import { conceptTexts } from '../../src/detection/features/concept-texts.js';
import { centred, centringOf, joinRows, rowsWhere } from '../../src/detection/features/region-rows.js';
import { windowFeatures, windowPlaces } from '../../src/detection/features/windows.js';
import { iou } from '../../src/detection/scenes/boxes.js';
import { SceneMaker, trainingSource, unseenSource } from '../../src/detection/scenes/scene.js';
import { captionedPictures } from '../../src/detection/train/captioned-pictures.js';
import { hardNegatives } from '../../src/detection/train/mine.js';
import { RegionBatches } from '../../src/detection/train/region-batches.js';
import { RegionModel } from '../../src/detection/train/region-model.js';
import { chosenWindows, fitOf, sceneRegions } from '../../src/detection/train/scene-regions.js';
import { Random } from '../../src/random.js';
import { startJax } from '../../src/train/jax-side.js';
import { trainLoop } from '../../src/train/loop.js';
import { toyEmoji } from './toy-emoji.js';

const nothing = toyEmoji.concepts.length;
const texts = conceptTexts(toyEmoji.concepts);
const source = trainingSource(toyEmoji);
const options = { batch: 64, seed: 1, dropout: 0.1, chunkRows: 32 };

/** Whether two arrays have the same bytes: far faster for millions of numbers than a comparison of each. */
const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.compare(
    Buffer.from(a.buffer, a.byteOffset, a.byteLength),
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

let ofScenes: Awaited<ReturnType<typeof sceneRegions>>;
let pictures: typeof ofScenes;
let regions: Awaited<ReturnType<typeof sceneRegions>>;
let centring: ReturnType<typeof centringOf>;
beforeAll(async () => {
  await startJax();
  ofScenes = await sceneRegions(source, 20, { seed: 1, nothing });
  pictures = await captionedPictures(toyEmoji, 2, { seed: 1 });
  regions = joinRows(ofScenes, pictures);
  centring = centringOf(regions);
});

test('windows on things share more than half with one, parts share some, grounds almost nothing', () => {
  const random = new Random(3);
  const scene = new SceneMaker(source, random).next();
  const chosen = chosenWindows(scene, random);
  const counts = { things: 0, parts: 0, grounds: 0 };
  for (const { window, thing } of chosen) {
    const shared = scene.things.map(({ box }) => iou(box, window.box));
    if (thing >= 0) {
      counts.things++;
      expect(Math.max(...shared)).toBe(shared[thing]);
      expect(shared[thing]).toBeGreaterThanOrEqual(0.45);
    } else if (Math.max(...shared) < 0.15) counts.grounds++;
    else {
      counts.parts++;
      expect(Math.max(...shared)).toBeLessThan(0.45);
    }
  }
  expect(counts.things).toBeGreaterThan(scene.things.length);
  expect(counts.things).toBeLessThanOrEqual(4 * scene.things.length);
  expect(counts).toMatchObject({ parts: 8, grounds: 6 });
});

test('novel concepts are in captioned pictures only', async () => {
  expect(new Set(ofScenes.labels)).toEqual(new Set([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, nothing]));
  // twelve concepts, three styles, one of which lacks a concept, twice each
  expect(pictures.rows).toBe(2 * 35);
  expect(Array.from(pictures.labels).filter((label) => label === 5)).toHaveLength(6);
  expect(Array.from(pictures.labels)).not.toContain(nothing);
  expect(same((await captionedPictures(toyEmoji, 2, { seed: 1 })).data, pictures.data)).toBe(true);
  expect(same((await captionedPictures(toyEmoji, 2, { seed: 2 })).data, pictures.data)).toBe(false);
});

test('centred features have mean 0 and, on average, variance 1', () => {
  const rows = centred(regions, centring);
  let [sum, squares] = [0, 0];
  for (const value of rows) {
    sum += value;
    squares += value * value;
  }
  expect(Math.abs(sum / rows.length)).toBeLessThan(1e-3);
  expect(squares / rows.length).toBeCloseTo(1, 2);
  const things = rowsWhere(regions, (label) => label !== nothing);
  expect(things.rows).toBe(regions.labels.filter((label) => label !== nothing).length);
  expect(things.data).toHaveLength(things.rows * windowFeatures);
});

describe('batches', () => {
  test('are a function of seed and step, and their labels belong to their rows', () => {
    const [first, second] = [
      new RegionBatches(regions, centring, options),
      new RegionBatches(regions, centring, options),
    ];
    second.at(2);
    const [batch, again] = [first.at(1), second.at(1)];
    expect(again.labels).toEqual(batch.labels);
    expect(again.images.every(({ data }, i) => same(data, batch.images[i]!.data))).toBe(true);
    const other = new RegionBatches(regions, centring, { ...options, seed: 2 }).at(1);
    expect(same(other.images[0]!.data, batch.images[0]!.data)).toBe(false);
    const { images, labels, rows } = new RegionBatches(regions, centring, { ...options, dropout: 0 }).at(0);
    expect([images.length, labels.length, rows]).toEqual([2, 64, 64]);
    const all = centred(regions, centring);
    const own = images[1]!.data.subarray(0, windowFeatures);
    const row = Array.from(regions.labels.keys()).find((i) =>
      own.every((value, d) => value === all[i * windowFeatures + d]),
    );
    expect(regions.labels[row!]).toBe(labels[32]);
  });

  test('drop a tenth of the input', () => {
    const { images } = new RegionBatches(regions, centring, options).at(0);
    const zeros = images[0]!.data.filter((value) => value === 0).length / images[0]!.data.length;
    expect(zeros).toBeGreaterThan(0.08);
    expect(zeros).toBeLessThan(0.13);
  });

  test('larger than the regions are refused', () => {
    expect(() => new RegionBatches(regions, centring, { ...options, batch: 1e6 })).toThrow(
      'training regions',
    );
  });
});

describe('the model', () => {
  const schedule = { steps: 4, stepsPerEpoch: 2, learningRate: 0.001, warmUp: 0.1 };

  test('a training that was stopped and resumed ends with the weights of an unbroken one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'infcl-detection-'));
    const batches = new RegionBatches(regions, centring, options);
    const run = async (
      resume: boolean,
      signal?: AbortSignal,
      onStep?: (record: { step: number }) => void,
    ) => {
      const model = new RegionModel(texts, 1);
      const checkpoint = { path: join(folder, 'checkpoint.bin'), resume, config: { seed: 1 } };
      const step = (index: number, given: Parameters<typeof model.step>[1]) =>
        model.step(batches.at(index), given);
      await trainLoop(model, step, schedule, { threads: 1, signal, onStep, checkpoint });
      const weights = [model.text.weights, ...Object.values(model.image.weights)].map((array) =>
        array.slice(),
      );
      model.dispose();
      return weights;
    };
    const whole = await run(false);
    const controller = new AbortController();
    const stopped = run(false, controller.signal, ({ step }) => {
      if (step === 3) controller.abort(new Error('stopped'));
    });
    await expect(stopped).rejects.toThrow('stopped');
    const resumed = await run(true);
    for (const [i, array] of resumed.entries()) expect(same(array, whole[i]!)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  test('a successor has the weights and the scale, and changes neither of the first', async () => {
    const model = new RegionModel(texts, 1);
    const batch = new RegionBatches(regions, centring, options).at(0);
    await model.step(batch, { learningRate: 0.01, threads: 1 });
    const next = model.successor();
    expect(next.scale).toBeCloseTo(model.scale, 5);
    expect(same(next.text.weights, model.text.weights)).toBe(true);
    const before = model.image.weights.matrix0!.slice();
    await next.step(batch, { learningRate: 0.01, threads: 1 });
    expect(same(model.image.weights.matrix0!, before)).toBe(true);
    expect(same(next.image.weights.matrix0!, before)).toBe(false);
    model.dispose();
    next.dispose();
  });

  test('a step that fails leaves no gradients behind', async () => {
    const model = new RegionModel(texts, 1);
    const batch = new RegionBatches(regions, centring, options).at(0);
    const before = model.text.weights.slice();
    const wrong = { ...batch, labels: batch.labels.map(() => 99) };
    await expect(model.step(wrong, { learningRate: 0.01, threads: 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/),
    });
    expect(same(model.text.weights, before)).toBe(true);
    expect(model.text.takeGradients().every((gradient) => gradient === 0)).toBe(true);
    model.dispose();
  });
});

test('after a few steps it names and finds things of an unseen style, and gives hard negatives', async () => {
  const batches = new RegionBatches(regions, centring, options);
  const model = new RegionModel(texts, 1);
  const things = bestWindows(unseenSource(toyEmoji), 8, new Random(9));
  const untrained = await namingAccuracy(new RegionScorer(model, centring), things);
  for (let step = 0; step < 40; step++)
    await model.step(batches.at(step), { learningRate: 0.001, threads: 1 });
  const scorer = new RegionScorer(model, centring);
  const trained = await namingAccuracy(scorer, things);
  expect(trained).toBeGreaterThan(Math.max(0.4, untrained));

  const probabilities = await scorer.probabilities(
    await scorer.features(things.data.subarray(0, 3 * windowFeatures)),
  );
  for (let row = 0; row < 3; row++) {
    const own = probabilities.subarray(row * texts.rows, (row + 1) * texts.rows);
    expect(own.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
  }

  const maker = new SceneMaker(unseenSource(toyEmoji), new Random(10));
  let [found, wanted] = [0, 0];
  for (let i = 0; i < 3; i++) {
    const scene = maker.next();
    const boxes = await detect(scorer, scene.picture);
    for (const { box } of scene.things) {
      wanted++;
      if (boxes.some((own) => iou(own.box, box) >= 0.5)) found++;
    }
    for (const { labels, objectness } of boxes) {
      expect(labels).toHaveLength(5);
      expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeLessThanOrEqual(objectness + 1e-4);
    }
  }
  expect(found / wanted).toBeGreaterThan(0.4);

  const hard = await hardNegatives(scorer, source, { scenes: 2, seed: 4 });
  expect(hard.rows).toBeGreaterThan(0);
  expect(hard.rows).toBeLessThanOrEqual(2 * 60);
  expect(new Set(hard.labels)).toEqual(new Set([nothing]));
  expect(same((await hardNegatives(scorer, source, { scenes: 2, seed: 4 })).data, hard.data)).toBe(true);
  model.dispose();
});

test('the fit of each window is with the thing that it shares most with', () => {
  const scene = new SceneMaker(source, new Random(11)).next();
  const { overlap, thing } = fitOf(scene);
  for (const i of [0, 500, 1000, 2000, windowPlaces.length - 1]) {
    const shared = scene.things.map(({ box }) => iou(box, windowPlaces[i]!.box));
    expect(overlap[i]).toBeCloseTo(Math.max(...shared), 6);
    if (overlap[i]! > 0) expect(shared[thing[i]!]).toBe(Math.max(...shared));
    else expect(thing[i]).toBe(-1);
  }
});
