/** The plan of a whole step: against the cost report of a step that ran, and refusals. */
import { chunkedStep, contrastiveLossSync, encodeFeatures, type PlanOptions, plan } from '../../lib';
import { planOn } from '../../lib/loss/plan';
import { expectError, fakeNative, thrownBy } from './fake-binding';
import { classOf } from './refusal-table';

const [rows, dim, chunk] = [300, 16, 64];
const features = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * i) / 2);
let calls = 0;
const encoder = {
  encode([begin, end]: [number, number]) {
    calls++;
    return { data: features.subarray(begin * dim, end * dim), shape: [end - begin, dim] };
  },
  backward() {},
};
function* chunks(): Generator<[number, number]> {
  for (let begin = 0; begin < rows; begin += chunk) yield [begin, Math.min(begin + chunk, rows)];
}
const tower = { encoder, chunks, rows };

it('has the bytes and the chunks of the step that runs', async () => {
  const { step, bytes } = plan({ queries: rows, dim, chunk });
  const { cost } = await chunkedStep({ queries: tower, keys: tower });
  expect(step).toEqual({
    chunks: { queries: 5, keys: 5 },
    activationRows: chunk,
    bytes: { encode: cost.encode.bytes, loss: cost.loss.bytes, total: bytes.total },
  });
  expect(calls).toBe(10);
  expect(step!.bytes.total).toBe(cost.encode.bytes + cost.loss.bytes);
});

it('without gradient is the plan of a validation loss', async () => {
  const { step } = plan({ queries: rows, dim, chunk, gradient: false });
  const [queries, keys] = [await encodeFeatures(tower), await encodeFeatures(tower)];
  expect(step!.bytes.encode).toBe(queries.data.byteLength + keys.data.byteLength);
  expect(step!.bytes.loss).toBe(contrastiveLossSync(queries, keys).stats.workspaceBytes);
});

describe('time', () => {
  const { binding } = fakeNative();
  const planned = (more: object) => planOn(() => binding, { queries: 10, keys: 25, dim: 4, ...more });
  const loss = planned({}).estimatedSeconds;
  it.each<[string, object, number | undefined]>([
    ['is unknown without measurements', { chunk: 10 }, undefined],
    ['is unknown with half of them', { chunk: { rows: 10, encodeSeconds: 2 } }, undefined],
    ['is unknown without encode', { chunk: { rows: 10, backwardSeconds: 2 } }, undefined],
    [
      'adds both passes of all chunks',
      { chunk: { rows: 10, encodeSeconds: 2, backwardSeconds: 5 } },
      loss + 4 * 7,
    ],
    [
      'of one pass, without gradient',
      { chunk: { rows: 10, encodeSeconds: 2 }, gradient: false },
      loss + 4 * 2,
    ],
  ])('%s', (_, more, seconds) => {
    const { step } = planned(more);
    expect(step!.chunks).toEqual({ queries: 1, keys: 3 });
    expect(step!.estimatedSeconds).toBe(seconds);
    expect('estimatedSeconds' in step!).toBe(seconds !== undefined);
  });

  it('a chunk larger than a side has the rows of that side', () => {
    expect(planned({ chunk: 1000 }).step).toMatchObject({
      chunks: { queries: 1, keys: 1 },
      activationRows: 25,
    });
    expect(planned({}).step).toBeUndefined();
  });
});

it.each<[string, unknown, string, string]>([
  ['no rows', 0, 'ERR_VALUE', 'positive integer for options.chunk'],
  ['half a row', 0.5, 'ERR_VALUE', 'options.chunk'],
  ['a text', '64', 'ERR_TYPE', 'object for options.chunk'],
  ['an object without rows', {}, 'ERR_TYPE', 'options.chunk.rows'],
  ['a typo', { rows: 4, encodeSecond: 1 }, 'ERR_OPTION', 'did you mean encodeSeconds?'],
  ['negative seconds', { rows: 4, encodeSeconds: -1 }, 'ERR_VALUE', 'options.chunk.encodeSeconds'],
  ['a text for seconds', { rows: 4, backwardSeconds: '1' }, 'ERR_TYPE', 'options.chunk.backwardSeconds'],
])('%s is refused', (_, given, code, message) => {
  const { binding, plans } = fakeNative();
  const options = { queries: 4, dim: 4, chunk: given } as PlanOptions;
  const error = thrownBy(() => planOn(() => binding, options));
  expectError(error, { type: classOf[code] ?? RangeError, code, message });
  expect(plans).toEqual([]);
});
