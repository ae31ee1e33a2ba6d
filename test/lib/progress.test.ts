/**
 * An `onProgress` that returns a promise: its rejection counts like a throw, at any time. It never ends the
 * process as an unhandled rejection.
 */
import { contrastiveLoss, contrastiveLossSync, type Progress } from '../../lib';
import { ProgressReporter } from '../../lib/loss/progress';
import { adopt, isThenable } from '../../lib/thenable';
import { makePair } from '../reference/inputs';
import { expectError, thrownBy } from './fake-binding';

const { queries, keys } = makePair({ rows: 40, dim: 8, seed: 99 });
const endless = { data: new Float32Array(60_000 * 256).fill(0.0625), shape: [60_000, 256] as const };
const mine = new Error('mine');
const tick = () => new Promise((resolve) => setImmediate(resolve));

const unhandled: unknown[] = [];
const remember = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', remember));
afterAll(() => void process.removeListener('unhandledRejection', remember));
afterEach(async () => {
  await tick();
  expect(unhandled).toEqual([]);
});

function thenable(then: (resolve: unknown, reject: (error: unknown) => void) => void): object {
  return Object.defineProperty({}, 'then', { value: then });
}

const rejecting: [string, (done: Progress) => unknown][] = [
  ['an async function that throws', async () => Promise.reject(mine)],
  ['a promise that rejects later', () => tick().then(() => Promise.reject(mine))],
  ['a thenable of another library', () => thenable((_, reject) => reject(mine))],
  [
    'a thenable that throws',
    () =>
      thenable(() => {
        throw mine;
      }),
  ],
  [
    'an object whose then cannot be read',
    () =>
      Object.defineProperty({}, 'then', {
        get() {
          throw mine;
        },
      }),
  ],
  [
    'a promise with methods of its own',
    () => Object.assign(Promise.reject(mine), { catch: () => 5, finally: () => 5 }),
  ],
];

describe.each(rejecting)('%s', (_, onProgress) => {
  it('is what a short call rejects with, at its end', async () => {
    await expect(contrastiveLoss(queries, keys, { onProgress })).rejects.toBe(mine);
    expect((await contrastiveLoss(queries, keys)).loss).toBeGreaterThan(0);
  });

  it('stops a long call, which rejects with it', async () => {
    let [calls, late, failed] = [0, 0, false];
    const fail = () => {
      failed = true;
    };
    const counted = (done: Progress) => {
      calls++;
      if (failed) late++;
      try {
        const returned = onProgress(done);
        if (isThenable(returned)) adopt(returned).catch(fail);
        return returned;
      } catch (error) {
        fail();
        throw error;
      }
    };
    await expect(contrastiveLoss(endless, endless, { onProgress: counted })).rejects.toBe(mine);
    // on a busy machine a second report may come before a promise rejects, and none comes after
    expect(calls).toBeGreaterThan(0);
    expect(late).toBe(0);
  });
});

it('a call settles after the promises that onProgress returned', async () => {
  // on a busy machine even a short call has more than one report
  let [begun, written] = [0, 0];
  const onProgress = async () => {
    begun++;
    await tick();
    await tick();
    written++;
  };
  await contrastiveLoss(queries, keys, { onProgress });
  expect(begun).toBeGreaterThan(0);
  expect(written).toBe(begun);
});

it('onProgress may wait for another call: the queue goes on meanwhile', async () => {
  let inner = 0;
  const onProgress = async () => {
    inner = (await contrastiveLoss(queries, keys)).loss;
  };
  const { loss } = await contrastiveLoss(queries, keys, { onProgress });
  expect(inner).toBe(loss);
});

it('a blocking call, which cannot wait, refuses a promise', () => {
  for (const onProgress of [async () => {}, () => Promise.reject(mine)]) {
    expectError(
      thrownBy(() => contrastiveLossSync(queries, keys, { onProgress })),
      { type: TypeError, code: 'ERR_TYPE', message: 'no promise from options.onProgress of a blocking call' },
    );
  }
});

describe('the reporter', () => {
  it('tells its owner once, and throws the first error', async () => {
    const failed = jest.fn();
    const errors = [new Error('first'), new Error('second')];
    const reporter = new ProgressReporter<Error>(async (error) => Promise.reject(error), failed);
    for (const error of errors) reporter.report(error);
    reporter.throwIfFailed();
    await expect(reporter.settled()).rejects.toBe(errors[0]);
    await tick();
    expect(failed).toHaveBeenCalledTimes(1);
    expect(() => reporter.throwIfFailed()).toThrow(errors[0]);
  });

  it('without onProgress has nothing to say', async () => {
    const reporter = new ProgressReporter<number>(undefined);
    reporter.report(1);
    await reporter.settled();
  });
});
