/**
 * Rows of length 1 made by the step: loss and gradients against finite differences of the dense loss on normalised
 * features. Also: towers that decide for themselves, 16-bit features, rows of zeros, the cost, and `gradScale`.
 */
import { chunkedStep, type Encoder, encodeFeatures, formatCostReport } from '../../lib/trainer';
import { denseLossAndGrad } from '../reference/dense';
import { narrow } from '../reference/narrow';
import { slopesOf, unitRows } from '../reference/slopes';
import { expectStepRefused } from './refuse-step';
import { cut, expectClose, featureDim, randomRows, ToyEncoder, toyFeatures } from './toy-encoder';

const [rows, logitScale] = [11, 5];
const inputs = {
  queries: randomRows(rows, 1),
  keys: randomRows(rows, 2),
  hardNegatives: randomRows(2 * rows, 3),
};
type Name = keyof typeof inputs;
const names: readonly Name[] = ['queries', 'keys', 'hardNegatives'];

const toys = () => ({
  queries: new ToyEncoder(1),
  keys: new ToyEncoder(2),
  hardNegatives: new ToyEncoder(3),
});

const step = (
  encoders: Record<Name, Encoder<Float32Array>>,
  more: object = {},
  ofTower: Partial<Record<Name, object>> = {},
) =>
  chunkedStep({
    queries: { encoder: encoders.queries, chunks: () => cut(inputs.queries, [4, 7]), ...ofTower.queries },
    keys: { encoder: encoders.keys, chunks: () => cut(inputs.keys, [9, 2]), ...ofTower.keys },
    hardNegatives: {
      encoder: encoders.hardNegatives,
      chunks: () => cut(inputs.hardNegatives, [15, 7]),
      perQuery: 2,
      ...ofTower.hardNegatives,
    },
    loss: { logitScale },
    ...more,
  });

/** The dense loss, in which the given towers are normalised, and its slopes along the weights. */
function dense(normalized: readonly Name[]) {
  const weights = names.map((name) => toys()[name].weights);
  const matrix = (name: Name) => {
    const raw = toyFeatures(weights[names.indexOf(name)]!, inputs[name]);
    const data = normalized.includes(name) ? unitRows(raw, featureDim) : raw;
    return { data, shape: [data.length / featureDim, featureDim] as const };
  };
  const loss = () =>
    denseLossAndGrad(matrix('queries'), matrix('keys'), {
      logitScale,
      hardNegatives: { keys: matrix('hardNegatives'), perQuery: 2 },
    }).loss;
  return { loss: loss(), slopes: slopesOf(weights, loss) };
}

const on = { normalize: true };

test.each<[what: string, more: object, ofTower: Partial<Record<Name, object>>, normalized: readonly Name[]]>([
  ['all towers', on, {}, names],
  ['no tower', { normalize: false }, {}, []],
  ['one tower', {}, { keys: on }, ['keys']],
  ['two of three towers', on, { hardNegatives: { normalize: false } }, ['queries', 'keys']],
])('%s: loss and gradients are those of the dense loss', async (_, more, ofTower, normalized) => {
  const towers = toys();
  const { loss } = await step(towers, more, ofTower);
  const expected = dense(normalized);
  expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-6);
  for (const [i, name] of names.entries()) expectClose(towers[name].grads, expected.slopes[i]!);
  // a step that ignored the option would not pass
  if (normalized.length > 0) expect(Math.abs(loss - dense([]).loss)).toBeGreaterThan(0.01);
});

test('the caller gets the gradients of the features as they came', async () => {
  const out = { queryGrads: new Float32Array(rows * featureDim) };
  const towers = toys();
  await step(towers, { ...on, loss: { logitScale, out } });
  const again = new ToyEncoder(1);
  await again.backward(inputs.queries, { data: out.queryGrads });
  expectClose(towers.queries.grads, again.grads, 1e-12);
});

test.each(['float16', 'bfloat16'] as const)('%s features are normalised as float32', async (dtype) => {
  const widths: number[] = [];
  const made = (encoder: ToyEncoder): { narrowed: Encoder<Float32Array>; wide: Encoder<Float32Array> } => {
    const halves = (input: Float32Array) => {
      const { data, dims } = encoder.encode(input);
      return narrow({ data, shape: dims as [number, number] }, dtype);
    };
    const backward = (input: Float32Array, grads: { data: Float32Array }) => encoder.backward(input, grads);
    return {
      narrowed: { encode: (input) => halves(input).bits, backward },
      wide: { encode: (input) => halves(input).values, backward },
    };
  };
  const run = async (kind: 'narrowed' | 'wide') => {
    const towers = toys();
    const encoders = {
      queries: made(towers.queries)[kind],
      keys: made(towers.keys)[kind],
      hardNegatives: made(towers.hardNegatives)[kind],
    };
    const { loss, cost } = await step(encoders, on);
    widths.push(cost.encode.bytes);
    return { loss, grads: names.map((name) => towers[name].grads) };
  };
  expect(await run('narrowed')).toEqual(await run('wide'));
  expect(widths).toEqual([4 * rows * featureDim * 4, 4 * rows * featureDim * 4]);
});

test('a row of zeros stays zeros, and gets a gradient of zeros', async () => {
  const features = Float32Array.from({ length: 3 * featureDim }, (_, i) =>
    i < featureDim ? 0 : Math.sin(i),
  );
  let grads: number[] = [];
  const encoder: Encoder<string> = {
    encode: () => ({ data: features, shape: [3, featureDim] }),
    backward: (_, { data }) => {
      // a zero may be negative
      grads = Array.from(data, (g) => g + 0);
    },
  };
  const keys = new ToyEncoder(2);
  const { loss } = await chunkedStep({
    queries: { encoder, chunks: () => ['all'] },
    keys: { encoder: keys, chunks: () => [inputs.keys.subarray(0, 15)] },
    normalize: true,
  });
  expect(loss).toBeGreaterThan(0);
  expect(grads.slice(0, featureDim)).toEqual([0, 0, 0, 0]);
  expect(grads.slice(featureDim).every((g) => Number.isFinite(g) && g !== 0)).toBe(true);
});

test('NaN is refused in the encode phase, with the place', async () => {
  const towers = toys();
  const { encode } = towers.keys;
  towers.keys.encode = (input) => {
    const features = encode.call(towers.keys, input);
    if (input.length === 2 * 5) features.data[5] = Number.NaN;
    return features;
  };
  await expect(step(towers, on)).rejects.toMatchObject({
    code: 'ERR_NOT_FINITE',
    message: expect.stringContaining('row 1, column 1 of keys chunk 1'),
  });
  expect(towers.queries.calls.some((call) => call.startsWith('backward'))).toBe(false);
});

test('features without a step are normalised too', async () => {
  const tower = { encoder: new ToyEncoder(1), chunks: () => cut(inputs.queries, [4, 7]) };
  const { data, dtype } = await encodeFeatures({ ...tower, normalize: true });
  const raw = toyFeatures(new ToyEncoder(1).weights, inputs.queries);
  expectClose(data, unitRows(raw, featureDim), 1e-6);
  expect(dtype).toBe('float32');
  expectClose((await encodeFeatures(tower)).data, raw, 1e-6);
});

test('the cost has a line for it, and the phases add up', async () => {
  const { cost } = await step(toys(), on);
  expect(cost.normalize!.bytes).toBe(4 * rows * 8);
  expect(cost.normalize!.seconds).toBeGreaterThan(0);
  const phases = [cost.encode, cost.loss, cost.backward, cost.normalize!].map(({ seconds }) => seconds);
  expect(phases.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(cost.totalSeconds);
  expect(formatCostReport(cost)).toMatch(/^normalize {5}\d\.\d{3} s .* 352 B$/m);
  expect((await step(toys())).cost.normalize).toBeUndefined();
});

describe('gradScale', () => {
  test.each([0.25, -2, 0])(
    '%d multiplies the gradients of all towers and nothing else',
    async (gradScale) => {
      const [plain, scaled] = [toys(), toys()];
      const [a, b] = [await step(plain, on), await step(scaled, { ...on, gradScale })];
      expect([b.loss, b.logitScaleGrad]).toEqual([a.loss, a.logitScaleGrad]);
      // powers of two round nothing
      for (const name of names) {
        expect([...scaled[name].grads]).toEqual([...plain[name].grads].map((g) => g * gradScale + 0));
      }
    },
  );

  test('beyond float32 is refused before the encoder sees it', async () => {
    const towers = toys();
    await expect(step(towers, { gradScale: 1e300 })).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: expect.stringContaining('options.gradScale 1e+300'),
    });
    expect(towers.queries.calls.some((call) => call.startsWith('backward'))).toBe(false);
  });

  test('two steps with half the gradient each give what one step gives', async () => {
    const [once, twice] = [toys(), toys()];
    await step(once);
    for (const _ of [1, 2]) await step(twice, { gradScale: 0.5 });
    for (const name of names) expectClose(twice[name].grads, once[name].grads, 1e-12);
  });
});

test.each<[what: string, added: object, code: string, message: string]>([
  ['a string', { normalize: 'yes' }, 'ERR_TYPE', 'boolean for options.normalize but received yes'],
  ['a number for a scale', { gradScale: '2' }, 'ERR_TYPE', 'finite number for options.gradScale'],
  ['an infinite scale', { gradScale: Number.POSITIVE_INFINITY }, 'ERR_VALUE', 'options.gradScale'],
  ['NaN for a scale', { gradScale: Number.NaN }, 'ERR_VALUE', 'options.gradScale'],
  ['an option of the loss', { loss: { normalize: true } }, 'ERR_OPTION', 'Unknown name normalize'],
])('%s is refused', (_, added, code, message) =>
  expectStepRefused((good) => ({ ...good, ...added }), { code, message }),
);

test('a string is refused in a tower', () =>
  expectStepRefused((good) => ({ ...good, keys: { ...good.keys, normalize: 1 } }), {
    code: 'ERR_TYPE',
    message: 'boolean for options.keys.normalize but received 1',
  }));
