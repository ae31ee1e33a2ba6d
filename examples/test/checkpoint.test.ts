/** Checkpoints: nothing is lost, nothing else is accepted, and a resumed run is the run it resumes. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Checkpoint,
  CheckpointError,
  checkSameConfig,
  readCheckpoint,
  writeCheckpoint,
} from '../src/train/checkpoint.js';
import { train } from '../src/train/training.js';
import { config, dataset, threads } from './toy-run.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-demo-'));
  path = join(folder, 'checkpoint.bin');
});
afterEach(() => rmSync(folder, { recursive: true }));

const checkpoint: Checkpoint = {
  step: 3,
  config: { batch: 8, data: 'ü' },
  randomStates: [6, 7],
  history: { steps: [1.5] },
  arrays: {
    left: Float32Array.of(1, -2.5, Number.NaN),
    empty: new Float32Array(0),
    logScale: Float32Array.of(3),
  },
};

test('comes back as it was and leaves no other file', () => {
  writeCheckpoint(path, checkpoint);
  expect(readCheckpoint(path)).toEqual({ ...checkpoint, lengths: undefined });
  expect(readdirSync(folder)).toEqual(['checkpoint.bin']);
});

test('refuses files cut short and files of another kind', () => {
  writeCheckpoint(path, checkpoint);
  const whole = readFileSync(path);
  for (const length of [whole.length - 1, 20]) {
    writeFileSync(path, whole.subarray(0, length));
    expect(() => readCheckpoint(path)).toThrow(CheckpointError);
    expect(() => readCheckpoint(path)).toThrow('cut short');
  }
  writeFileSync(path, 'something else altogether');
  expect(() => readCheckpoint(path)).toThrow('another kind of file');
});

test('refuses to go on with other settings', () => {
  expect(() => checkSameConfig('c.bin', { batch: 8 }, { batch: 16 })).toThrow(
    'Expected batch 8, as in the checkpoint c.bin, but received 16',
  );
  expect(() => checkSameConfig('c.bin', { batch: 8 }, { batch: 8 })).not.toThrow();
});

const kept = () => ({ path, resume: false, config: { batch: 40 } });

/** `toEqual` takes seconds on arrays of this size. */
function expectSame(found: Float32Array, wanted: Float32Array): void {
  expect(found.length).toBe(wanted.length);
  expect(found.findIndex((value, i) => value !== wanted[i])).toBe(-1);
}

test('a run stopped half-way and resumed ends where an unbroken one does', async () => {
  const whole = await train(dataset, config, { threads });
  const controller = new AbortController();
  const stopped = train(dataset, config, {
    threads,
    signal: controller.signal,
    checkpoint: kept(),
    onStep: ({ step }) => {
      if (step === 3) controller.abort(new Error('stopped'));
    },
  });
  await expect(stopped).rejects.toThrow('stopped');
  const resumed = await train(dataset, config, { threads, checkpoint: { ...kept(), resume: true } });
  expect(resumed.history.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  expectSame(resumed.model.left.weights, whole.model.left.weights);
  expectSame(resumed.model.right.weights, whole.model.right.weights);
  expectSame(resumed.model.logScale, whole.model.logScale);
});

test('a step aborted in the middle leaves the state of the step before', async () => {
  const whole = await train(dataset, config, { threads });
  const controller = new AbortController();
  const stopped = train(dataset, config, {
    threads,
    signal: controller.signal,
    checkpoint: kept(),
    // in the second step, after features were drawn and before weights moved
    onProgress: ({ phase, tower }) => {
      if (readdirSync(folder).length === 0 && phase === 'backward' && tower === 'keys') {
        controller.abort(new Error('stopped'));
      }
    },
  });
  await expect(stopped).rejects.toThrow('stopped');
  const resumed = await train(dataset, config, { threads, checkpoint: { ...kept(), resume: true } });
  expectSame(resumed.model.right.weights, whole.model.right.weights);
});

test('training learns', async () => {
  const { history } = await train(dataset, { ...config, steps: 20 }, { threads });
  expect(history.steps.at(-1)!.loss).toBeLessThan(0.6 * history.steps[0]!.loss);
});
