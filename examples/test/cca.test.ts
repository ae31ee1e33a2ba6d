/** Blocked Cholesky against its definition, and CCA where the answer is known. */

import { covariances, fitCca, project } from '../src/baseline/cca.js';
import { Cholesky, type Dense, multiply, transpose } from '../src/baseline/cholesky.js';
import { hashRows, type SparseMatrix } from '../src/features/hashing.js';
import { Random } from '../src/random.js';
import { startJax } from '../src/train/jax-side.js';

beforeAll(startJax);

function randomDense(rows: number, columns: number, seed: number): Dense {
  const random = new Random(seed);
  return { rows, columns, data: Float32Array.from({ length: rows * columns }, () => random.normal()) };
}

/** Rows given densely, as a sparse matrix. */
function sparse(rows: number[][]): SparseMatrix {
  const columnCount = rows[0]!.length;
  return {
    rows: rows.length,
    columnCount,
    starts: Int32Array.from({ length: rows.length + 1 }, (_, i) => i * columnCount),
    columns: Int32Array.from(rows.flatMap((row) => row.map((_, j) => j))),
    values: Float32Array.from(rows.flat()),
  };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

test.each([5, 512, 700])('L⁻ᵀ L⁻¹ solves a system of %i', async (n) => {
  const square = randomDense(n, n, n);
  const matrix = await multiply(square, transpose(square));
  for (let i = 0; i < n; i++) matrix.data[i * n + i]! += n;
  const wanted = randomDense(n, 3, 2);
  const right = await multiply(matrix, wanted);
  const factor = await Cholesky.factor(matrix);
  const found = await factor.solveUpper(await factor.solveLower(right));
  expect(largestDifference(found.data, wanted.data)).toBeLessThan(2e-3);
});

test('a product large enough to be cut into slices is the product', async () => {
  const [a, b] = [randomDense(1100, 1024, 1), randomDense(1024, 1024, 2)];
  const product = await multiply(a, b);
  for (const row of [0, 1023, 1024, 1099]) {
    for (const column of [0, 511, 1023]) {
      let sum = 0;
      for (let k = 0; k < 1024; k++) sum += a.data[row * 1024 + k]! * b.data[k * 1024 + column]!;
      expect(product.data[row * 1024 + column]).toBeCloseTo(sum, 2);
    }
  }
});

test('a product of seconds stops when told to by a timer', async () => {
  const square = { rows: 4096, columns: 4096, data: new Float32Array(4096 * 4096) };
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 1);
  await expect(multiply(square, square, controller.signal)).rejects.toThrow('enough');
});

test('a factor stops when told to, and so do solves with it', async () => {
  const identity = { rows: 2, columns: 2, data: Float32Array.of(1, 0, 0, 1) };
  const controller = new AbortController();
  const factor = await Cholesky.factor(identity, controller.signal);
  controller.abort(new Error('enough'));
  await expect(factor.solveLower(identity)).rejects.toThrow('enough');
  await expect(factor.solveUpper(identity)).rejects.toThrow('enough');
  await expect(Cholesky.factor(identity, controller.signal)).rejects.toThrow('enough');
});

test('refuses a matrix that is not positive definite', async () => {
  const matrix = { rows: 2, columns: 2, data: Float32Array.of(1, 2, 2, 1) };
  await expect(Cholesky.factor(matrix)).rejects.toThrow('positive definite');
});

test('finds the correlations of independent pairs of columns', async () => {
  const random = new Random(11);
  const rows = 4000;
  const mixed = [0.9, 0.5];
  const x: number[][] = [];
  const y: number[][] = [];
  for (let i = 0; i < rows; i++) {
    const shared = [random.normal(), random.normal()];
    // unequal spreads and means, which canonical correlations do not see
    x.push([3 * shared[0]! + 1, 0.5 * shared[1]!, random.normal()]);
    y.push([
      random.normal(),
      ...mixed.map((r, k) => r * shared[k]! + Math.sqrt(1 - r * r) * random.normal() - 2),
    ]);
  }
  const [left, right] = [sparse(x), sparse(y)];
  const all = Int32Array.from({ length: rows }, (_, i) => i);
  const data = await covariances(left, right, all);
  const { cca } = await fitCca(data, { directions: 2, ridge: 1e-4, iterations: 30 });
  expect(cca.meanSquaredCorrelation).toBeCloseTo((0.9 ** 2 + 0.5 ** 2) / 2, 1);
  const one = await fitCca(data, { directions: 1, ridge: 1e-4, iterations: 30 });
  expect(Math.sqrt(one.cca.meanSquaredCorrelation)).toBeCloseTo(0.9, 1);
});

test('more directions than the data has are as good as those it has', async () => {
  const random = new Random(3);
  const rows = Array.from({ length: 500 }, () => [random.normal(), random.normal()]);
  // four columns, of which two are of no use, and 12 that are always zero
  const wide = rows.map(([a, b]) => [a!, b!, a! + b!, a! - b!, ...new Array<number>(12).fill(0)]);
  const matrix = sparse(wide);
  const all = Int32Array.from({ length: rows.length }, (_, i) => i);
  const data = await covariances(matrix, matrix, all);
  const few = await fitCca(data, { directions: 2, ridge: 0.01, iterations: 5 });
  const many = await fitCca(data, { directions: 12, ridge: 0.01, iterations: 5 });
  const projected = await Promise.all(
    [few, many].map(async ({ cca }) => ({
      width: cca.left.columns,
      left: await project(matrix, all, { directions: cca.left, means: cca.leftMeans }),
      right: await project(matrix, all, { directions: cca.right, means: cca.rightMeans }),
    })),
  );
  for (let i = 1; i < 20; i++) {
    const [a, b] = projected.map(({ width, left, right }) =>
      Array.from({ length: width }, (_, d) => left[d]! * right[i * width + d]!).reduce((x, y) => x + y),
    );
    expect(b).toBeCloseTo(a!, 2);
  }
});

test('projections put the two sides of a pair beside each other', async () => {
  const random = new Random(5);
  const letters = 'abcdefgh';
  const words = Array.from({ length: 400 }, () =>
    Array.from({ length: 3 }, () => letters[Math.floor(random.uniform() * letters.length)]!),
  );
  const left = hashRows(
    words.map((word) => word.join(' ')),
    (text) => text.split(' ').map((letter, i) => `${i}${letter}`),
    64,
  );
  const right = hashRows(
    words.map((word) => word.join(' ').toUpperCase()),
    (text) => text.split(' ').map((letter, i) => `${letter}${i}`),
    64,
  );
  const all = Int32Array.from({ length: words.length }, (_, i) => i);
  const data = await covariances(left, right, all.subarray(0, 300));
  const { cca } = await fitCca(data, { directions: 16, ridge: 0.01, iterations: 10 });
  const held = all.subarray(300);
  const a = await project(left, held, { directions: cca.left, means: cca.leftMeans });
  const b = await project(right, held, { directions: cca.right, means: cca.rightMeans });
  const similarity = (i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < 16; d++) sum += a[i * 16 + d]! * b[j * 16 + d]!;
    return sum;
  };
  let own = 0;
  let others = 0;
  for (let i = 0; i < held.length; i++) {
    own += similarity(i, i) / held.length;
    others += similarity(i, (i + 1) % held.length) / held.length;
  }
  expect(own).toBeGreaterThan(0.7);
  expect(Math.abs(others)).toBeLessThan(0.3);
});
