/**
 * Properties put on Object.prototype: they can neither hide nor replace options and results, which are own
 * properties. Inherited options are options, as those of a class are.
 */
import vm from 'node:vm';
import { contrastiveLoss, contrastiveLossAndGradSync, contrastiveLossSync } from '../../lib';
import { codedError } from '../../lib/errors';
import { readOptions } from '../../lib/loss/resolve';
import { makePair } from '../reference/inputs';
import { matrix, thrownBy } from './fake-binding';

const { queries, keys } = makePair({ rows: 12, dim: 4, seed: 103 });
/** That of the realm in which the addon makes its objects: Jest runs tests in another realm. */
const outerPrototype = vm.runInThisContext('Object.prototype') as object;

/** Runs `act` while both prototypes have the property. */
function polluted<T>(name: string, descriptor: PropertyDescriptor, act: () => T): T {
  const prototypes = [Object.prototype, outerPrototype];
  for (const prototype of prototypes)
    Object.defineProperty(prototype, name, { ...descriptor, configurable: true });
  try {
    return act();
  } finally {
    for (const prototype of prototypes) Reflect.deleteProperty(prototype, name);
  }
}

const swallowing = { get: () => 'inherited', set: () => {} };
const readOnly = { value: 'inherited', writable: false };

describe.each([
  ['an accessor that swallows', swallowing],
  ['a read-only property', readOnly],
])('%s', (_, descriptor) => {
  it('does not take the code off an error', () => {
    expect(polluted('code', descriptor, () => codedError('ERR_VALUE', 'no').code)).toBe('ERR_VALUE');
  });

  it('does not take the code off an error of the native side', () => {
    const infinite = { data: Float32Array.of(1, Infinity), shape: [1, 2] as const };
    const error = polluted('code', descriptor, () =>
      thrownBy(() => contrastiveLossAndGradSync(infinite, infinite)),
    );
    expect(error).toMatchObject({ code: 'ERR_NOT_FINITE' });
  });

  it.each(['loss', 'accuracy', 'logitScaleGrad', 'stats', 'isa', 'seconds'])(
    'does not hide %s of a result',
    (name) => {
      const options = { logitScale: 3 };
      const { stats: usual, ...expected } = contrastiveLossAndGradSync(queries, keys, options);
      const { stats, ...result } = polluted(name, descriptor, () =>
        contrastiveLossAndGradSync(queries, keys, options),
      );
      expect(result).toEqual(expected);
      expect(Object.keys(stats)).toEqual(Object.keys(usual));
      expect(stats.isa).toBe(usual.isa);
      expect(stats.seconds).toBeGreaterThan(0);
    },
  );

  it('does not hide an option that was given', () => {
    expect(polluted('threads', descriptor, () => readOptions({ threads: 2 })).threads).toBe(2);
  });
});

it('features are on the host, whatever device is inherited', () => {
  const expected = contrastiveLossAndGradSync(queries, keys).loss;
  const descriptor = { value: 0, writable: true };
  expect(polluted('device', descriptor, () => contrastiveLossAndGradSync(queries, keys)).loss).toBe(expected);
});

it('a signal is listened to, whatever options of a listener are inherited', async () => {
  const { signal } = new AbortController();
  const running = polluted('signal', { value: 5, writable: true }, () =>
    contrastiveLoss(queries, keys, { signal }),
  );
  expect((await running).loss).toBe(contrastiveLossSync(queries, keys).loss);
});

it('an inherited option is read once, as one that was given', () => {
  const answers = [3, 'no number of threads'];
  const descriptor = { get: () => answers.shift(), set: () => {} };
  expect(polluted('threads', descriptor, () => readOptions({})).threads).toBe(3);
  expect(answers).toHaveLength(1);
});

it.each([null, 5, { rows: 99 }])(
  'gradients are wanted as by default, whatever is inherited (%p)',
  (value) => {
    const result = polluted('keys', { value, writable: true }, () =>
      contrastiveLossAndGradSync(matrix(3, 2), matrix(3, 2)),
    );
    expect(result.keyGrads).toHaveLength(6);
  },
);
