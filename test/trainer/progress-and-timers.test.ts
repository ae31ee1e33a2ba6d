/** Promises of `onProgress`, and a step under the fake timers of a test framework. */
import { chunkedStep, type StepProgress } from '../../lib/trainer';
import { cut, randomRows, ToyEncoder } from './toy-encoder';

const inputs = randomRows(6, 1);
const step = (onProgress?: (progress: StepProgress) => unknown, loss = {}) =>
  chunkedStep({
    queries: { encoder: new ToyEncoder(1), chunks: () => cut(inputs, [3, 3]) },
    keys: { encoder: new ToyEncoder(2), chunks: () => cut(inputs, [3, 3]) },
    loss: { logitScale: 3, ...loss },
    onProgress,
  });

describe('a promise that onProgress returns', () => {
  const reason = new Error('from onProgress');
  const later = () => new Promise((_, reject) => setTimeout(() => reject(reason), 2));
  const unhandled: unknown[] = [];
  const remember = (error: unknown) => unhandled.push(error);

  beforeAll(() => process.on('unhandledRejection', remember));
  afterAll(() => {
    process.off('unhandledRejection', remember);
  });
  afterEach(async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(unhandled).toEqual([]);
  });

  test.each(['encode', 'loss', 'backward'] as const)('ends the step if it rejects, in %s', async (phase) => {
    const seen: string[] = [];
    const run = step(async (progress) => {
      seen.push(progress.phase);
      if (progress.phase === phase) throw reason;
    });
    await expect(run).rejects.toBe(reason);
    // no further report, and nothing of the next phase
    expect(seen.filter((name) => name === phase)).toHaveLength(1);
    expect(seen.at(-1)).toBe(phase);
  });

  test('ends the step if it rejects late', async () => {
    await expect(step(({ phase }) => (phase === 'encode' ? later() : undefined))).rejects.toBe(reason);
  });

  test('is waited for after the last chunk as well', async () => {
    // the number of reports of the loss depends on its time, so the last report is known by its place
    const run = step(({ phase, tower, rows }) =>
      phase === 'backward' && tower === 'keys' && rows === 6 ? later() : undefined,
    );
    await expect(run).rejects.toBe(reason);
  });

  test.each(['throws', 'rejects'])('of the loss: %s', async (how) => {
    const onProgress = () => {
      if (how === 'throws') throw reason;
      return later();
    };
    await expect(step(undefined, { onProgress })).rejects.toBe(reason);
  });

  test('of the loss and of the step: one rejects, the other throws', async () => {
    const loss = { onProgress: () => later() };
    const run = step(({ phase }) => {
      if (phase === 'loss') throw new Error('first');
    }, loss);
    await expect(run).rejects.toThrow('first');
  });

  test('is over before the step is', async () => {
    let [begun, ended] = [0, 0];
    await step(async () => {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended++;
    });
    expect(begun).toBeGreaterThan(8);
    expect(ended).toBe(begun);
  });
});

describe('fake timers', () => {
  afterEach(() => jest.useRealTimers());

  test('do not keep a step from ending', async () => {
    const real = await step();
    jest.useFakeTimers();
    // they are in force: a timer of the test never fires by itself
    let fired = false;
    setImmediate(() => {
      fired = true;
    });
    expect((await step()).loss).toBe(real.loss);
    expect(fired).toBe(false);
  });
});
