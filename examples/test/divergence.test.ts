/** A training whose numbers are no longer finite stops, says where, and leaves no such numbers behind. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateModel } from '../src/evaluate/model-evaluation.js';
import { allFinite } from '../src/finite.js';
import { main } from '../src/main.js';
import { DualEncoder } from '../src/train/dual-encoder.js';
import { startJax } from '../src/train/jax-side.js';
import type { MakeSide, Side } from '../src/train/side.js';
import { makeSparseSide } from '../src/train/sparse-side.js';
import { train } from '../src/train/training.js';
import { config, dataset, threads } from './toy-run.js';

beforeAll(startJax);

/** Sides to which something happens at the end of a step: the second `upload`, one per step. */
const sidesThat = (spoil: (side: Side) => void): MakeSide => {
  return (weights, options) => {
    const side = makeSparseSide(weights, options);
    let uploads = 0;
    const upload = () => {
      uploads++;
      if (uploads === 2) spoil(side);
    };
    return { ...side, upload };
  };
};

test.each([
  ['weights that become NaN', sidesThat(({ weights }) => weights.fill(Number.NaN, 5, 6)), 2, 'array left'],
  [
    'weights that become infinite',
    sidesThat(({ weights }) => weights.fill(-Infinity, 5, 6)),
    2,
    'array left',
  ],
  [
    'features that become NaN',
    sidesThat((side) => {
      const { encode } = side.encoder;
      side.encoder.encode = async (rows) => {
        const { data, shape } = await encode(rows);
        (data as Float32Array)[3] = Number.NaN;
        return { data, shape };
      };
    }),
    3,
    'features or logits are not finite: ',
  ],
])('%s end the run at their step', async (_, makeSide, step, what) => {
  const { history, model } = await train(dataset, { ...config, makeSide }, { threads });
  expect(history.diverged).toEqual({ step, what: expect.stringContaining(what) });
  expect(history.steps.map((record) => record.step)).toEqual([1, 2].slice(0, step - 1));
  model.dispose();
});

test('a rate that is far too high ends the run, and the checkpoint is none of a diverged model', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-diverged-'));
  const path = join(folder, 'checkpoint.bin');
  const { history, model } = await train(
    dataset,
    { ...config, learningRate: 1e39 },
    { threads, checkpoint: { path, resume: false, config: {} } },
  );
  expect(history).toMatchObject({ steps: [], curve: [], diverged: { step: 1 } });
  expect(existsSync(path)).toBe(false);
  const { left, right } = { left: model.left.weights, right: model.right.weights };
  const { metrics, rowsNotFinite } = await evaluateModel(dataset, { left, right }, dataset.split.test);
  expect(rowsNotFinite).toBeGreaterThan(0);
  expect(metrics.recallAt1).toBe(0);
  expect(metrics.meanReciprocalRank).toBeLessThan(0.1);
  rmSync(folder, { recursive: true });
});

test('the demo names the step in its last lines and its report, and fails the quick check', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'infcl-diverged-'));
  const words = Array.from({ length: 64 }, (_, i) => `left ${i}\tright ${i}`);
  writeFileSync(join(folder, 'pairs.tsv'), words.join('\n'));
  const { step } = DualEncoder.prototype;
  let steps = 0;
  jest.spyOn(DualEncoder.prototype, 'step').mockImplementation(async function (this: DualEncoder, ...args) {
    const result = await step.apply(this, args);
    steps++;
    return steps < 2 ? result : { ...result, loss: Number.NaN };
  });
  const said: string[] = [];
  jest.spyOn(console, 'error').mockImplementation((line) => said.push(line));
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const code = await main(['--data', 'pairs.tsv', '--out', 'out', '--quick', '--steps', '5'], folder);
  jest.restoreAllMocks();
  expect(said).toEqual([
    expect.stringContaining('Training diverged at step 2: the loss is NaN'),
    expect.stringContaining('Quick check FAILED'),
  ]);
  expect(code).toBe(1);
  const report = readFileSync(join(folder, 'out', 'report.json'), 'utf8');
  expect(JSON.parse(report).history).toMatchObject({
    steps: [{ step: 1 }],
    diverged: { step: 2, what: 'the loss is NaN' },
  });
  expect(readFileSync(join(folder, 'out', 'report.html'), 'utf8')).toContain('Training diverged at step 2');
  rmSync(folder, { recursive: true });
});

test('a training that goes well has no divergence', async () => {
  const { history } = await train(dataset, config, { threads });
  expect(history.diverged).toBeUndefined();
});

test.each([
  [[], true],
  [[1, -3e38, 0], true],
  [[1, Number.NaN], false],
  [[Infinity], false],
  [[-Infinity, Infinity, 2], false],
])('%j finite: %s', (values, finite) => {
  expect(allFinite(Float32Array.from(values))).toBe(finite);
});
