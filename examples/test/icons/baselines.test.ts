/** Baselines and judgements of the icon demo against slow, obvious versions. */

import { covariances, fitCca } from '../../src/baseline/cca.js';
import type { SparseMatrix } from '../../src/features/hashing.js';
import { fitIconCca } from '../../src/icons/baseline/icon-cca.js';
import { judgeNeighbours } from '../../src/icons/baseline/neighbours.js';
import { solveRidge } from '../../src/icons/baseline/ridge-solve.js';
import { judgeFeatures } from '../../src/icons/evaluate/judge-features.js';
import { curveTask, makeTask } from '../../src/icons/evaluate/task.js';
import { Random } from '../../src/random.js';
import { startJax } from '../../src/train/jax-side.js';
import { toyCollection } from './toy-icons.js';

beforeAll(startJax);

const random = new Random(8);

/** Rows with about half of their entries. */
function sparseRows(rows: number, columnCount: number): SparseMatrix {
  const starts = new Int32Array(rows + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columnCount; column++) {
      if (random.uniform() < 0.5) continue;
      columns.push(column);
      values.push(random.normal());
    }
    starts[row + 1] = columns.length;
  }
  return { rows, columnCount, starts, columns: Int32Array.from(columns), values: Float32Array.from(values) };
}

function denseRow({ starts, columns, values, columnCount }: SparseMatrix, row: number): number[] {
  const dense = new Array<number>(columnCount).fill(0);
  for (let j = starts[row]!; j < starts[row + 1]!; j++) dense[columns[j]!] = values[j]!;
  return dense;
}

test('a ridge problem is solved: (C + ρ I) X is the right side', async () => {
  const [rows, columns, width] = [30, 12, 70];
  const matrix = sparseRows(rows, columns);
  const weights = Float64Array.from({ length: rows }, () => random.uniform());
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  weights.forEach((weight, i) => {
    weights[i] = weight / total;
  });
  const dense = Array.from({ length: rows }, (_, row) => denseRow(matrix, row));
  const mean = Float32Array.from({ length: columns }, (_, c) =>
    dense.reduce((sum, row, i) => sum + weights[i]! * row[c]!, 0),
  );
  const ridge = 0.01;
  const data = Float32Array.from({ length: columns * width }, () => random.normal());
  const { data: x } = await solveRidge(
    { matrix, weights, mean, ridge },
    { rows: columns, columns: width, data },
  );
  for (const d of [0, 63, 64, 69]) {
    for (let a = 0; a < columns; a++) {
      let sum = ridge * x[a * width + d]!;
      for (let b = 0; b < columns; b++) {
        const covariance = dense.reduce(
          (acc, row, i) => acc + weights[i]! * (row[a]! - mean[a]!) * (row[b]! - mean[b]!),
          0,
        );
        sum += covariance * x[b * width + d]!;
      }
      expect(Math.abs(sum - data[a * width + d]!)).toBeLessThan(0.02);
    }
  }
});

test('a ridge problem without a ridge is refused', async () => {
  const matrix = sparseRows(2, 2);
  const problem = { matrix, weights: Float64Array.of(0.5, 0.5), mean: new Float32Array(2), ridge: 0 };
  await expect(solveRidge(problem, { rows: 2, columns: 1, data: new Float32Array(2) })).rejects.toThrow(
    'above 0',
  );
});

test('CCA gives the scores of the dense form, for captions that several icons have', async () => {
  const [captions, icons, textColumns, dim] = [40, 100, 18, 6];
  const used = sparseRows(captions, textColumns / 2);
  // every other column is empty
  const columns = used.columns.map((column) => 2 * column + 1);
  const texts = { ...used, columns, columnCount: textColumns };
  const captionOf = Int32Array.from({ length: icons }, (_, i) => (i * 7) % captions);
  const mixing = Float32Array.from({ length: textColumns * dim }, () => random.normal());
  const images = new Float32Array(icons * dim);
  captionOf.forEach((caption, i) => {
    const row = denseRow(texts, caption);
    for (let d = 0; d < dim; d++)
      images[i * dim + d] =
        random.normal() + row.reduce((sum, value, c) => sum + value * mixing[c * dim + d]!, 0);
  });
  for (let d = 0; d < dim; d++) {
    let mean = 0;
    for (let i = 0; i < icons; i++) mean += images[i * dim + d]! / icons;
    for (let i = 0; i < icons; i++) images[i * dim + d]! -= mean;
  }
  // the dense form takes both sides as sparse rows, one for each pair
  const left: SparseMatrix = {
    rows: icons,
    columnCount: dim,
    starts: Int32Array.from({ length: icons + 1 }, (_, i) => i * dim),
    columns: Int32Array.from({ length: icons * dim }, (_, i) => i % dim),
    values: images,
  };
  const repeated = Array.from(captionOf, (caption) => denseRow(texts, caption));
  const right: SparseMatrix = {
    rows: icons,
    columnCount: textColumns,
    starts: Int32Array.from({ length: icons + 1 }, (_, i) => i * textColumns),
    columns: Int32Array.from({ length: icons * textColumns }, (_, i) => i % textColumns),
    values: Float32Array.from(repeated.flat()),
  };
  const data = await covariances(
    left,
    right,
    Int32Array.from({ length: icons }, (_, i) => i),
  );
  const traceOf = ({ rows, data: c }: { rows: number; data: Float32Array }) =>
    Array.from({ length: rows }, (_, i) => c[i * rows + i]!).reduce((sum, value) => sum + value, 0) / rows;
  const relative = 0.05;
  const dense = (await fitCca(data, { directions: dim, ridge: relative, iterations: 30 })).cca;
  const own = await fitIconCca(
    {
      images: { rows: icons, dim, slice: (first, end) => images.slice(first * dim, end * dim) },
      texts,
      captionOf,
    },
    { directions: dim, imageRidge: relative * traceOf(data.xx), textRidge: relative * traceOf(data.yy) },
  );
  const project = (
    row: ArrayLike<number>,
    mean: ArrayLike<number>,
    { rows, columns, data: d }: { rows: number; columns: number; data: Float32Array },
  ) =>
    Array.from({ length: columns }, (_, c) => {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += (row[r]! - mean[r]!) * d[r * columns + c]!;
      return sum;
    });
  // the dense form weighs the images by the correlations, this one the texts: dot products agree, lengths do not
  const product = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const zero = new Float32Array(dim);
  let largest = 0;
  for (let i = 0; i < icons; i += 3) {
    for (let t = 0; t < captions; t += 5) {
      const picture = images.subarray(i * dim, (i + 1) * dim);
      const text = denseRow(texts, t);
      const expected = product(
        project(picture, data.leftMeans, dense.left),
        project(text, data.rightMeans, dense.right),
      );
      const received = product(project(picture, zero, own.image), project(text, own.textMean, own.text));
      largest = Math.max(largest, Math.abs(expected));
      expect(Math.abs(received - expected)).toBeLessThan(0.03);
    }
  }
  expect(largest).toBeGreaterThan(0.5);
});

describe('the task', () => {
  const task = makeTask(toyCollection);

  test('has the captions of the unseen set, those of training first', () => {
    const { icons, unseen, captions } = toyCollection;
    expect(new Set(task.captions)).toEqual(new Set(Array.from(unseen, (icon) => icons[icon]!.caption)));
    const seen = task.seen.queries.length;
    expect(task.captions.slice(0, seen)).toEqual(
      captions.filter((caption) => task.captions.includes(caption)),
    );
    expect(task.fresh.queries.length).toBe(task.captions.length - seen);
    for (const { icons: places, labels } of task.zeroShot) {
      for (const [i, place] of places.entries())
        expect(icons[unseen[place]!]!.caption).toBe(task.captions[labels[i]!]);
    }
    expect(curveTask(task)).toBe(task.zeroShot.at(-1));
  });

  test('asks for new captions where training has none of them', () => {
    const icons = toyCollection.icons.map((icon, i) => ({ ...icon, caption: `picture ${i}` }));
    const captions = Array.from(toyCollection.train, (icon) => icons[icon]!.caption);
    const own = makeTask({ ...toyCollection, icons, captions });
    expect(own.seen.queries).toHaveLength(0);
    expect(own.zeroShot).toEqual([
      { classes: 80, icons: expect.any(Int32Array), labels: Int32Array.from({ length: 80 }, (_, i) => i) },
    ]);
  });

  test('is solved by perfect features, and not by equal ones', async () => {
    const { icons, unseen } = toyCollection;
    const dim = task.captions.length;
    const rows = (places: number[]) => {
      const data = new Float32Array(places.length * dim);
      places.forEach((place, i) => {
        data[i * dim + place] = 1;
      });
      return { data, shape: [places.length, dim] as const };
    };
    const images = rows(Array.from(unseen, (icon) => task.captions.indexOf(icons[icon]!.caption)));
    const texts = rows(task.captions.map((_, i) => i));
    const perfect = await judgeFeatures(task, images, texts);
    expect(perfect.zeroShot.at(-1)).toMatchObject({ top1: 1, top5: 1 });
    expect(perfect.seen).toMatchObject({ at1: 1, at10: 1, icons: unseen.length });
    const same = { ...images, data: images.data.slice().fill(1) };
    const collapsed = await judgeFeatures(task, same, { ...texts, data: texts.data.slice().fill(1) });
    expect(collapsed.seen!.at1).toBeLessThan(0.05);
    expect(collapsed.zeroShot.at(-1)!.top1).toBeLessThan(0.05);
  });

  test('neighbours: the captions of the nearest training icons, each once', async () => {
    const unit = (angle: number) => [Math.cos(angle), Math.sin(angle)];
    const train = { data: Float32Array.from([0, 0.1, 0.2, 1, 2, 3].flatMap(unit)), shape: [6, 2] as const };
    const unseen = { data: Float32Array.from([0.05, 0.9].flatMap(unit)), shape: [2, 2] as const };
    const zeroShot = [{ classes: 4, icons: Int32Array.of(0, 1), labels: Int32Array.of(0, 3) }];
    const part = { ...task, zeroShot };
    const judge = (classOf: number[]) =>
      judgeNeighbours(part, { train, unseen, classOf: Int32Array.from(classOf) });
    // 0.9 is nearest to 1, whose class is 1; class 3 comes among the five only
    expect((await judge([0, 0, 0, 1, 2, 3])).zeroShot[0]).toEqual({
      classes: 4,
      icons: 2,
      top1: 0.5,
      top5: 1,
    });
    // class 3 is nowhere near, and a class beyond the four is no answer
    expect((await judge([0, 0, 0, 1, 2, 4])).zeroShot[0]).toMatchObject({ top1: 0.5, top5: 0.5 });
  });
});
