/** A run that goes on from a checkpoint is the run it resumes, and a checkpoint that cannot be saved is an error. */

import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OutputError } from '../src/errors.js';
import type { DualEncoder } from '../src/train/dual-encoder.js';
import { train } from '../src/train/training.js';
import { config, dataset, threads } from './toy-run.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-demo-'));
  path = join(folder, 'checkpoint.bin');
});
afterEach(() => rmSync(folder, { recursive: true }));

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
  expect(resumed.model.scale).toBe(whole.model.scale);
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

test.each([2, 6])(
  'a run stopped while it validates step %i has this point once it is resumed',
  async (at) => {
    const measured: number[] = [];
    const validate = (stopAt?: number) => {
      let calls = 0;
      const recallAt1 = async (model: DualEncoder) => {
        calls++;
        if (calls === stopAt) throw new Error('stopped');
        const point = Math.abs(model.left.weights[0]!);
        measured.push(point);
        return point;
      };
      return { at: new Set([2, 4, 6]), recallAt1 };
    };
    const whole = await train(dataset, config, { threads, validate: validate() });
    expect(whole.history.curve.map(({ step }) => step)).toEqual([2, 4, 6]);
    const stopped = train(dataset, config, { threads, checkpoint: kept(), validate: validate(at / 2) });
    await expect(stopped).rejects.toThrow('stopped');
    const resumed = await train(dataset, config, {
      threads,
      checkpoint: { ...kept(), resume: true },
      validate: validate(),
    });
    expect(resumed.history.curve).toEqual(whole.history.curve);
    expect(measured).toHaveLength(6);
  },
);

test('training learns', async () => {
  const { history } = await train(dataset, { ...config, steps: 20 }, { threads });
  expect(history.steps.at(-1)!.loss).toBeLessThan(0.6 * history.steps[0]!.loss);
});

describe('where the disk is full', () => {
  /** The file written beside the checkpoint, by this process, is on a device that is always full. */
  const fillDisk = () => symlinkSync('/dev/full', `${path}.${process.pid}.tmp`);

  test('a run that cannot save ends with the reason and leaves no file', async () => {
    fillDisk();
    const run = train(dataset, { ...config, steps: 5 }, { threads, checkpoint: kept() });
    await expect(run).rejects.toThrow(OutputError);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an interrupted run that cannot save says so instead of passing for a saved one', async () => {
    fillDisk();
    const controller = new AbortController();
    const saved: number[] = [];
    const run = train(dataset, config, {
      threads,
      signal: controller.signal,
      checkpoint: { ...kept(), onSaved: (step) => saved.push(step) },
      onStep: ({ step }) => {
        if (step === 2) controller.abort(new Error('stopped'));
      },
    });
    await expect(run).rejects.toThrow(`Cannot write ${path}: no space left on device (ENOSPC)`);
    expect(saved).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a defect is reported beside the save that failed after it', async () => {
    fillDisk();
    const run = train(dataset, config, {
      threads,
      checkpoint: kept(),
      onStep: () => {
        throw new Error('a defect');
      },
    });
    const error = await run.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([
      expect.objectContaining({ message: 'a defect' }),
      expect.any(OutputError),
    ]);
  });
});

test('whoever asks is told which steps the file holds', async () => {
  const saved: number[] = [];
  const checkpoint = { ...kept(), onSaved: (step: number) => saved.push(step) };
  // an epoch of 175 pairs is four batches of 40
  await train(dataset, config, { threads, checkpoint });
  expect(saved).toEqual([4, 6]);
  await train(dataset, config, { threads, checkpoint: { ...checkpoint, resume: true } });
  expect(saved).toEqual([4, 6, 6]);
});
