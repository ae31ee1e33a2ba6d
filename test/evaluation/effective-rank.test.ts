/** effectiveRank, and the singular values below it, against Jacobi's rotations and known values. */
import { effectiveRank } from '../../lib/evaluation';
import { singularValues } from '../../lib/evaluation/singular-values';
import { readRows } from '../../lib/matrix/read-rows';
import { jacobiSingularValues, normalRows, plainEffectiveRank } from '../reference/features';
import { type FloatMatrix, widen } from '../reference/inputs';

/** rows × rank times rank × dim. */
function ofRank(rank: number, rows: number, dim: number): FloatMatrix {
  const [left, right] = [normalRows(rows, rank, 7), normalRows(rank, dim, 8)];
  const data = Float32Array.from({ length: rows * dim }, (_, at) => {
    const [i, d] = [Math.floor(at / dim), at % dim];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += left.data[i * rank + k] * right.data[k * dim + d];
    return sum;
  });
  return { data, shape: [rows, dim] };
}

const one = { data: Float32Array.of(3), shape: [1, 1] as const };
const equalRows = {
  data: Float32Array.from({ length: 60 }, (_, at) => (at % 6) - 1),
  shape: [10, 6] as const,
};

it.each<[string, FloatMatrix]>([
  ['tall', normalRows(200, 17, 1)],
  ['wide', normalRows(9, 40, 2)],
  ['square', normalRows(33, 33, 3)],
  ['one row', normalRows(1, 5, 4)],
  ['one column', normalRows(5, 1, 4)],
  ['one number', one],
  ['rows with gaps', widen(normalRows(70, 6, 5), 2)],
  ['longer than a block of rows', normalRows(129, 3, 6)],
  ['equal rows', equalRows],
  ['half of the rank', ofRank(8, 50, 16)],
  ['columns without a number', { data: Float32Array.of(1, 0, 0, 2, 0, 0), shape: [2, 3] }],
])('singular values and effective rank: %s', async (_, x) => {
  const expected = jacobiSingularValues(x);
  const values = await singularValues(readRows('x', x), undefined);
  expect(values).toHaveLength(Math.min(...x.shape));
  values.forEach((value, i) => {
    // a Gram matrix keeps 1e-8 of the largest value
    expect(Math.abs(value - expected[i])).toBeLessThan(
      1e-12 * expected.at(-1)! + 3e-8 * expected.at(-1)! * Number(expected[i] < 1e-5),
    );
  });
  expect(await effectiveRank(x)).toBeCloseTo(plainEffectiveRank(x), 5);
});

it('a matrix of rank 8 has an effective rank just below 8', async () => {
  const value = await effectiveRank(ofRank(8, 1000, 64));
  expect(value).toBeGreaterThan(7.7);
  expect(value).toBeLessThan(8);
});

it('25,600 rows that point anywhere use all of 256 dimensions: about 255.7', async () => {
  expect(Math.abs((await effectiveRank(normalRows(25_600, 256, 9))) - 255.7)).toBeLessThan(0.1);
});

it('equal rows have an effective rank of 1, and a scale changes nothing', async () => {
  expect(await effectiveRank(equalRows)).toBeCloseTo(1, 4);
  const x = normalRows(64, 8, 11);
  const scaled = { data: x.data.map((value) => value * 1024), shape: x.shape };
  expect(await effectiveRank(scaled)).toBeCloseTo(await effectiveRank(x), 10);
});

it('the other turns of the event loop come meanwhile', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await effectiveRank(normalRows(6000, 128, 12));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});
