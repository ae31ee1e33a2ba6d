/**
 * Errors that only native code can find: numbers in the features, and memory. Same error from promise
 * and call.
 */

import type { ContrastiveOptions } from '../../lib';
import { backends, contrastiveLoss, contrastiveLossAndGradSync, contrastiveLossSync, plan } from '../../lib';
import type { InfclError } from '../../lib/errors';
import { loadBinding } from '../../lib/native/load';
import { makePair, widen } from '../reference/inputs';
import { expectError, type Thrown, thrownBy } from './fake-binding';

const [rows, dim] = [37, 11];
const { queries, keys } = makePair({ rows, dim, seed: 51 });

function spoiled(matrix: typeof queries, row: number, column: number, value: number): typeof queries {
  const data = matrix.data.slice();
  data[row * (matrix.rowStride ?? dim) + column] = value;
  return { ...matrix, data };
}

async function expectRejected(
  q: typeof queries,
  k: typeof keys,
  options: ContrastiveOptions,
  thrown: Thrown,
) {
  expectError(
    thrownBy(() => contrastiveLossSync(q, k, options)),
    thrown,
  );
  expectError(
    thrownBy(() => contrastiveLossAndGradSync(q, k, options)),
    thrown,
  );
  const outcome = await contrastiveLoss(q, k, options).catch((error: InfclError) => error);
  expectError(outcome as InfclError, thrown);
}

const notFinite = (message: string | RegExp): Thrown => ({
  type: RangeError,
  code: 'ERR_NOT_FINITE',
  message,
});

describe.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d', (value) => {
  it.each([
    [0, 0],
    [5, 10],
    [rows - 1, dim - 1],
  ])('at row %i, column %i is found and named', async (row, column) => {
    const where = `received NaN or Infinity at row ${row}, column ${column}`;
    const hard = { keys: spoiled(keys, row, column, value), perQuery: 1 };
    await expectRejected(spoiled(queries, row, column, value), keys, {}, notFinite(`queries but ${where}`));
    await expectRejected(queries, spoiled(keys, row, column, value), {}, notFinite(`keys but ${where}`));
    await expectRejected(
      queries,
      keys,
      { hardNegatives: hard },
      notFinite(`hardNegatives.keys but ${where}`),
    );
    const wide = spoiled(widen(queries, 3), row, column, value);
    await expectRejected(wide, keys, {}, notFinite(`queries but ${where}`));
  });
});

it.each([
  ['float16', 0x7e00],
  ['float16', 0x7c00],
  ['bfloat16', 0x7fc0],
  ['bfloat16', 0xff80],
] as const)('a %s of bits %i is found as well', (dtype, bits) => {
  const data = new Uint16Array(rows * dim);
  data[3 * dim + 2] = bits;
  const error = thrownBy(() => contrastiveLossSync({ data, shape: [rows, dim], dtype }, keys));
  expectError(error, notFinite('queries but received NaN or Infinity at row 3, column 2'));
});

it('NaN between the rows of a strided matrix is nobody’s business', () => {
  const result = contrastiveLossSync(widen(queries, 3), widen(keys, 1));
  expect(result.loss).toBe(contrastiveLossSync(queries, keys).loss);
});

it('similarities and logits beyond float32 are an error, not a NaN', async () => {
  const large = (m: typeof queries) => ({ ...m, data: m.data.map((x) => x * 1e25) });
  await expectRejected(
    large(queries),
    large(keys),
    {},
    notFinite(/similarities that float32 can hold .* normalise the rows/),
  );
  await expectRejected(
    large(queries),
    keys,
    { logitScale: 1e20, objective: 'ntxent' },
    notFinite(/similarities that float32 can hold/),
  );
  await expectRejected(
    { ...queries, data: queries.data.map((x) => x * 1e10) },
    keys,
    { logitScale: 1e30 },
    notFinite(/logits that float32 can hold/),
  );
});

describe('workspaceBytes', () => {
  const least = (message: string) => Number(/Expected at least (\d+) for/.exec(message)![1]);

  it('below the least is refused with the least, which then suffices', async () => {
    const thrown = /Expected at least \d+ for workspaceBytes but received 100$/;
    await expectRejected(
      queries,
      keys,
      { workspaceBytes: 100 },
      { type: RangeError, code: 'ERR_WORKSPACE', message: thrown },
    );
    const { message } = thrownBy(() => contrastiveLossAndGradSync(queries, keys, { workspaceBytes: 100 }));
    const minimum = least(message);
    const { stats } = contrastiveLossAndGradSync(queries, keys, { workspaceBytes: minimum });
    expect(stats.workspaceBytes).toBeLessThanOrEqual(minimum);
    expectError(
      thrownBy(() => contrastiveLossAndGradSync(queries, keys, { workspaceBytes: minimum - 1 })),
      { type: RangeError, code: 'ERR_WORKSPACE', message: `at least ${minimum} for` },
    );
  });

  it('plan() refuses what the call would, with the same number', () => {
    const { message } = thrownBy(() => contrastiveLossAndGradSync(queries, keys, { workspaceBytes: 1 }));
    const planned = thrownBy(() => plan({ queries: rows, dim, workspaceBytes: 1 }));
    expectError(planned, {
      type: RangeError,
      code: 'ERR_WORKSPACE',
      message: 'for options.workspaceBytes but received 1',
    });
    expect(least(planned.message)).toBe(least(message));
    expect(plan({ queries: rows, dim, workspaceBytes: least(message) }).bytes.workspace).toBeLessThanOrEqual(
      least(message),
    );
  });
});

const cuda = backends().find(({ name }) => name === 'cuda')!;
(cuda.available ? it.skip : it)('a backend that cannot run here is refused with the reason', async () => {
  expect(cuda.reason).toMatch(/CUDA/);
  const thrown = {
    type: Error,
    code: 'ERR_BACKEND_UNAVAILABLE',
    message: `Backend 'cuda' cannot run here: ${cuda.reason}`,
  };
  await expectRejected(queries, keys, { backend: 'cuda' }, thrown);
  expectError(
    thrownBy(() => plan({ queries: rows, dim, backend: 'cuda' })),
    thrown,
  );
});

describe('the address of an array', () => {
  const address = (value: unknown) => loadBinding().memoryAddress(value as ArrayBufferView);

  it('counts its offset in bytes, and is the same for every view of its memory', () => {
    const array = new Float32Array(10);
    expect(address(array.subarray(3)) - address(array)).toBe(12);
    expect(address(new Uint8Array(array.buffer, 5))).toBe(address(array) + 5);
    expect(address(new Float32Array(10))).not.toBe(address(array));
  });

  it.each([undefined, 5, {}, new ArrayBuffer(8), new Proxy(new Float32Array(1), {})])(
    'of anything else is refused',
    (value) => {
      expect(thrownBy(() => address(value))).toMatchObject({
        code: 'ERR_TYPE',
        message: expect.stringMatching(/typed array/),
      });
    },
  );
});

it('the library is usable after all that', () => {
  expect(contrastiveLossSync(queries, keys).loss).toBeGreaterThan(0);
});
