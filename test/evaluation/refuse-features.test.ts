/** What the functions over features refuse: wrong features, labels and options, and signals that abort. */
import {
  alignment,
  effectiveRank,
  linearProbe,
  modalityGap,
  uniformity,
  zeroShotAccuracy,
} from '../../lib/evaluation';
import type { HostFeatures } from '../../lib/matrix/host-matrix';
import { expectError, type Thrown } from '../lib/fake-binding';
import { normalRows, unitRows } from '../reference/features';
import type { FloatMatrix } from '../reference/inputs';

const bad = (type: typeof Error, code: string, message: string): Thrown => ({ type, code, message });
const ints = (...values: number[]) => Int32Array.from(values);

const x = unitRows(normalRows(6, 4, 1));
const narrower = unitRows(normalRows(6, 3, 2));
const labels = ints(0, 1, 2, 0, 1, 2);

/** Each function by the names of its features: the named ones are `features`, the others are fine. */
const places = {
  'alignment x': (features: HostFeatures, options?: object) => alignment(features, x, options),
  'alignment y': (features: HostFeatures, options?: object) => alignment(x, features, options),
  'uniformity x': (features: HostFeatures, options?: object) => uniformity(features, options),
  'modalityGap x': (features: HostFeatures, options?: object) => modalityGap(features, x, options),
  'modalityGap y': (features: HostFeatures, options?: object) => modalityGap(x, features, options),
  'effectiveRank x': (features: HostFeatures, options?: object) => effectiveRank(features, options),
  'zeroShotAccuracy features': (features: HostFeatures, options?: object) =>
    zeroShotAccuracy(features, x, labels, options),
  'zeroShotAccuracy classFeatures': (features: HostFeatures, options?: object) =>
    zeroShotAccuracy(x, features, labels, options),
  'linearProbe train': (features: HostFeatures, options: object = { l2: 1 }) =>
    linearProbe(features, labels, x, labels, options as { l2: number }),
  'linearProbe test': (features: HostFeatures, options: object = { l2: 1 }) =>
    linearProbe(x, labels, features, labels, options as { l2: number }),
};
type Place = keyof typeof places;
const allPlaces = (Object.keys(places) as Place[]).map((place) => [place, place.split(' ')[1]!] as const);

/** Every function returns a promise and never throws. */
async function rejection(call: () => Promise<unknown>) {
  const promise = call();
  return promise.then(
    () => new Error('no error') as never,
    (error) => error,
  );
}

const withNumber = (at: number, value: number) => ({
  data: x.data.map((old, i) => (i === at ? value : old)),
  shape: x.shape,
});
const half = { data: new Uint16Array(24).fill(0x7c00), shape: [6, 4], dtype: 'float16' as const };

describe.each(allPlaces)('%s', (place, name) => {
  it.each<[string, unknown, Thrown]>([
    ['no matrix', 5, bad(TypeError, 'ERR_TYPE', `matrix { data, shape: [rows, dim] } for ${name}`)],
    ['nothing', undefined, bad(TypeError, 'ERR_TYPE', `for ${name} but received undefined`)],
    ['a plain array', { data: [1, 2], shape: [1, 2] }, bad(TypeError, 'ERR_TYPE', `${name}.data`)],
    [
      'too few elements',
      { data: new Float32Array(5), shape: [6, 4] },
      bad(RangeError, 'ERR_SHAPE', `${name}.data`),
    ],
    ['no rows', { data: new Float32Array(5), shape: [0, 4] }, bad(RangeError, 'ERR_SHAPE', `${name}.shape`)],
    ['float64', { data: new Float64Array(24), shape: [6, 4] }, bad(TypeError, 'ERR_DTYPE', `${name}.data`)],
    ['NaN', withNumber(9, Number.NaN), bad(RangeError, 'ERR_NOT_FINITE', `row 2, column 1 of ${name}`)],
    ['infinity', withNumber(23, Infinity), bad(RangeError, 'ERR_NOT_FINITE', `row 5, column 3 of ${name}`)],
    ['infinity in 16 bits', half, bad(RangeError, 'ERR_NOT_FINITE', `row 0, column 0 of ${name}`)],
  ])('refuses %s', async (_, features, thrown) => {
    expectError(await rejection(() => places[place](features as HostFeatures)), thrown);
  });

  it('refuses wrong options', async () => {
    const run = (options: unknown) => rejection(() => places[place](x, options as object));
    expectError(await run(5), bad(TypeError, 'ERR_TYPE', 'object for options'));
    expectError(await run({ l2: 1, signals: 1 }), bad(TypeError, 'ERR_OPTION', 'in options'));
    const isProbe = place.startsWith('linearProbe');
    const signal = isProbe ? { l2: 1, signal: 5 } : { signal: 5 };
    expectError(await run(signal), bad(TypeError, 'ERR_TYPE', 'AbortSignal for options.signal'));
  });

  it('rejects with the reason of a signal that has aborted', async () => {
    const signal = AbortSignal.abort('enough');
    const options = place.startsWith('linearProbe') ? { l2: 1, signal } : { signal };
    expect(await rejection(() => places[place](x, options))).toBe('enough');
  });
});

describe.each(allPlaces.filter(([place]) => /alignment|uniformity|modalityGap/.test(place)))(
  '%s: rows of length 1',
  (place, name) => {
    it.each([
      ['two', { data: x.data.map((v, i) => (i >= 8 && i < 12 ? 2 * v : v)), shape: x.shape }, 'row 2'],
      ['zero', { data: x.data.map((v, i) => (i < 4 ? 0 : v)), shape: x.shape }, 'row 0'],
      ['1.01', { data: x.data.map((v) => v * 1.01), shape: x.shape }, 'row 0'],
    ])('refuses a length of %s', async (_, features, row) => {
      const message = `Expected 1 for the length of ${row} of ${name} but received`;
      expectError(await rejection(() => places[place](features)), bad(RangeError, 'ERR_VALUE', message));
    });
  },
);

const otherDim: [string, () => Promise<unknown>, string][] = [
  ['alignment', () => alignment(x, narrower), 'Expected [6, 4], the shape of x, for y but received [6, 3]'],
  ['alignment of fewer rows', () => alignment(x, unitRows(normalRows(5, 4, 2))), 'received [5, 4]'],
  ['modalityGap', () => modalityGap(x, narrower), 'Expected dim 4, as x has, for y but received [6, 3]'],
  ['zeroShotAccuracy', () => zeroShotAccuracy(x, narrower, labels), 'for classFeatures but received [6, 3]'],
  ['linearProbe', () => linearProbe(x, labels, narrower, labels, { l2: 1 }), 'for test but received [6, 3]'],
  [
    'uniformity of one row',
    () => uniformity({ data: Float32Array.of(1), shape: [1, 1] }),
    'at least two rows',
  ],
];
it.each(otherDim)('refuses shapes that do not fit: %s', async (_, call, message) => {
  expectError(await rejection(call), bad(RangeError, 'ERR_SHAPE', message));
});

it('effectiveRank refuses zeros', async () => {
  const zeros = { data: new Float32Array(6), shape: [2, 3] };
  expectError(
    await rejection(() => effectiveRank(zeros)),
    bad(RangeError, 'ERR_VALUE', 'received zeros only'),
  );
});

it.each<[string, unknown, Thrown]>([
  ['plain labels', [0, 1, 2, 0, 1, 2], bad(TypeError, 'ERR_TYPE', 'Int32Array.from(')],
  ['none', undefined, bad(TypeError, 'ERR_TYPE', 'Int32Array for ')],
  ['too few', ints(0, 1), bad(RangeError, 'ERR_SHAPE', 'Expected 6 elements, one for each row, for ')],
  ['a negative class', ints(0, 1, 2, 0, 1, -1), bad(RangeError, 'ERR_VALUE', 'abels[5] but received -1')],
])('refuses labels: %s', async (_, given, thrown) => {
  const wrong = given as Int32Array;
  expectError(await rejection(() => zeroShotAccuracy(x, x, wrong)), thrown);
  expectError(await rejection(() => linearProbe(x, wrong, x, labels, { l2: 1 })), thrown);
  expectError(await rejection(() => linearProbe(x, labels, x, wrong, { l2: 1 })), thrown);
});

it('refuses a class that does not exist', async () => {
  const beyond = ints(0, 1, 2, 3, 4, 6);
  const zeroShot = await rejection(() => zeroShotAccuracy(x, x, beyond));
  expectError(zeroShot, bad(RangeError, 'ERR_VALUE', 'class from 0 to 5 for labels[5] but received 6'));
  const probe = await rejection(() => linearProbe(x, labels, x, beyond, { l2: 1 }));
  expectError(probe, bad(RangeError, 'ERR_VALUE', 'class from 0 to 2 for testLabels[3] but received 3'));
});

it.each([
  [
    'a gap between classes',
    ints(0, 1, 3, 0, 1, 3),
    'received none of class 2; number the classes without gaps',
  ],
  ['ids', ints(2147483647, 1, 2, 3, 4, 5), 'received none of class 0'],
  ['one class', ints(0, 0, 0, 0, 0, 0), 'at least two classes'],
])('linearProbe refuses %s', async (_, given, message) => {
  const call = () => linearProbe(x, given, x, labels, { l2: 1 });
  expectError(await rejection(call), bad(RangeError, 'ERR_VALUE', message));
});

it.each<[string, unknown, Thrown]>([
  ['no options', undefined, bad(TypeError, 'ERR_TYPE', '1 / (C * rows of train)')],
  ['no l2', {}, bad(TypeError, 'ERR_TYPE', 'positive number for options.l2 but received undefined')],
  ['l2 of 0', { l2: 0 }, bad(RangeError, 'ERR_VALUE', 'options.l2')],
  ['l2 in text', { l2: '1' }, bad(TypeError, 'ERR_TYPE', 'options.l2')],
  ['no steps', { l2: 1, maxIterations: 0 }, bad(RangeError, 'ERR_VALUE', 'options.maxIterations')],
  ['a tolerance of 0', { l2: 1, tolerance: 0 }, bad(RangeError, 'ERR_VALUE', 'options.tolerance')],
  ['no threads', { l2: 1, threads: 0 }, bad(RangeError, 'ERR_VALUE', 'options.threads')],
])('linearProbe refuses %s', async (_, options, thrown) => {
  const call = () => linearProbe(x, labels, x, labels, options as { l2: number });
  expectError(await rejection(call), thrown);
});

it.each<[string, () => Promise<unknown>, Thrown]>([
  ['alpha of 0', () => alignment(x, x, { alpha: 0 }), bad(RangeError, 'ERR_VALUE', 'options.alpha')],
  [
    'alpha in text',
    () => alignment(x, x, { alpha: '2' } as object),
    bad(TypeError, 'ERR_TYPE', 'options.alpha'),
  ],
  ['t below 0', () => uniformity(x, { t: -2 }), bad(RangeError, 'ERR_VALUE', 'options.t')],
  ['t beyond float32', () => uniformity(x, { t: 1e5 }), bad(RangeError, 'ERR_VALUE', 'options.t')],
  ['t in text', () => uniformity(x, { t: '2' } as object), bad(TypeError, 'ERR_TYPE', 'options.t')],
  ['threads', () => uniformity(x, { threads: 2000 }), bad(RangeError, 'ERR_VALUE', 'options.threads')],
])('refuses %s', async (_, call, thrown) => {
  expectError(await rejection(call), thrown);
});

describe('a signal that aborts during the work stops it', () => {
  const large = normalRows(4000, 128, 3);
  const many = normalRows(1500, 128, 4);
  const classes = Int32Array.from({ length: 4000 }, (_, i) => i % 1500);

  it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ['effectiveRank', (signal) => effectiveRank(large, { signal })],
    ['zeroShotAccuracy', (signal) => zeroShotAccuracy(large, many, classes, { signal })],
    [
      'linearProbe',
      (signal) => linearProbe(large, classes, large, classes, { l2: 1e-6, tolerance: 1e-12, signal }),
    ],
  ])('%s', async (_, run) => {
    const controller = new AbortController();
    const running = rejection(() => run(controller.signal));
    setImmediate(() => controller.abort('enough'));
    expect(await running).toBe('enough');
  });
});

describe('features that are transferred away during the work', () => {
  const copy = ({ data, shape }: FloatMatrix) => ({ data: data.slice(), shape });
  /** More than one slice of alignment. Each row is 1, 0, 0 and so on. */
  const large: FloatMatrix = { data: new Float32Array(140_000 * 128), shape: [140_000, 128] };
  for (let at = 0; at < large.data.length; at += 128) large.data[at] = 1;
  const classes = Int32Array.from({ length: 4000 }, (_, i) => i % 1500);

  it.each<[string, FloatMatrix, (features: FloatMatrix) => Promise<unknown>, string]>([
    ['alignment', large, (features) => alignment(large, features), 'y.data'],
    ['modalityGap', x, (features) => modalityGap(features, x), 'x.data'],
    ['effectiveRank', normalRows(4000, 128, 3), (features) => effectiveRank(features), 'x.data'],
    [
      'zeroShotAccuracy',
      normalRows(1500, 128, 4),
      (features) => zeroShotAccuracy(normalRows(4000, 128, 3), features, classes),
      'classFeatures.data',
    ],
    ['linearProbe', x, (features) => linearProbe(x, labels, features, labels, { l2: 1 }), 'test.data'],
  ])('%s', async (_, features, run, name) => {
    const given = copy(features);
    const running = rejection(() => run(given));
    // the first slice is done by now
    structuredClone(given.data, { transfer: [given.data.buffer] });
    expectError(await running, bad(TypeError, 'ERR_DETACHED', `The buffer of ${name} was detached`));
  });
});
