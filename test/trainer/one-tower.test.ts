/** A step over one tower: objective 'supcon', a loss of the caller's own, and what is refused without keys. */
import { chunkedStep, type StepFeatures, sumOfLosses } from '../../lib/trainer';
import { denseLossAndGrad } from '../reference/dense';
import { slopesOf, unitRows } from '../reference/slopes';
import { expectStepRefused } from './refuse-step';
import { cut, expectClose, featureDim, randomRows, ToyEncoder, toyFeatures } from './toy-encoder';

const [rows, logitScale] = [13, 5];
const inputs = randomRows(rows, 1);
const labels = Int32Array.from({ length: rows }, (_, i) => i % 4);
const tower = (encoder: ToyEncoder) => ({ encoder, chunks: () => cut(inputs, [6, 6, 1]) });

function dense(normalized: boolean) {
  const { weights } = new ToyEncoder(1);
  const loss = () => {
    const raw = toyFeatures(weights, inputs);
    const data = normalized ? unitRows(raw, featureDim) : raw;
    const options = { objective: 'supcon', logitScale, labels } as const;
    return denseLossAndGrad({ data, shape: [rows, featureDim] }, null, options).loss;
  };
  return { loss: loss(), slopes: slopesOf([weights], loss)[0]! };
}

const supcon = { objective: 'supcon', labels, logitScale } as const;

test.each([
  ['left out', {}],
  ['null', { keys: null }],
])('supcon with keys %s compares the rows of one tower', async (_, keys) => {
  const encoder = new ToyEncoder(1);
  const {
    loss,
    rows: counts,
    cost,
    stats,
  } = await chunkedStep({ queries: tower(encoder), ...keys, loss: supcon });
  const expected = dense(false);
  expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-6);
  expectClose(encoder.grads, expected.slopes);
  expect(counts).toEqual({ queries: rows, keys: 0 });
  expect(cost.encode.bytes).toBe(rows * featureDim * 4);
  expect(cost.loss.bytes).toBe(rows * featureDim * 4 + stats.workspaceBytes);
});

test('normalised', async () => {
  const encoder = new ToyEncoder(1);
  const { loss } = await chunkedStep({ queries: tower(encoder), loss: supcon, normalize: true });
  expect(Math.abs(loss - dense(true).loss)).toBeLessThan(1e-6);
  expectClose(encoder.grads, dense(true).slopes);
});

test('with two towers as before', async () => {
  const [q, k] = [new ToyEncoder(1), new ToyEncoder(2)];
  await chunkedStep({ queries: tower(q), keys: tower(k), loss: supcon });
  expect(Math.hypot(...k.grads)).toBeGreaterThan(0);
});

test('a loss of one’s own, and a sum of losses', async () => {
  const [byHand, sum] = [new ToyEncoder(1), new ToyEncoder(1)];
  /** L = sum_i |q_i|^2 / 2 */
  const decay = (queries: StepFeatures, keys: null) => {
    expect(keys).toBeNull();
    const data = queries.data as Float32Array;
    return { loss: data.reduce((total, x) => total + (x * x) / 2, 0), queryGrads: data.slice() };
  };
  const { loss } = await chunkedStep({ queries: tower(byHand), loss: decay });
  const { weights } = new ToyEncoder(1);
  const slopes = slopesOf([weights], () =>
    toyFeatures(weights, inputs).reduce((total, x) => total + (x * x) / 2, 0),
  );
  expect(loss).toBeGreaterThan(0);
  expectClose(byHand.grads, slopes[0]!);
  const result = await chunkedStep({ queries: tower(sum), loss: sumOfLosses([{ ...supcon, weight: 3 }]) });
  expect(result.terms).toHaveLength(1);
  expectClose(
    sum.grads,
    dense(false).slopes.map((slope) => 3 * slope),
  );
});

test.each<[what: string, added: object, code: string, message: string]>([
  [
    'the default objective',
    {},
    'ERR_TYPE',
    "Expected object for options.keys but received undefined; only objective 'supcon'",
  ],
  ['ntxent, which needs two views', { loss: { objective: 'ntxent' } }, 'ERR_TYPE', 'options.keys'],
  ['directions', { loss: { directions: ['queryToKey'] } }, 'ERR_TYPE', 'options.keys'],
  [
    'a gradient of the keys',
    { loss: { ...supcon, grad: { keys: true } } },
    'ERR_ENCODER',
    'Expected a tower options.keys, as options.loss.grad.keys is true',
  ],
  [
    'an output for the keys',
    { loss: { ...supcon, out: { keyGrads: new Float32Array(6) } } },
    'ERR_VALUE',
    'trains no keys tower',
  ],
  ['a number for keys', { keys: 5, loss: supcon }, 'ERR_TYPE', 'object for options.keys but received 5'],
])('%s without keys is refused', (_, added, code, message) =>
  expectStepRefused(({ queries }) => ({ queries, ...added }), { code, message }),
);
