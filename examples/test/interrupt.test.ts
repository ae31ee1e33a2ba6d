/** Ctrl-C: heard between pieces of work, never lost, and never reported as saved when it was not. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ccaBaseline } from '../src/baseline/cca-baseline.js';
import { endOf } from '../src/end-of-run.js';
import { OutputError } from '../src/errors.js';
import { evaluateModel } from '../src/evaluate/model-evaluation.js';
import { Interrupted } from '../src/interrupt.js';
import { startJax } from '../src/train/jax-side.js';
import { initialWeights } from '../src/train/side.js';
import { endSources, runSource } from './children/run-source.js';
import { dataset } from './toy-run.js';

beforeAll(startJax);
afterEach(endSources);

describe('a process', () => {
  test('that breathes between pieces of work hears the first', async () => {
    const child = runSource('interrupted.ts', ['breathes between pieces of work']);
    await child.printed('ready');
    child.process.kill('SIGINT');
    expect(await child.end).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('Stopped by Ctrl-C'),
    });
  });

  test('that holds the event loop after the first dies of the second at once', async () => {
    const child = runSource('interrupted.ts', ['blocks after the first']);
    await child.printed('ready');
    child.process.kill('SIGINT');
    await child.printed('blocked');
    const began = performance.now();
    child.process.kill('SIGINT');
    expect(await child.end).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('that gets two while it holds the event loop dies of them, and not one is lost', async () => {
    const child = runSource('interrupted.ts', ['blocks before both']);
    await child.printed('ready');
    await wait(500);
    child.process.kill('SIGINT');
    await wait(200);
    child.process.kill('SIGINT');
    expect(await child.end).toMatchObject({ code: null, signal: 'SIGINT' });
  });
});

/** A timer fires only in a turn of the event loop, as a signal does. */
function abortSoon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('stopped')), 1);
  return controller.signal;
}

test('the baseline gives the event loop turns, and stops in one', async () => {
  await expect(ccaBaseline(dataset, abortSoon())).rejects.toThrow('stopped');
});

test('ranking gives the event loop turns, and stops in one', async () => {
  const weights = { left: initialWeights(1, 1), right: initialWeights(1, 2) };
  const many = Int32Array.from({ length: 20_000 }, (_, i) => i % 200);
  const signal = abortSoon();
  await expect(evaluateModel(dataset, weights, many, { signal })).rejects.toThrow('stopped');
});

describe('what a person is told', () => {
  const aborted = AbortSignal.abort(new Interrupted());
  const going = new AbortController().signal;
  const full = new OutputError('Cannot write c.bin: no space left on device (ENOSPC)');

  test('goes on with --resume only where a step was saved', () => {
    expect(endOf({ signal: aborted, savedStep: 7 }, aborted.reason)).toMatchObject({
      message: 'Stopped by Ctrl-C: step 7 is saved, so go on with the same flags and --resume',
    });
    const { message } = endOf({ signal: aborted }, aborted.reason) as Error;
    expect(message).toContain('nothing was saved yet');
    expect(message).not.toContain('--resume');
  });

  test('is what failed, where something else than the interruption ended the run', () => {
    const defect = new TypeError('a defect');
    expect(endOf({ signal: aborted, savedStep: 7 }, defect)).toBe(defect);
    expect(endOf({ signal: going }, defect)).toBe(defect);
  });

  test('is that a save failed, and which step is left', () => {
    const stopped = endOf({ signal: aborted }, full) as Error;
    expect(stopped).toBeInstanceOf(OutputError);
    expect(stopped.message).toContain(
      'Stopped by Ctrl-C. Cannot write c.bin: no space left on device (ENOSPC)',
    );
    expect(stopped.message).toContain('nothing was saved');
    expect(stopped.message).not.toContain('--resume');
    expect((endOf({ signal: going, savedStep: 3 }, full) as Error).message).toContain(
      'step 3 was saved before, so make room and go on with --resume',
    );
  });
});

describe('the demo itself', () => {
  let folder: string;
  let args: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infcl-interrupt-'));
    const pairs = Array.from({ length: 4000 }, (_, i) => `left ${i}\tright ${(i * 7) % 4000}`);
    writeFileSync(join(folder, 'pairs.tsv'), pairs.join('\n'));
    args = [
      '--data',
      join(folder, 'pairs.tsv'),
      '--out',
      join(folder, 'out'),
      '--quick',
      '--steps',
      '100000',
    ];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('stopped while it trains, saves and exits with 130; resumed and stopped again, it still does', async () => {
    for (const more of [[], ['--resume']]) {
      const child = runSource('demo.ts', [...args, ...more]);
      await child.printed('Training:');
      await wait(1500);
      child.process.kill('SIGINT');
      const { code, stderr } = await child.end;
      expect(stderr.trim()).toMatch(
        /^Stopped by Ctrl-C: step \d+ is saved, so go on with the same flags and --resume$/,
      );
      expect(code).toBe(130);
      expect(readdirSync(join(folder, 'out'))).toEqual(['checkpoint.bin']);
    }
  });

  test.each([
    ['stopped on a full disk, says both', true, /^Stopped by Ctrl-C\. Cannot write \S+: no space left/],
    ['that meets a full disk by itself, says so', false, /^Cannot write \S+: no space left/],
  ])('%s, promises no --resume, and leaves no file', async (_, stopped, message) => {
    // an epoch, after which it saves, is one step, or thousands
    const child = runSource('demo.ts', [...args, '--batch', stopped ? '2' : '1000'], { FULL_DISK: '1' });
    await child.printed('Training:');
    if (stopped) {
      await wait(300);
      child.process.kill('SIGINT');
    }
    const { code, stderr } = await child.end;
    expect(stderr.trim()).toMatch(message);
    expect(stderr).toContain('nothing was saved');
    expect(stderr).not.toContain('--resume');
    expect(stderr.trim()).not.toContain('\n');
    expect(code).toBe(2);
    expect(readdirSync(join(folder, 'out'))).toEqual([]);
  });
});
